"""A network along a segment: its pieces, kinks, regions and what follows from them."""

from __future__ import annotations

import numpy as np
import pytest
from regions_sampled import chain, dense, known_chain, network, random_network
from test_regions_maps import varied
from test_regions_patterns import maximum
from torch import nn

from hinge.domains import Segment
from hinge.errors import DataError, FileError, OptionError
from hinge.page import Lines, Table
from hinge.regions.cells.never_folds import NeverFolds
from hinge.regions.line.partition import LinePartition
from hinge.regions.programs.lowering import lower
from hinge.report import to_html, to_text


def line(net, a=(-1.0,), b=(1.0,)):
    segment = Segment(list(a), list(b))
    program = lower(net, segment)
    return LinePartition.of(net, segment, program, chain(program))


def tent():
    """0 up to -1/2, up to 1 at 0, down to 0 at 1/2, on [-1, 1]; and a unit of no use."""
    first = dense([[1.0]] * 3 + [[1.0], [-1.0]], [0.5, 0, -0.5, 3, -3])
    return network(first, nn.ReLU(), dense([[2, -4, 2, 0, 0]]), n_in=1)


@pytest.fixture(scope="module")
def deep():
    net = random_network(4, 24, 24, 2, seed=1)
    rng = np.random.default_rng(0)
    return net, line(net, *rng.normal(0, 4, (2, 4)))


def test_a_tent_has_the_pieces_that_it_is_made_of():
    found = line(tent())
    assert found.points.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.inputs[:, 0].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert found.lengths.tolist() == [0.5] * 4
    assert found.outputs[:, 0].tolist() == [0, 0, 1, 0, 0]
    assert found.slopes[:, 0].tolist() == [0, 4, -4, 0]
    assert (found.n_cells, found.n_regions, found.is_affine) == (4, 4, False)
    assert found.creases("1", 1).tolist() == [0.5]
    assert found.creases("1", 3).tolist() == []
    assert found.never_folds == (NeverFolds("1", 3, "on"), NeverFolds("1", 4, "off"))


def test_the_kinks_of_a_tent():
    found = line(tent()).kinks()
    assert found.t.tolist() == [0.25, 0.5, 0.75]
    assert found.step.tolist() == ["1"] * 3
    assert found.unit.tolist() == [0, 1, 2]
    assert found.before[:, 0].tolist() == [0, 4, -4]
    assert found.after[:, 0].tolist() == [4, -4, 0]
    assert found.jump.tolist() == [4, 8, 4]
    frame = found.to_pandas()
    assert list(frame.columns[:3]) == ["t", "site", "unit"]
    assert frame["slope_after"].tolist() == [4, -4, 0]


def test_level_sets_of_a_tent():
    found = line(tent())
    assert found.level_set(0.5).tolist() == [0.375, 0.625]
    assert found.level_set(1.0).tolist() == [0.5]
    assert found.level_set(0.0).tolist() == [0, 0.25, 0.75, 1]
    assert found.level_set(2.0).tolist() == []
    assert found.decision_points().tolist() == [0, 0.25, 0.75, 1]
    with pytest.raises(OptionError, match="no such output"):
        found.level_set(0, output=1)


def test_pieces_are_affine_and_the_network_is_what_they_say(deep):
    net, found = deep
    assert found.n_cells == found.n_regions > 8
    middle = (found.points[1:] + found.points[:-1]) / 2
    x = found.input_at(middle)
    wanted = net(x)
    for i in range(found.n_cells):
        weights, bias = found.affine(i)
        np.testing.assert_allclose(weights @ x[i] + bias, wanted[i], atol=1e-12)
        np.testing.assert_allclose(weights @ found.direction, found.slopes[i], atol=1e-12)
    np.testing.assert_allclose(found.outputs, net(found.inputs), atol=1e-12)
    assert found.lengths.sum() == pytest.approx(np.linalg.norm(found.direction))


def test_every_change_of_a_pre_activation_s_sign_is_a_kink(deep):
    net, found = deep
    t = np.linspace(0, 1, 20_001)
    given = net.pre_activations(found.input_at(t))
    kinks = found.kinks()
    wanted = []
    for step in net.activations:
        z = given[step.name].numpy()
        wanted += [
            (t[i] + t[i + 1], step.name, unit)
            for i, unit in np.argwhere((z[1:] > 0) != (z[:-1] > 0))
        ]
        for unit in range(z.shape[1]):
            here = (kinks.step == step.name) & (kinks.unit == unit)
            assert found.creases(step.name, unit).tolist() == kinks.t[here].tolist()
    told = zip((2 * kinks.t).tolist(), kinks.step.tolist(), kinks.unit.tolist(), strict=True)
    assert len(wanted) == len(kinks) == found.n_cells - 1
    for one, other in zip(sorted(told), sorted(wanted), strict=True):
        assert one[0] == pytest.approx(other[0], abs=1.1e-4)
        assert one[1:] == (other[1], int(other[2]))


