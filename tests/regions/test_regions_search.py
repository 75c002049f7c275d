"""Cells in boxes of several dimensions: known counts, sampling, invariants, degenerate networks."""

from __future__ import annotations

import json
from itertools import pairwise
from math import comb

import numpy as np
import pytest
import torch
from torch import nn

import hinge
from hinge import Box
from hinge.activations import find
from hinge.errors import DataError, OptionError, UnsupportedError
from hinge.network import Dense
from hinge.network.building.builder import Builder, Call
from hinge.regions.box import search as room
from hinge.regions.box.verb import partition_box
from hinge.regions.partitioning import partition
from hinge.report import to_text


def network(model, n_inputs):
    return hinge.read(model.double(), example=torch.zeros(2, n_inputs, dtype=torch.float64))


def layers(*pairs, activation="relu"):
    """A network of the given ``(weight, bias)``, an activation between each two, sites 1, 3, 5."""
    build = Builder((np.shape(pairs[0][0])[1],))
    value = build.input
    for number, pair in enumerate(pairs):
        weight, bias = (torch.from_numpy(np.asarray(one, np.float64)) for one in pair)
        if number:
            build.call = Call("", str(2 * number - 1), alone=True)
            value = build.activate(value, find(activation), {})
        build.call = Call(str(2 * number))
        value = build.affine(value, Dense(input_shape=value.shape, weight=weight, bias=bias))
    return build.network(value, torch.float64, "layers")


def planes(n, d):
    """One layer of n random hyperplanes, in general position."""
    random = np.random.default_rng(0)
    weight, bias = random.standard_normal((n, d)), random.standard_normal(n)
    return layers((weight, bias), (np.ones((1, n)), np.zeros(1)))


def default(*sizes, seed=0):
    """Layers as torch makes them, in float32."""
    torch.manual_seed(seed)
    made = [nn.Linear(before, after) for before, after in pairwise(sizes)]
    return layers(*((one.weight.detach().numpy(), one.bias.detach().numpy()) for one in made))


def cube(d, side=1.0):
    return Box([-side] * d, [side] * d)


def patterns_at(net, x):
    """What is above 0 at each point, over all sites."""
    found = net.pre_activations(torch.from_numpy(x)).values()
    return np.concatenate([one.numpy().reshape(len(x), -1) > 0 for one in found], axis=1)


def laws(found, net):
    """What must hold of every partition that is complete."""
    assert found.complete
    assert found.late == 0
    assert found.certified_cells == found.n_cells
    assert not found.certified
    low, high = found.box.lower, found.box.upper
    assert found.volumes.sum() == pytest.approx(np.prod(high - low), rel=1e-9)
    x = np.random.default_rng(1).uniform(low, high, (2000, len(low)))
    cells = found.locate(x)
    assert cells.min() >= 0
    for cell in np.unique(cells)[:50].tolist():
        inside = x[cells == cell]
        weight, bias = found.affine(cell)
        assert np.allclose(inside @ weight.T + bias, net(inside), rtol=1e-9, atol=1e-12)
        assert (inside @ found.cells[cell].A.T <= found.cells[cell].b + 1e-12).all()
    assert (found.locate(found.interior_points) == np.arange(found.n_cells)).all()
    for number, cell in enumerate(found.cells):
        assert (cell.A @ cell.point < cell.b).all()
        assert all(
            number in found.cells[other].neighbours for other in cell.neighbours if other >= 0
        )


@pytest.mark.parametrize(
    ("n", "d", "side"),
    [(10, 2, 1e3), (32, 2, 1e4), (32, 2, 1e6), (10, 3, 1e3), (8, 4, 1e3), (7, 5, 1e3), (9, 1, 1e3)],
)
def test_hyperplanes_in_general_position_make_zaslavskys_count(n, d, side):
    """Sum of C(n, j), j up to d (Zaslavsky 1975), in a box that holds every crossing."""
    net = planes(n, d)
    found = partition_box(net, cube(d, side))
    assert found.n_cells == sum(comb(n, j) for j in range(d + 1))
    pairs = n * sum(comb(n - 1, j) for j in range(d))  # each hyperplane is cut by the others
    assert len(found.adjacency) == pairs
    laws(found, net)


