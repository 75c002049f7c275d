"""Cells joined across edges: squares whose answer is plain, and maxima with known cells."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hand_programs import AROUND, SQUARE, max_program, relu_program
from slow_cells import subdivide
from torch import nn

from hinge.network import read
from hinge.regions.plane.canonical import canonical
from hinge.regions.plane.dissolve import dissolve
from hinge.regions.plane.geometry import areas, centroids
from hinge.regions.plane.topology import n_cells
from hinge.regions.programs.lowering import lower


def grid(n):
    """The unit square cut into n x n cells by lines at k/n; relu0 holds their forms."""
    cuts = [-k / n for k in range(1, n)]
    weight = [[1.0, 0.0]] * (n - 1) + [[0.0, 1.0]] * (n - 1)
    return subdivide(relu_program((weight, cuts * 2), ([[0.0] * len(weight)], [0.0])), SQUARE)


def on(mesh, mark):
    """Whether each edge carries the mark."""
    has = np.array([mark in marks for marks in mesh.label_sets])
    return has[mesh.labels]


def whole(mesh):
    """The laws of any mesh: Euler's formula, loops that close, each side used once."""
    assert len(mesh.vertices) - len(mesh.edges) + n_cells(mesh) == 1
    assert len(np.unique(mesh.sides)) == len(mesh.sides)
    assert set(np.unique(mesh.edges)) == set(range(len(mesh.vertices)))
    for begin, end in zip(mesh.offsets[:-1], mesh.offsets[1:], strict=True):
        sides = mesh.sides[begin:end]
        starts = mesh.edges[sides >> 1, sides & 1]
        ends = mesh.edges[sides >> 1, 1 - (sides & 1)]
        assert (np.roll(starts, -1) == ends).all()


def test_nothing_removed_is_the_mesh_itself():
    mesh = grid(3)
    same, cell_of = dissolve(mesh, np.ones(len(mesh.edges), bool))
    assert same is mesh
    assert (cell_of == np.arange(9)).all()


def test_a_whole_line_removed_joins_the_cells_beside_it():
    mesh = grid(2)
    joined, cell_of = dissolve(mesh, ~on(mesh, 0))  # the line x = 1/2
    whole(joined)
    assert n_cells(joined) == 2
    assert len(joined.vertices) == 6  # the middle of the line y = 1/2 is no vertex any more
    assert len(joined.edges) == 7
    assert areas(joined) == pytest.approx([0.5, 0.5])
    assert np.bincount(cell_of).tolist() == [2, 2]
    assert {joined.label_sets[k] for k in joined.labels} == {(-1,), (-2,), (-3,), (-4,), (1,)}


def test_all_removed_leaves_the_polygon():
    mesh = grid(4)
    joined, cell_of = dissolve(mesh, np.zeros(len(mesh.edges), bool))
    whole(joined)
    assert (cell_of == 0).all()
    assert len(joined.edges) == len(joined.vertices) == 4
    assert areas(joined).tolist() == [1.0]


def test_one_edge_removed_leaves_the_corner_that_others_need():
    mesh = grid(2)
    keep = np.ones(len(mesh.edges), bool)
    keep[np.flatnonzero(on(mesh, 0))[0]] = False
    joined, _ = dissolve(mesh, keep)
    whole(joined)
    # The centre is still the end of an edge; the border loses one vertex.
    assert (len(joined.vertices), len(joined.edges), n_cells(joined)) == (8, 10, 3)
    assert sorted(areas(joined)) == [0.25, 0.25, 0.5]


def test_edges_kept_inside_a_joined_cell_go_too():
    mesh = grid(2)
    inner = np.flatnonzero(on(mesh, 0) | on(mesh, 1))
    keep = np.ones(len(mesh.edges), bool)
    keep[inner[:3]] = False  # all four cells are joined over three of the four edges
    joined, _ = dissolve(mesh, keep)
    whole(joined)
    assert n_cells(joined) == 1