def test_at_a_kink_the_equation_of_its_unit_is_zero(deep):
    _, found = deep
    kinks = found.kinks()
    for i in range(len(kinks)):
        for piece in (int(kinks.point[i]) - 1, int(kinks.point[i])):
            one = found.equation(piece, str(kinks.step[i]), int(kinks.entry[i]))
            x = found.input_at(kinks.t[i])
            assert one.weights[0] * kinks.t[i] + one.bias == pytest.approx(0, abs=1e-12)
            assert one.input_weights @ x + one.input_bias == pytest.approx(0, abs=1e-12)
            assert one.input_weights @ found.direction == pytest.approx(one.weights[0])


def test_patterns_have_the_shapes_of_their_sites():
    net = varied()
    found = line(net, (-1.0, 0.3), (1.0, -0.6))
    t = (found.points[3] + found.points[4]) / 2
    given = net.pre_activations(found.input_at([t]))
    pattern = found.pattern(3)
    assert {one.dtype for one in pattern.values()} == {np.dtype(np.int8), np.dtype(np.int32)}
    for step in net.activations:
        z = given[step.name].numpy()[0]
        low = -0.4 if step.name == "hard" else 0
        np.testing.assert_array_equal(pattern[step.name] > 0, z > low)
    assert found.pattern(-1).keys() == pattern.keys()
    with pytest.raises(OptionError, match="no such cell"):
        found.pattern(found.n_cells)


def test_units_of_a_convolution_are_its_channels():
    net = varied()
    found = line(net, (-1.0, 0.3), (1.0, -0.6))
    kinks = found.kinks()
    site = next(step for step in net.activations if step.name.startswith("leaky"))
    here = kinks.step == site.name
    entries, size = kinks.entry[here], int(np.prod(site.shape))
    np.testing.assert_array_equal(kinks.unit[here], entries // (size // 2))
    every = np.concatenate([found.creases(site.name, unit) for unit in (0, 1)])
    assert set(every.tolist()) == set(kinks.t[here].tolist())


def test_places_and_inputs_are_located(deep):
    _, found = deep
    middle = (found.points[1:] + found.points[:-1]) / 2
    assert found.locate(middle).tolist() == list(range(found.n_cells))
    assert found.locate(x=found.input_at(middle)).tolist() == list(range(found.n_cells))
    assert found.locate(found.points).tolist() == [*range(found.n_cells), found.n_cells - 1]
    assert found.locate([-0.1, 1.1, np.nan]).tolist() == [-1, -1, -1]
    assert found.locate(x=np.full(4, 9.0)) == -1
    with pytest.raises(DataError, match="shape"):
        found.locate(x=np.zeros(3))
    with pytest.raises(DataError, match="either"):
        found.locate()


def test_cells_that_only_losers_cut_are_joined():
    """max(0, x, 7, 5 + x / 2) is 7 on [-1, 1]: one piece, though 0 and x change places."""
    found = line(maximum([[0], [1], [0], [0.5]], [0, 0, 7, 5]))
    assert (found.n_cells, len(found.kinks()), found.is_affine) == (1, 0, True)
    found = line(maximum([[0], [1], [-1], [0.5]], [0, 0, -0.5, -0.25]))
    x = np.linspace(-1, 1, 4001)[:-1] + 1e-5
    winners = np.stack([0 * x, x, -x - 0.5, x / 2 - 0.25]).argmax(0)
    assert found.n_cells == 1 + np.count_nonzero(np.diff(winners)) == 3
    kinks = found.kinks()
    assert kinks.t.tolist() == [0.25, 0.5]
    assert kinks.break_index.tolist() == [-1, -1]
    assert kinks.jump.tolist() == [2, 2]


def test_of_three_values_that_tie_two_kinks_stay_one():
    """max(-x, 0, x) folds at 0 alone, where two matches change at once."""
    found = line(maximum([[-1], [0], [1]], [0, 0, 0]))
    assert found.points.tolist() == [0, 0.5, 1]
    assert found.kinks().jump.tolist() == [4]


def test_regions_join_pieces_of_one_map():
    net = network(dense([[1], [-1]]), nn.ReLU(), dense([[1, -1]]), n_in=1)
    found = line(net)
    assert (found.n_cells, found.n_regions, found.is_affine) == (2, 1, True)
    assert found.region_of.tolist() == [0, 0]
    assert found.kinks().jump.tolist() == [0, 0]
    assert found.kinks().unit.tolist() == [0, 1]


@pytest.mark.parametrize("seed", [1, 2, 11])
def test_decision_points_are_where_the_largest_output_changes(seed):
    rng = np.random.default_rng(seed)
    first = dense(rng.normal(size=(9, 1)).tolist(), rng.normal(size=9).tolist())
    last = dense(rng.normal(size=(20, 9)).tolist(), (3 * rng.normal(size=20)).tolist())
    net = network(first, nn.ReLU(), last, n_in=1)
    found = line(net, (-3.0,), (3.0,))
    t = np.linspace(0, 1, 200_001)
    best = net(found.input_at(t)).argmax(1)
    wanted = t[np.flatnonzero(best[1:] != best[:-1])]
    assert len(wanted) > 1
    np.testing.assert_allclose(found.decision_points(), wanted, atol=6e-6)


def test_an_output_that_leads_within_a_piece_only_is_found():
    """-x, x and 1/4: on the one piece of [-1, 1] the constant leads in the middle."""
    found = line(network(dense([[-1], [1], [0], [0]], [0, 0, 0.25, 0.25]), n_in=1))
    assert found.n_cells == 1
    assert found.decision_points().tolist() == [0.375, 0.625]


def test_the_page_shows_curves_and_kinks(deep):
    _, found = deep
    page = found.page()
    curves, table = (
        next(one for one in page.blocks if isinstance(one, kind)) for kind in (Lines, Table)
    )
    assert len(curves.lines) == 2
    assert len(table.rows) == len(found.kinks())
    assert f"{found.n_cells} cells" in page.summary
    assert "linear regions" in to_text(page)
    assert "<svg" in to_html(page)
    assert str(found.n_cells) in repr(found)
    assert found.to_pandas()["region"].nunique() == found.n_regions


class Canvas:
    def __init__(self):
        self.drawn = []

    def plot(self, x, y):
        self.drawn.append((x, y))

    def axvline(self, at, **_):
        self.drawn.append(at)

    def set_xlabel(self, text): ...

    def set_ylabel(self, text): ...


def test_plotting_needs_nothing_but_axes():
    canvas = Canvas()
    found = line(tent())
    assert found.plot(canvas) is canvas
    (x, y), *marks = canvas.drawn
    assert x.tolist() == found.points.tolist()
    assert y[:, 0].tolist() == [0, 0, 1, 0, 0]
    assert marks == [0.25, 0.5, 0.75]


def test_what_is_written_is_read_back():
    found = line(varied(), (-1.0, 0.3), (1.0, -0.6))
    again = LinePartition.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert again.points.tolist() == found.points.tolist()
    assert again.n_regions == found.n_regions
    assert again.kinks().to_pandas().equals(found.kinks().to_pandas())
    for ours, theirs in zip(found.affine(5), again.affine(5), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert again.never_folds == found.never_folds


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"output": ', '"output": 99'),
        ('"label_sets": [[', '"label_sets": [[9999, '),
        ('"kind": "Bend"', '"kind": "Fold"'),
        ('"input_shape": [1', '"input_shape": [7'),
        ('"patterns": "', '"patterns": "AAAA'),
        ('"forms": [0', '"forms": [900'),
        ('"entries": [0', '"entries": [77'),
        ('"target": 1', '"target": -1'),
        ('"shape": [5]', '"shape": [4]'),
        ('"winner": false', '"winner": [1, {}]'),
    ],
)
def test_a_spoiled_text_is_refused(old, new):
    text = line(tent()).to_json()
    assert old in text
    with pytest.raises(FileError):
        LinePartition.from_json(text.replace(old, new, 1))