def test_a_plane_as_other_programs_count_it():
    """3 x 32 units by torch's default: four other programs agree on 1,180 cells."""
    net = default(2, 32, 32, 32, 1)
    found = partition_box(net, cube(2))
    assert found.n_cells == found.n_regions == 1180
    assert len(found.adjacency) == 2434 - sum((c.neighbours == -1).sum() for c in found.cells)


def test_three_dimensions_against_sampling():
    net = default(3, 10, 10, 1)
    found = partition_box(net, cube(3, 2))
    x = np.random.default_rng(2).uniform(-2, 2, (50_000, 3))
    seen, number = np.unique(patterns_at(net, x), axis=0, return_inverse=True)
    cells = found.locate(x)
    assert len(np.unique(cells)) == len(seen) <= found.n_cells
    assert len(np.unique(np.stack([cells, number]), axis=1).T) == len(seen)
    unseen = np.setdiff1d(np.arange(found.n_cells), cells)
    assert (found.volumes[unseen] < 20 * 4**3 / len(x)).all()  # missed with probability e^-20
    laws(found, net)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_tents_make_cells_whose_facets_many_units_share(depth):
    first, bias = [[2, 0], [4, 0], [0, 2], [0, 4]], [0, -2, 0, -2]
    again = np.array(first) @ [[1, -1, 0, 0], [0, 0, 1, -1]]
    net = layers((first, bias), *[(again, bias)] * (depth - 1), ([[1, -1, 1, -1]], [-0.73]))
    found = partition_box(net, Box([0, 0], [1, 1]))
    side = 2**depth
    assert found.n_cells == side**2
    assert len(found.adjacency) == 2 * side * (side - 1)
    assert np.allclose(found.volumes, 1 / side**2, rtol=1e-9)
    laws(found, net)


def test_triple_points_everywhere():
    """Lines x = i/4, y = i/4, x + y = k/4 on the unit square: 32 triangles."""
    rows = [[4, 0]] * 3 + [[0, 4]] * 3 + [[4, 4]] * 7
    bias = [-1, -2, -3] * 2 + [-k for k in range(1, 8)]
    net = layers((rows, bias), (np.ones((1, 13)), [0]))
    found = partition_box(net, Box([0, 0], [1, 1]))
    assert found.n_cells == 32
    assert np.allclose(found.volumes, 1 / 32, rtol=1e-9)
    laws(found, net)


def test_repeated_units_change_nothing():
    random = np.random.default_rng(3)
    first, bias = random.standard_normal((8, 3)), random.standard_normal(8)
    second, after = random.standard_normal((8, 8)), random.standard_normal(8)
    plain = layers((first, bias), (second, after), (np.ones((1, 8)), [0]))
    copied = layers(
        (np.concatenate([first, 2 * first, -first]), np.concatenate([bias, 2 * bias, -bias])),
        (np.hstack([second, np.zeros((8, 16))]), after),
        (np.ones((1, 8)), [0]),
    )
    once, thrice = (partition_box(one, cube(3, 3)) for one in (plain, copied))
    assert once.n_cells == thrice.n_cells
    assert np.allclose(np.sort(once.volumes), np.sort(thrice.volumes), rtol=1e-9)
    shared = {owners for cell in thrice.cells for owners in cell.owners if len(owners) > 1}
    assert shared == {tuple(("1", unit + 8 * k) for k in range(3)) for unit in range(8)}
    laws(thrice, copied)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "hardtanh"])
