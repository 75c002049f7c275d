"""Level sets whose shape is known: lines, rings, plateaus, edges of the mesh."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hand_programs import AROUND, SQUARE, random_program, relu_program
from slow_cells import subdivide
from test_regions_creases import ABS
from test_regions_dissolve import grid

from hinge.regions.plane.levels import level_set
from hinge.regions.programs.evaluation import program_values

DIAMOND = relu_program(ABS, ([[1.0] * 4], [0.0]))
"""|x| + |y|"""


def values(program, mesh):
    return program_values(program, mesh.vertices)[program.output][:, 0]


def lengths(lines):
    return [float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in lines]


def test_a_line_through_a_grid():
    mesh = grid(4)
    found = level_set(mesh, mesh.vertices @ [1.0, 1.0], 0.625)
    (line,) = found.polylines()
    assert lengths([line]) == pytest.approx([0.625 * math.sqrt(2)])
    assert line.sum(axis=1) == pytest.approx(0.625)
    assert len(set(found.cells.tolist())) == len(found.cells) == 5
    assert found.plateaus.size == 0


def test_a_line_through_vertices_cuts_cells_from_corner_to_corner():
    mesh = grid(4)
    found = level_set(mesh, mesh.vertices @ [1.0, -1.0], 0.0)
    (line,) = found.polylines()
    assert sorted(map(tuple, line.tolist())) == [(k / 4, k / 4) for k in range(5)]
    assert len(found.cells) == 4


def test_a_line_along_edges_is_there_once():
    mesh = grid(4)
    found = level_set(mesh, mesh.vertices[:, 0], 0.5)
    (line,) = found.polylines()
    assert sorted(map(tuple, line.tolist())) == [(0.5, k / 4) for k in range(5)]
    assert len(found.cells) == 4


def test_a_ring_about_the_origin():
    mesh = subdivide(DIAMOND, AROUND)
    found = level_set(mesh, values(DIAMOND, mesh), 0.5)
    (ring,) = found.polylines()
    assert (ring[0] == ring[-1]).all()
    assert lengths([ring]) == pytest.approx([4 * math.sqrt(0.5)])


def test_a_touched_point_is_no_segment():
    mesh = subdivide(DIAMOND, AROUND)
    found = level_set(mesh, values(DIAMOND, mesh), 0.0)
    assert len(found.segments) == 0
    assert found.polylines() == []


def test_a_plateau_is_named_and_outlined():
    program = relu_program(([[1.0, 0.0]], [-0.5]), ([[1.0]], [0.0]))  # max(0, x - 1/2)
    mesh = subdivide(program, SQUARE)
    found = level_set(mesh, values(program, mesh), 0.0)
    (plateau,) = found.plateaus.tolist()
    assert mesh.patterns[plateau, 0] == 0
    (line,) = found.polylines()
    assert set(line[:, 0]) == {0.5}


def test_rounding_does_not_scribble_over_a_plateau():
    mesh = grid(8)
    noise = np.random.default_rng(0).uniform(-1, 1, len(mesh.vertices)) * 2.0**-50
    found = level_set(mesh, np.maximum(mesh.vertices[:, 0] - 0.5, 0) + noise, 0.0)
    assert len(found.plateaus) == 32
    assert len(found.segments) == 8


@pytest.mark.parametrize("seed", range(4))
def test_the_network_has_the_level_on_its_level_set(seed):
    program = random_program([8, 6, 1], seed)
    mesh = subdivide(program, AROUND)
    at = values(program, mesh)
    level = float(np.median(at)) + 1 / 64
    found = level_set(mesh, at, level)
    assert len(found.segments)
    middles = found.points[found.segments].mean(axis=1)
    for points in (found.points, middles):
        there = program_values(program, points)[program.output][:, 0]
        assert there == pytest.approx(level, abs=1e-12)
    # Every change of sign between two random points is crossed: the set separates them.
    sides = np.sign(at - level)
    crossed = sides[mesh.edges].prod(axis=1) < 0
    on_edges = len(found.points) - np.isin(found.points, mesh.vertices).all(axis=1).sum()
    assert on_edges == crossed.sum()
