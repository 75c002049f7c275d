"""Decision boundaries whose course is known, and the laws of any: who wins where."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hand_programs import AROUND, SQUARE, random_program, relu_program
from slow_cells import subdivide
from test_regions_creases import ABS
from test_regions_dissolve import grid

from hinge.errors import DataError
from hinge.regions.plane.boundary import decision_boundary
from hinge.regions.plane.location import locate
from hinge.regions.programs.evaluation import program_values


def outputs(program, points):
    return program_values(program, points)[program.output]


def length(points):
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def pieces(found):
    """Cell, class and polygon of each piece."""
    all_ = found.pieces()
    assert all_.areas == pytest.approx([area(polygon) for polygon in all_.polygons()])
    return list(zip(all_.cells.tolist(), all_.classes.tolist(), all_.polygons(), strict=True))


def area(polygon):
    x, y = (polygon - polygon[0]).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def plain(corners=AROUND):
    """A mesh of one cell."""
    program = relu_program(([[1.0, 0.0]], [-9.0]), ([[0.0]], [0.0]))
    return subdivide(program, corners)


def test_two_classes_meet_on_a_line_across_a_grid():
    mesh = grid(4)
    x, y = mesh.vertices.T
    found = decision_boundary(mesh, np.column_stack((x, 0.625 - y)))
    (line,) = found.borders()
    assert line.classes == (0, 1)
    assert length(line.points) == pytest.approx(0.625 * math.sqrt(2))
    assert len(line.segments) == len(found.segments) == 5
    assert found.sentences() == []


def test_three_classes_meet_at_a_point_inside_a_cell():
    mesh = plain()
    angles = np.array([0.1, 2.3, 4.4])
    directions = np.column_stack((np.cos(angles), np.sin(angles)))
    found = decision_boundary(mesh, mesh.vertices @ directions.T)
    assert found.classes.tolist() == [[0, 1], [0, 2], [1, 2]]
    for ends in found.segments:
        assert np.abs(ends).sum(axis=1).min() < 1e-15  # one end is the origin
        assert np.abs(ends).max() == pytest.approx(1)  # the other one is on the border
    parts = pieces(found)
    assert sorted(label for _, label, _ in parts) == [0, 1, 2]
    assert sum(area(polygon) for *_, polygon in parts) == pytest.approx(4)
    assert found.winners.tolist() == [-1]


def test_a_class_that_wins_at_no_corner_is_found_inside():
    # |x| against 1/2: in the mesh of x = 0 the second class is a strip about it.
    mesh = plain()
    x = mesh.vertices[:, 0]
    found = decision_boundary(mesh, np.column_stack((x, -x, np.full(len(x), 0.5))))
    assert sorted(map(tuple, found.classes.tolist())) == [(0, 2), (1, 2)]
    assert sorted({abs(a) for a in found.segments[..., 0].ravel().tolist()}) == [0.5]


def test_a_boundary_along_an_edge_is_there_once():
    # max(0, x) against max(0, -x): they are equal on the edge x = 0 alone.
    program = relu_program(([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0]), (np.eye(2), [0.0, 0.0]))
    mesh = subdivide(program, AROUND)
    found = decision_boundary(mesh, outputs(program, mesh.vertices))
    (line,) = found.borders()
    assert set(line.points[:, 0]) == {0.0}
    assert length(line.points) == 2
    assert found.n_inside == 0
    assert (found.winners >= 0).all()


def test_a_tie_on_a_whole_cell_is_said_in_words():
    # max(0, x) against 0: equal on the left, where the first class counts.
    program = relu_program(([[1.0, 0.0]], [0.0]), ([[0.0], [1.0]], [0.0, 0.0]))
    mesh = subdivide(program, AROUND)
    found = decision_boundary(mesh, outputs(program, mesh.vertices))
    (line,) = found.borders()
    assert set(line.points[:, 0]) == {0.0}
    (sentence,) = found.sentences()
    assert "classes 0 and 1 are equal" in sentence
    assert "1 cell;" in sentence
    assert mesh.patterns[found.ties[0, 0], 0] == 0


def test_classes_equal_everywhere_have_no_boundary():
    mesh = grid(3)
    found = decision_boundary(mesh, np.ones((len(mesh.vertices), 3)))
    assert found.borders() == []
    assert (found.winners == 0).all()
    assert len(found.sentences()) == 2


def test_of_a_single_output_the_sign_decides():
    program = relu_program(ABS, ([[1.0] * 4], [-0.5]))
    mesh = subdivide(program, AROUND)
    found = decision_boundary(mesh, outputs(program, mesh.vertices))
    (ring,) = found.borders()
    assert (ring.points[0] == ring.points[-1]).all()
    assert length(ring.points) == pytest.approx(4 * math.sqrt(0.5))
    inner = sum(area(polygon) for _, label, polygon in pieces(found) if label == 0)
    assert inner == pytest.approx(0.5)


def test_two_that_touch_along_an_edge_without_a_change_have_no_boundary_there():
    # |x| against 0 and y: on x = 0 the first two are equal, and the first wins on both sides.
    rows = [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    program = relu_program(
        ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], [0.0, 0.0, 2.0]), (rows, [0.0, 0.0, -2.0])
    )
    mesh = subdivide(program, AROUND)
    found = decision_boundary(mesh, outputs(program, mesh.vertices))
    assert {line.classes for line in found.borders()} == {(0, 2)}


def test_of_equal_classes_the_first_alone_is_drawn():
    mesh = plain()
    x = mesh.vertices[:, 0]
    found = decision_boundary(mesh, np.column_stack((x, x, -x)))
    assert found.classes.tolist() == [[0, 2]]


def test_part_of_an_edge_may_be_boundary():
    # Left of x = 0 class 0, right of it class 1, but class 2 above y = 1/4 on both sides.
    rows = [[-1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]
    program = relu_program(
        ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], [0.0, 0.0, 2.0]), (rows, [0.0, 0.0, -2.25])
    )
    mesh = subdivide(program, AROUND)
    found = decision_boundary(mesh, outputs(program, mesh.vertices))
    middle = [line for line in found.borders() if line.classes == (0, 1)]
    (line,) = middle
    assert line.points.tolist() in ([[0.0, -1.0], [0.0, 0.25]], [[0.0, 0.25], [0.0, -1.0]])


@pytest.mark.parametrize("seed", range(8))
def test_winners_and_pieces_agree_with_argmax(seed):
    program = random_program([8, 6, 5], seed)
    mesh = subdivide(program, AROUND)
    found = decision_boundary(mesh, outputs(program, mesh.vertices))
    points = np.random.default_rng(seed).uniform(-1, 1, (3000, 2))
    truth = outputs(program, points).argmax(1)
    cells = locate(mesh, points)
    winners = found.winners[cells]
    assert (winners == truth)[winners >= 0].all()
    crossed = {}
    for cell, label, polygon in pieces(found):
        crossed.setdefault(cell, []).append((label, polygon))
    assert sorted(crossed) == np.flatnonzero(found.winners == -1).tolist()
    for cell, parts in crossed.items():
        loop = mesh.sides[mesh.offsets[cell] : mesh.offsets[cell + 1]]
        whole = area(mesh.vertices[mesh.edges[loop >> 1, loop & 1]])
        assert sum(area(polygon) for _, polygon in parts) == pytest.approx(whole)
        for point, label in zip(points[cells == cell], truth[cells == cell], strict=True):
            held = [other for other, polygon in parts if _holds(polygon, point)]
            assert label in held


@pytest.mark.parametrize("seed", range(8))
def test_the_two_classes_of_a_border_are_equal_and_largest_on_it(seed):
    program = random_program([8, 6, 5], seed)
    mesh = subdivide(program, AROUND)
    found = decision_boundary(mesh, outputs(program, mesh.vertices))
    shares = np.linspace(0, 1, 5)[:, None, None]
    start, end = found.segments[:, 0], found.segments[:, 1]
    for points in start + shares * (end - start):
        at = outputs(program, points)
        pair = np.take_along_axis(at, found.classes, axis=1)
        assert pair == pytest.approx(np.repeat(at.max(1)[:, None], 2, axis=1), abs=1e-12)
    joined = sum(len(line.segments) for line in found.borders())
    assert joined == len(found.segments)


@pytest.mark.parametrize("seed", range(8))
def test_a_straight_walk_changes_class_where_it_meets_the_boundary(seed):
    program = random_program([8, 6, 4], seed)
    mesh = subdivide(program, AROUND)
    found = decision_boundary(mesh, outputs(program, mesh.vertices))
    rng = np.random.default_rng(seed)
    for _ in range(20):
        a, b = rng.uniform(-1, 1, (2, 2))
        along = b - a
        side = (found.segments - a) @ np.array([-along[1], along[0]])
        met = np.flatnonzero(side[:, 0] * side[:, 1] < 0)
        start, end = found.segments[met, 0], found.segments[met, 1]
        share = (side[met, 0] / (side[met, 0] - side[met, 1]))[:, None]
        places = np.sort((start + share * (end - start) - a) @ along / (along @ along))
        stops = np.concatenate(([0], places[(places > 0) & (places < 1)], [1]))
        middles = a + (stops[1:] + stops[:-1])[:, None] / 2 * along
        classes = outputs(program, middles).argmax(1)
        assert (classes[1:] != classes[:-1]).all()
        for low, high, label in zip(stops[:-1], stops[1:], classes, strict=True):
            inner = a + (low + (high - low) * np.linspace(0.01, 0.99, 9))[:, None] * along
            assert (outputs(program, inner).argmax(1) == label).all()


def _holds(polygon, point):
    along, off = np.roll(polygon, -1, axis=0) - polygon, point - polygon
    return (along[:, 0] * off[:, 1] - along[:, 1] * off[:, 0] >= -1e-12).all()


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((3, 2)), np.full((4, 2), np.nan)])
def test_values_that_do_not_fit_are_an_error(values):
    with pytest.raises(DataError, match="no decision boundary"):
        decision_boundary(plain(SQUARE), values)