def test_small_integers_in_three_dimensions(seed, activation):
    """Equal, parallel and concurrent creases, units that are 0 on whole cells, zero rows."""
    random = np.random.default_rng(seed)
    shapes = [(5, 3), (5, 5), (4, 5), (1, 4)]
    pairs = [(random.integers(-2, 3, s), random.integers(-2, 3, s[0])) for s in shapes]
    net = layers(*pairs, activation=activation)
    found = partition_box(net, cube(3, 4))
    x = random.uniform(-4, 4, (20_000, 3))
    cells = found.locate(x)
    states = found.patterns.states(np.arange(found.n_cells))
    breaks = (-1.0, 1.0) if activation == "hardtanh" else (0.0,)
    for site, values in net.pre_activations(torch.from_numpy(x)).items():
        # exact zeros are flat forms: left of the break
        pieces = sum((values.numpy() > at).astype(int) for at in breaks)
        assert (states[site][cells] == pieces).all()
    laws(found, net)


@pytest.mark.parametrize("seed", range(8))
def test_in_a_plane_it_counts_what_the_exact_cutting_counts(seed):
    random = np.random.default_rng(seed)
    shapes = [(5, 2), (5, 5), (4, 5), (1, 4)]
    net = layers(*((random.integers(-2, 3, s), random.integers(-2, 3, s[0])) for s in shapes))
    found = partition_box(net, cube(2, 3))
    exact = partition(net, hinge.Polygon([[-3, -3], [3, -3], [3, 3], [-3, 3]]))
    assert (found.n_cells, found.n_regions) == (exact.n_cells, exact.n_regions)
    assert np.allclose(np.sort(found.volumes), np.sort(exact.areas), rtol=1e-9)


