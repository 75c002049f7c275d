"""The cell of a point, checked against the signs of the forms and against plain geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hand_programs import AROUND, SQUARE, random_program, relu_program
from slow_cells import subdivide
from test_regions_dissolve import grid

from hinge.errors import DataError
from hinge.regions.plane.geometry import centroids
from hinge.regions.plane.location import Locator, locate
from hinge.regions.plane.topology import n_cells
from hinge.regions.programs.evaluation import program_values


def patterns_at(program, points):
    """The bits of all forms at points, as the words of a pattern."""
    values = program_values(program, points)
    words = np.zeros((len(points), program.first_words[-1]), np.uint64)
    for fold, first in zip(program.folds, program.first_words, strict=False):
        for number, (column, at) in enumerate(zip(fold.columns, fold.breaks, strict=True)):
            bit = (values[fold.source][:, column] > at).astype(np.uint64)
            words[:, first + number // 64] |= bit << np.uint64(number % 64)
    return words


@pytest.mark.parametrize("seed", range(6))
def test_points_have_the_pattern_of_their_cell(seed):
    program = random_program([8, 6, 1], seed)
    mesh = subdivide(program, AROUND)
    points = np.random.default_rng(seed).uniform(-1, 1, (3000, 2))
    cells = locate(mesh, points)
    assert (mesh.patterns[cells] == patterns_at(program, points)).all()


@pytest.mark.parametrize("seed", range(3))
def test_middles_are_in_their_own_cells(seed):
    mesh = subdivide(random_program([7, 5, 1], seed), AROUND)
    assert (locate(mesh, centroids(mesh)) == np.arange(n_cells(mesh))).all()


def test_a_vertex_belongs_to_one_of_its_cells():
    mesh = grid(4)
    cells = locate(mesh, mesh.vertices)
    for vertex, cell in enumerate(cells.tolist()):
        sides = mesh.sides[mesh.offsets[cell] : mesh.offsets[cell + 1]]
        assert vertex in mesh.edges[sides >> 1]


def test_the_border_belongs_to_the_domain_and_nothing_beyond_it():
    mesh = grid(2)
    near, far = 1.0, np.nextafter(1.0, 2)
    points = [[near, 0.3], [far, 0.3], [0.0, 0.0], [-5e-324, 0.0], [np.nan, 0.5], [0.5, np.inf]]
    assert ((locate(mesh, points) >= 0) == [True, False, True, False, False, False]).all()


def test_a_slanted_border_is_decided_exactly():
    # The hypotenuse from (3, 0) to (0, 1): a third is rounded, so its points are rarely on it.
    program = relu_program(([[1.0, 0.0]], [-1.0]), ([[1.0]], [0.0]))
    mesh = subdivide(program, [(0.0, 0.0), (3.0, 0.0), (0.0, 1.0)])
    y = np.random.default_rng(0).random(200)
    x = 3 * (1 - y)
    from fractions import Fraction  # noqa: PLC0415 - the truth of this test alone

    truth = [Fraction(a) + 3 * Fraction(b) <= 3 for a, b in zip(x, y, strict=True)]
    assert 0 < sum(truth) < 200
    assert ((locate(mesh, np.column_stack((x, y))) >= 0) == truth).all()


def test_a_long_walk_ends_in_the_right_cell():
    # 200 thin strips, and vertices at their ends only: the nearest one is many strips away.
    n = 200
    weight, bias = [[1.0, 0.0]] * (n - 1), [-k / 256 for k in range(1, n)]
    program = relu_program((weight, bias), ([[0.0] * (n - 1)], [0.0]))
    mesh = subdivide(program, [(0.0, 0.0), (1.0, 0.0), (1.0, 64.0), (0.0, 64.0)])
    points = np.random.default_rng(0).random((500, 2)) * [1, 64]
    cells = locate(mesh, points)
    assert (mesh.patterns[cells] == patterns_at(program, points)).all()


def test_the_search_agrees_with_the_walk():
    mesh = subdivide(random_program([8, 6, 1], 1), AROUND)
    points = np.random.default_rng(5).uniform(-1, 1, (100, 2))
    locator = Locator(mesh)
    assert [locator._search(point) for point in points] == locator.locate(points).tolist()


def test_no_points_have_no_cells():
    assert locate(grid(2), np.empty((0, 2))).shape == (0,)


def test_points_of_another_shape_are_an_error():
    with pytest.raises(DataError, match="not points of the plane"):
        locate(subdivide(random_program([2, 1], 0), SQUARE), [1.0, 2.0])