def test_wrong_names_are_told(deep):
    _, found = deep
    with pytest.raises(OptionError, match="no such site"):
        found.creases("9", 0)
    with pytest.raises(OptionError, match="no such unit"):
        found.creases("1", 24)


def sawtooth(depth):
    """g(x) = relu(2 x) - relu(4 x - 2) again and again: 2^depth pieces at k / 2^depth."""
    layers = [dense([[2.0], [4.0]], [0, -2]), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [dense([[2, -2], [4, -4]], [0, -2]), nn.ReLU()]
    return network(*layers, dense([[1, -1]]), n_in=1)


def test_a_sawtooth_has_its_teeth_to_the_bit():
    found = line(sawtooth(3), (0.0,), (1.0,))
    assert found.n_cells == found.n_regions == 2**3
    assert (found.points * 2**3).tolist() == list(range(2**3 + 1))
    assert found.slopes[:, 0].tolist() == [8, -8] * 4


def test_many_teeth_are_all_found():
    depth = 14
    net, segment = sawtooth(depth), Segment([0.0], [1.0])
    program = lower(net, segment)
    points = np.arange(2**depth + 1) / 2**depth
    found = LinePartition.of(net, segment, program, known_chain(program, points))
    assert found.n_cells == found.n_regions == 2**depth
    assert (found.slopes[:, 0] == np.tile([2.0**depth, -(2.0**depth)], 2 ** (depth - 1))).all()
    assert found.kinks().t.tolist() == points[1:-1].tolist()
    assert found.level_set(0.5).tolist() == ((points[1:] + points[:-1]) / 2).tolist()
    assert len(found.page().blocks[1].rows) < 2000