class Pooled(nn.Module):
    """A max over fours between two layers."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 16), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(nn.functional.max_pool1d(self.first(x)[:, None], 4)[:, 0])


def test_a_maximum_has_a_cell_for_each_set_of_winners():
    torch.manual_seed(1)
    model = Pooled()
    net = network(model, 3)
    found = partition_box(net, cube(3, 2))
    x = np.random.default_rng(4).uniform(-2, 2, (50_000, 3))
    values = model.first(torch.from_numpy(x)).detach().numpy().reshape(-1, 4, 4)
    winners = values.argmax(axis=2) + 4 * np.arange(4)
    cells = found.locate(x)
    for point, cell in zip(winners[:500], cells[:500].tolist(), strict=True):
        assert found.pattern(cell)["max_pool1d"].tolist() == point.tolist()
    assert len(np.unique(winners, axis=0)) == len(np.unique(cells)) <= found.n_cells
    unseen = np.setdiff1d(np.arange(found.n_cells), cells)
    assert (found.volumes[unseen] < 20 * 4**3 / len(x)).all()
    laws(found, net)


def test_the_largest_of_several_inputs_in_a_cube():
    """Who is the largest of three coordinates: three cells, each a third of the cube."""

    class Largest(nn.Module):
        def forward(self, x):
            return x.amax(dim=1, keepdim=True)

    found = partition_box(network(Largest(), 3), cube(3))
    assert found.n_cells == found.n_regions == 3
    assert np.allclose(found.volumes, 8 / 3, rtol=1e-9)
    assert found.adjacency.tolist() == [[0, 1], [0, 2], [1, 2]]


def test_linear_programs_find_what_qhull_finds(monkeypatch):
    net = default(4, 5, 5, 1)
    usual = partition_box(net, cube(4))
    monkeypatch.setattr(room, "QHULL", 0)
    other = partition_box(net, cube(4))
    assert other.complete
    assert other.n_cells == usual.n_cells
    assert len(other.adjacency) == len(usual.adjacency)
    assert sorted(len(c.b) for c in other.cells) == sorted(len(c.b) for c in usual.cells)


def test_nine_dimensions_by_linear_programs():
    net = layers((np.eye(9)[:4], np.zeros(4)), (np.ones((1, 4)), [0]))
    found = partition_box(net, cube(9))
    assert (found.n_cells, len(found.adjacency), found.complete) == (16, 32, True)
    with pytest.raises(UnsupportedError, match="volumes"):
        _ = found.volumes


def test_the_budget_gives_an_honest_part():
    net = default(3, 16, 16, 1)
    whole = partition_box(net, cube(3))
    part = partition_box(net, cube(3), cells=20)
    assert part.n_cells == 20 < whole.n_cells
    assert not part.complete
    assert "at least 20" in str(part)
    assert part.volume_missing > 0.01
    assert (part.adjacency < 20).all()
    assert (part.locate(np.random.default_rng(0).uniform(-1, 1, (200, 3))) == -1).any()
    assert not partition_box(net, cube(3), seconds=1e-9).complete


def test_facets_name_the_units_that_fold_there():
    net = layers(([[1, 0], [0, 1]], [0, -0.5]), ([[1, 1]], [0]))
    found = partition_box(net, cube(2))
    owners = {
        (cell.owners[i], tuple(np.round(cell.A[i], 9)))
        for cell in found.cells
        for i in range(len(cell.b))
    }
    assert ((("1", 0),), (1.0, 0.0)) in owners
    assert ((("1", 1),), (0.0, -1.0)) in owners
    assert ((("lower", 1),), (0.0, -1.0)) in owners
    assert ((("upper", 0),), (1.0, 0.0)) in owners


def test_units_that_never_fold():
    net = layers(([[1, 0], [0, 1], [1, 1]], [0, 5, -5]), ([[1, 1, 1]], [0]))
    found = partition_box(net, cube(2))
    assert found.n_cells == 2
    assert found.never_folds["1"].tolist() == [False, True, True]


def test_regions_join_cells_of_one_map():
    """A unit without an outgoing weight cuts cells, not the function."""
    net = layers(([[1, 0], [0, 1]], [0, 0]), ([[1, 0]], [0]))
    found = partition_box(net, cube(2))
    assert (found.n_cells, found.n_regions) == (4, 2)


def test_a_network_that_is_linear_on_the_box():
    net = layers(([[1, 0]], [7]), ([[1]], [0]))
    found = partition_box(net, cube(2))
    assert (found.n_cells, found.n_regions, len(found.adjacency)) == (1, 1, 0)
    assert found.volumes.tolist() == pytest.approx([4])


def test_a_network_without_activations():
    net = layers(([[1, 0], [0, 3]], [0, 1]))
    found = partition_box(net, cube(2))
    assert (found.n_cells, found.complete, found.certified_cells) == (1, True, 1)
    assert found.affine(0)[0].tolist() == [[1, 0], [0, 3]]
    assert found.pattern(0) == {}


def test_points_outside_and_on_facets():
    net = layers(([[1, 0]], [0]), ([[1]], [0]))
    found = partition_box(net, cube(2))
    outside, on, corner = found.locate([[2, 0], [0, 0], [1, 1]])
    assert outside == -1
    assert on >= 0
    assert corner >= 0


def test_it_shows_itself():
    found = partition_box(default(3, 6, 1), cube(3))
    assert "exists" in found.reason
    assert max(map(len, to_text(found.page(), 80).splitlines())) <= 80
    assert len(found.to_pandas()) == found.n_cells
    values = json.loads(found.to_json())
    assert values["certified_cells"] == len(values["cells"]) == found.n_cells
    assert "<table" in found._repr_html_()


def test_progress_is_told():
    told = []
    partition_box(
        default(2, 8, 1), cube(2), progress=lambda done, total: told.append((done, total))
    )
    assert told[-1][1] is None
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_an_interrupt_keeps_what_was_found():
    def progress(_done, _total):
        raise KeyboardInterrupt

    net = default(3, 10, 10, 1)
    found = partition_box(net, cube(3), progress=progress)
    assert 0 < found.n_cells < partition_box(net, cube(3)).n_cells
    assert not found.complete
    assert found.certified_cells == found.n_cells


def test_mistakes():
    net = default(3, 6, 1)
    for budget in ({"cells": 0}, {"cells": 2.5}, {"seconds": 0}, {"seconds": float("nan")}):
        with pytest.raises(OptionError, match="budget"):
            partition_box(net, cube(3), **budget)
    with pytest.raises(DataError, match="does not fit"):
        partition_box(net, cube(2))
    with pytest.raises(UnsupportedError, match="curved"):
        partition_box(network(nn.Sequential(nn.Linear(2, 2), nn.Tanh()), 2), cube(2))
    with pytest.raises(OptionError, match="no such cell"):
        partition_box(net, cube(3)).affine(10**6)