def test_halves_of_different_labels_stay_apart():
    mesh = grid(2)
    labels = mesh.labels.copy()
    labels[np.flatnonzero(on(mesh, 1))[0]] = len(mesh.label_sets)  # one half of y = 1/2
    mesh = replace(mesh, labels=labels, label_sets=(*mesh.label_sets, (1, 7)))
    joined, _ = dissolve(mesh, ~on(mesh, 0))
    whole(joined)
    assert (len(joined.vertices), len(joined.edges)) == (7, 8)


def test_a_maximum_of_two_is_already_canonical():
    program = max_program([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])
    mesh = subdivide(program, SQUARE)
    assert n_cells(canonical(mesh, program)) == n_cells(mesh) == 2


def test_without_a_maximum_the_mesh_is_returned():
    program = relu_program(([[1.0, 0.0]], [-0.5]), ([[1.0]], [0.0]))
    mesh = subdivide(program, SQUARE)
    assert canonical(mesh, program) is mesh


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [0, 2, 4, 1, 3]])
def test_the_winners_of_a_maximum_are_its_cells(order):
    # max(x, y, -x, -y, 1/4) on [-1, 1]^2: a square of side 1/2, and four trapezia around it.
    rows = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [0, 0]], float)
    heights = np.array([0, 0, 0, 0, 0.25])
    program = max_program(rows[order], heights[order])
    mesh = subdivide(program, AROUND)
    found = canonical(mesh, program)
    whole(found)
    assert n_cells(mesh) > n_cells(found) == 5
    assert sorted(areas(found)) == pytest.approx([0.25] + [0.9375] * 4)
    assert len(np.unique(found.patterns, axis=0)) == 5
    assert (len(found.vertices), len(found.edges)) == (8, 12)


def test_a_loser_that_never_wins_leaves_no_trace():
    # Of x, y and -5 the last never wins; x against y is all there is.
    rows, heights = [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], [0.0, -5.0, 0.0]
    program = max_program(rows, heights)
    found = canonical(subdivide(program, AROUND), program)
    assert n_cells(found) == 2
    assert sorted(areas(found)) == [2.0, 2.0]


@pytest.mark.parametrize("seed", range(4))
def test_winners_at_random_are_counted_by_sampling(seed):
    rng = np.random.default_rng(seed)
    rows, heights = rng.integers(-8, 9, (7, 2)) / 8, rng.integers(-4, 5, 7) / 32
    program = max_program(rows, heights)
    found = canonical(subdivide(program, AROUND), program)
    whole(found)
    assert areas(found).sum() == pytest.approx(4)
    winners = (centroids(found) @ rows.T + heights).argmax(1)
    assert len(np.unique(winners)) == len(winners)
    sampled = (rng.uniform(-1, 1, (4000, 2)) @ rows.T + heights).argmax(1)
    assert set(sampled) <= set(winners)


@pytest.mark.parametrize("seed", range(3))
def test_windows_that_overlap_share_their_matches(seed):
    # Five values, three windows of three: the cells are those of the three winners.
    torch.manual_seed(seed)
    first = nn.Linear(2, 5)
    with torch.no_grad():
        first.weight.copy_((first.weight * 8).round() / 8)
        first.bias.copy_((first.bias * 8).round() / 8)
    pool = nn.Sequential(nn.Unflatten(1, (1, 5)), nn.MaxPool1d(3, stride=1), nn.Flatten())
    model = nn.Sequential(first, pool, nn.Linear(3, 1))
    plane = SimpleNamespace(
        dimension=2, corners=np.array(AROUND), embedding=lambda shape: (np.eye(2), np.zeros(2))
    )
    program = lower(read(model, example=torch.zeros(1, 2)), plane)
    mesh = subdivide(program, AROUND)
    found = canonical(mesh, program)
    whole(found)
    assert areas(found).sum() == pytest.approx(4)

    def winners(points):
        values = points @ first.weight.detach().double().numpy().T + first.bias.detach().numpy()
        return np.column_stack([k + values[:, k : k + 3].argmax(1) for k in range(3)])

    inside = winners(centroids(found))
    assert len(np.unique(inside, axis=0)) == n_cells(found)
    sampled = winners(np.random.default_rng(seed).uniform(-1, 1, (4000, 2)))
    assert set(map(tuple, sampled)) <= set(map(tuple, inside))
    assert n_cells(mesh) >= n_cells(found)
