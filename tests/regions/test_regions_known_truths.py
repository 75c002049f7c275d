"""Counts of cells that are known: closed forms, published tables, other programs' answers."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from known_networks import (
    COUNTED,
    UNIT_SQUARE,
    default_network,
    layers_of,
    square,
    tent,
    triangles,
    with_copies,
    zaslavsky,
    zaslavsky_count,
)
from partition_checks import assert_as_reference, assert_sound, counts, cut
from slow_networks import RELU, Layers, dense, module_of

import hinge


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 7])
def test_a_tent_has_4_to_its_depth_equal_squares(depth: int) -> None:
    found = cut(tent(depth), UNIT_SQUARE)
    side = 2**depth
    assert counts(found) == ((side + 1) ** 2, 2 * side * (side + 1), side**2)
    assert set(found.areas.tolist()) == {4.0**-depth}
    ticks = np.arange(side + 1) / side
    grid = {(x, y) for x in ticks.tolist() for y in ticks.tolist()}
    assert set(map(tuple, found.vertices.tolist())) == grid
    assert found.certified


def test_neighbouring_squares_of_a_tent_have_different_maps() -> None:
    found = cut(tent(4), UNIT_SQUARE)
    assert found.n_regions == found.n_cells == 256


@pytest.mark.parametrize("m", [2, 4, 8, 16])
def test_a_triangular_grid_has_2_m_squared_cells(m: int) -> None:
    found = cut(triangles(m), UNIT_SQUARE)
    assert counts(found) == ((m + 1) ** 2, 3 * m**2 + 2 * m, 2 * m**2)
    np.testing.assert_allclose(found.areas, 0.5 / m**2, rtol=1e-12)
    assert all(len(cell) == 3 for cell in found.cells)


@pytest.mark.parametrize(("n", "reach"), [(10, 1e5), (32, 1e4), (32, 1e6), (128, 1e6)])
def test_lines_in_general_position_make_zaslavskys_count(n: int, reach: float) -> None:
    layers = zaslavsky(n)
    assert farthest_crossing(layers) < reach
    found = cut(layers, square(reach))
    assert found.n_cells == zaslavsky_count(n)
    # Each line ends at two points of the square's sides, and meets each other line once.
    crossings = n * (n - 1) // 2
    assert counts(found)[:2] == (4 + 2 * n + crossings, 4 + 2 * n + n + 2 * crossings)


def farthest_crossing(layers: Layers) -> float:
    weight = np.array(layers[0].weight, dtype=float)
    bias = np.array(layers[0].bias, dtype=float)
    pairs = combinations(range(len(bias)), 2)
    crossings = [np.linalg.solve(weight[[i, j]], -bias[[i, j]]) for i, j in pairs]
    return float(np.abs(crossings).max())


@pytest.mark.parametrize("n", [2, 3, 7, 20])
def test_lines_through_one_point_make_a_star(n: int) -> None:
    slopes = [[1, i] for i in range(n)]
    layers = (dense(slopes, [0] * n), RELU, dense([[1] * n], [0]))
    found = cut(layers, square(1))
    # The second line, x + y = 0, ends in two corners of the square.
    around = 4 + 2 * n - 2
    assert counts(found) == (1 + around, 2 * n + around, 2 * n)


def test_parallel_lines_make_a_chessboard() -> None:
    rows, columns = 9, 5
    weight = [[1, 0]] * columns + [[0, -2]] * rows
    bias = [-i / 4 for i in range(-2, 3)] + [i / 8 for i in range(-4, 5)]
    found = cut((dense(weight, bias), RELU, dense([[1] * 14], [0])), square(1))
    assert found.n_cells == (columns + 1) * (rows + 1)


@pytest.mark.parametrize("seed", range(8))
def test_integer_lines_obey_the_formula_of_arrangements(seed: int) -> None:
    # Whole plane: cells = 1 + lines + the sum of (lines through it - 1) over crossing points.
    random = np.random.default_rng(seed)
    weight = random.integers(-3, 4, (14, 2))
    bias = random.integers(-4, 5, 14)
    layers = (dense(weight.tolist(), bias.tolist()), RELU, dense([[1] * 14], [0]))
    lines = {normal(w, b) for w, b in zip(weight.tolist(), bias.tolist(), strict=True) if any(w)}
    through = Counter(
        point
        for point in {meet(p, q) for p, q in combinations(lines, 2)} - {None}
        for a, b, c in lines
        if a * point[0] + b * point[1] + c == 0
    )
    found = cut(layers, square(1000))
    assert found.n_cells == 1 + len(lines) + sum(count - 1 for count in through.values())


def normal(weight: list[int], bias: int) -> tuple[Fraction, ...]:
    scale = next(w for w in weight if w)
    return tuple(Fraction(one, scale) for one in (*weight, bias))


def meet(p: tuple[Fraction, ...], q: tuple[Fraction, ...]) -> tuple[Fraction, ...] | None:
    area = p[0] * q[1] - p[1] * q[0]
    if not area:
        return None
    return (p[1] * q[2] - p[2] * q[1]) / area, (p[2] * q[0] - p[0] * q[2]) / area


@pytest.mark.parametrize("name", COUNTED)
def test_default_networks_have_the_counts_of_four_programs(name: str) -> None:
    wanted = COUNTED[name]
    network = default_network(wanted.hidden, wanted.seed)
    found = hinge.partition(network, hinge.Polygon(square(1)), threads=1)
    assert counts(found) == (wanted.vertices, wanted.edges, wanted.cells[-1])
    assert found.n_regions == found.n_cells  # so found on all of them by its affine maps
    assert_sound(found, network, 4)


@pytest.mark.parametrize("name", ["3x32, seed 0", "3x32, seed 1"])
def test_default_networks_have_these_counts_after_each_layer(name: str) -> None:
    wanted = COUNTED[name]
    layers = layers_of(default_network(wanted.hidden, wanted.seed))
    for depth, cells in enumerate(wanted.cells, 1):
        assert cut(layers[: 2 * depth], square(1)).n_cells == cells


COPIES = {
    "duplicates": [1],
    "multiples and negatives": [2, -1],
    "powers of two": [0.25, -1024, 2.0**-40],
    "zero rows": [0],
    "all of them": [2, -1, 1, 0, -0.5],
}


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize("seed", [0, 1])
def test_copies_of_units_cut_nothing(kind: str, seed: int) -> None:
    layers = layers_of(default_network((16, 16), seed))
    wanted = cut(layers, square(1))
    for position in (0, 2):
        copied = with_copies(layers, position, COPIES[kind])
        found = cut(copied, square(1))
        assert counts(found) == counts(wanted)
        assert found.n_regions == wanted.n_regions
        np.testing.assert_allclose(np.sort(found.areas), np.sort(wanted.areas), rtol=1e-9)


@pytest.mark.parametrize("seed", [0, 1])
def test_default_networks_of_two_layers_agree_with_the_reference(seed: int) -> None:
    layers = layers_of(default_network((16, 16), seed))
    found = cut(layers, square(1))
    assert_as_reference(found, layers, square(1))
    assert_sound(found, module_of(layers), 4)


def test_a_network_that_folds_nowhere_is_one_cell() -> None:
    affine, positive, zero = dense([[1, 2]], [3]), dense([[1, 1]], [9]), dense([[0, 0]], [0])
    for layers in ((affine,), (positive, RELU), (zero, RELU)):
        found = cut(layers, square(1))
        assert counts(found) == (4, 4, 1)
        assert found.n_regions == 1
