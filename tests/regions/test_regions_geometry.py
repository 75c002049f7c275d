"""Areas, middles, neighbours and loops of meshes of which they are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hand_programs import AROUND, random_program, relu_program
from slow_cells import subdivide
from test_regions_dissolve import grid

from hinge.regions.plane.geometry import area_of_domain, areas, centroids
from hinge.regions.plane.polygons import Cells
from hinge.regions.plane.topology import cells_of_edges, n_cells, neighbours, outer_edges


def test_squares_have_their_areas_and_middles():
    mesh = grid(4)
    assert areas(mesh).tolist() == [1 / 16] * 16
    middles = {(x, y) for x, y in centroids(mesh).tolist()}
    assert middles == {(a / 8, b / 8) for a in (1, 3, 5, 7) for b in (1, 3, 5, 7)}
    assert area_of_domain(mesh) == 1.0


def test_the_middle_of_a_triangle_is_the_mean_of_its_corners():
    # Cut by y = 1/2: a triangle above and a trapezium below, with centroids as in any table.
    program = relu_program(([[0.0, 1.0]], [-0.5]), ([[0.0]], [0.0]))
    mesh = subdivide(program, [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    above = int(np.flatnonzero(mesh.patterns[:, 0])[0])
    assert centroids(mesh)[above] == pytest.approx([1 / 6, 2 / 3])
    # The trapezium has parallel sides 1 and 1/2 and height 1/2: h (a + 2b) / 3 (a + b).
    assert centroids(mesh)[1 - above, 1] == pytest.approx(0.5 * (1 + 2 * 0.5) / (3 * 1.5))
    assert areas(mesh)[[above, 1 - above]] == pytest.approx([1 / 8, 3 / 8])


def test_a_straight_corner_changes_no_middle():
    # The half right of x = 1/2 is cut again at y = 1/2: the left half gets a corner there.
    first = ([[1.0, 0.0], [0.0, 1.0]], [-0.5, 1.0])
    program = relu_program(first, ([[4.0, 1.0]], [-1.75]), ([[0.0]], [0.0]))
    mesh = subdivide(program, [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    assert areas(mesh).sum() == pytest.approx(1)
    moments = (areas(mesh)[:, None] * centroids(mesh)).sum(axis=0)
    assert moments == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("seed", range(5))
def test_cells_fill_the_domain_and_share_its_middle(seed):
    mesh = subdivide(random_program([8, 6, 1], seed), AROUND)
    assert areas(mesh).sum() == pytest.approx(4)
    assert area_of_domain(mesh) == pytest.approx(4)
    assert np.abs((areas(mesh)[:, None] * centroids(mesh)).sum(axis=0)).max() < 1e-14


def test_a_tiny_cell_far_away_keeps_its_digits():
    mesh = grid(2)
    far = np.array([2.0**20, -(2.0**20)])
    moved = replace(mesh, vertices=mesh.vertices * 2.0**-30 + far)
    assert areas(moved).tolist() == [2.0**-62] * 4
    assert area_of_domain(moved) == 2.0**-60


def test_a_cell_that_rounding_flattened_has_no_area_and_a_middle_on_it():
    mesh = grid(2)
    flat = replace(mesh, vertices=mesh.vertices * [1.0, 0.0])
    assert areas(flat).tolist() == [0.0] * 4
    assert set(centroids(flat)[:, 0]) == {0.25, 0.75}
    assert math.isfinite(centroids(flat).sum())


def test_neighbours_share_a_side():
    mesh = grid(3)
    pairs, edges = neighbours(mesh)
    assert len(pairs) == 12
    middles = centroids(mesh)
    assert np.abs(middles[pairs[:, 0]] - middles[pairs[:, 1]]).sum(axis=1) == pytest.approx(1 / 3)
    between = mesh.vertices[mesh.edges[edges]].mean(axis=1)
    assert between == pytest.approx(middles[pairs].mean(axis=1))
    assert len(outer_edges(mesh)) == 12
    assert not set(outer_edges(mesh)) & set(edges)


def test_the_left_cell_is_left_of_the_edge():
    mesh = subdivide(random_program([6, 4, 1], 0), AROUND)
    start, end = np.moveaxis(mesh.vertices[mesh.edges], 1, 0)
    for column, sign in ((0, 1), (1, -1)):
        cell = cells_of_edges(mesh)[:, column]
        there = cell >= 0
        along, off = (end - start)[there], centroids(mesh)[cell[there]] - start[there]
        assert (sign * (along[:, 0] * off[:, 1] - along[:, 1] * off[:, 0]) > 0).all()


def test_cells_are_polygons_in_a_read_only_sequence():
    mesh = grid(2)
    cells = Cells(mesh)
    assert len(cells) == n_cells(mesh) == 4
    assert all(polygon.shape == (4, 2) for polygon in cells)
    assert (cells[-1] == cells[3]).all()
    assert [polygon.tolist() for polygon in cells[1:3]] == [cells[1].tolist(), cells[2].tolist()]
    assert (cells[0] == mesh.vertices[cells.loop(0)]).all()
    with pytest.raises(IndexError):
        cells[4]
    with pytest.raises(TypeError):
        cells[0] = cells[1]
