"""The slow reference itself: known truths, and patterns found by brute force."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from known_networks import (
    UNIT_SQUARE,
    default_network,
    layers_of,
    permuted,
    rescaled,
    sawtooth,
    square,
    tent,
    triangles,
    with_copies,
    zaslavsky,
    zaslavsky_count,
)
from slow_networks import (
    ABS,
    HARDTANH,
    LEAKY,
    RELU,
    RELU6,
    Largest,
    Layers,
    Residual,
    dense,
    evaluate,
    module_of,
    network_of,
)
from slow_reference import Subdivision, at, subdivide


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_tent_has_4_to_its_depth_equal_squares(depth: int) -> None:
    found = subdivide(tent(depth), UNIT_SQUARE)
    side = 2**depth
    assert {cell.area for cell in found.cells} == {Fraction(1, side**2)}
    assert counts(found) == ((side + 1) ** 2, 2 * side * (side + 1), side**2)
    assert found.n_regions == side**2


@pytest.mark.parametrize("m", [2, 4])
def test_a_triangular_grid_has_triple_points(m: int) -> None:
    found = subdivide(triangles(m), UNIT_SQUARE)
    assert counts(found) == ((m + 1) ** 2, 3 * m**2 + 2 * m, 2 * m**2)
    assert {cell.area for cell in found.cells} == {Fraction(1, 2 * m**2)}


def test_lines_in_general_position_make_zaslavskys_count() -> None:
    found = subdivide(zaslavsky(10), square(10**5))
    assert len(found.cells) == zaslavsky_count(10) == 56
    assert zaslavsky_count(10, 3) == 176
    assert zaslavsky_count(32) == 529


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_a_sawtooth_has_its_knots(depth: int) -> None:
    found = subdivide(sawtooth(depth), [(0,), (1,)])
    assert found.points == [Fraction(k, 2**depth) for k in range(2**depth + 1)]
    assert found.n_regions == 2**depth


EXAMPLES: dict[str, Layers] = {
    "relu": (dense([[1, 2], [-1, 1], [2, 1]], [1, 0, -2]), RELU, dense([[1, -1, 2]], [1])),
    "abs tower": (dense([[1, 1]], [-1]), ABS, dense([[1]], [-1]), ABS, dense([[2]], [-1]), ABS),
    "leaky": (dense([[1, 2], [-1, 1]], [1, 0]), LEAKY, dense([[1, -2], [1, 1]], [0, 1]), LEAKY),
    "two breaks": (dense([[2, 1], [-1, 1]], [0, 1]), HARDTANH, dense([[4, -3]], [2]), RELU6),
    "largest of three": (
        dense([[1, 0], [0, 1], [-1, -1], [2, 1], [1, 2], [1, 0]], [0, 0, 1, 0, 1, -1]),
        Largest(3),
        dense([[1, -1]], [0]),
        RELU,
    ),
    "largest of equals": (dense([[1, 0], [1, 0], [0, 1], [0, 1]], [0] * 4), Largest(4)),
    "residual": (
        Residual((dense([[1, -1], [1, 1]], [0, -1]), RELU, dense([[1, -2], [-1, 1]], [0, 1]))),
        RELU,
        dense([[1, -1]], [0]),
        ABS,
    ),
    "nothing to cut": (dense([[0, 0], [1, 1]], [0, 9]), RELU),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_cells_agree_with_values_and_brute_force(name: str) -> None:
    layers = EXAMPLES[name]
    found = subdivide(layers, square(2))
    vertices, edges, faces = counts(found)
    assert vertices - edges + faces == 1
    assert sum(cell.area for cell in found.cells) == 16
    assert all(len(sides) in {1, 2} for sides in found.edges.values())
    for cell in found.cells:
        points = [cell.centre, *cell.corners]
        for point in points:
            assert tuple(at(form, point) for form in cell.values) == evaluate(layers, point)
    assert len({cell.pieces for cell in found.cells}) == faces
    ticks = [Fraction(2 * i + 1, 12) - 2 for i in range(24)]
    slopes = {gradients(layers, point) for point in product(ticks, ticks)}
    assert slopes <= {tuple(form[:-1] for form in cell.values) for cell in found.cells}


def gradients(layers: Layers, point: tuple[Fraction, ...]) -> tuple[tuple[Fraction, ...], ...]:
    """Return exact difference quotients: the network is linear so near to almost every point."""
    step = Fraction(1, 10**9)
    x, y = point[0] + step / 7, point[1] + step / 3  # on no crease of small integers
    here = evaluate(layers, (x, y))
    right, above = evaluate(layers, (x + step**2, y)), evaluate(layers, (x, y + step**2))
    return tuple(
        ((r - h) / step**2, (a - h) / step**2) for h, r, a in zip(here, right, above, strict=True)
    )


def test_regions_join_cells_of_one_map_only_through_an_edge() -> None:
    # The second unit is read by nobody.
    unread = (dense([[1, 0], [0, 1]], [0, 0]), RELU, dense([[1, 0]], [0]))
    quarters = subdivide(unread, square(1))
    assert (len(quarters.cells), quarters.n_regions) == (4, 2)
    # max(0, 1 - |x|) is 0 on both sides of a roof: one map, two regions.
    roof = subdivide((dense([[1, 0]], [0]), ABS, dense([[-1]], [1]), RELU), square(2))
    assert len({cell.values for cell in roof.cells}) == 3
    assert (len(roof.cells), roof.n_regions) == (4, 4)


def test_copies_order_and_powers_of_two_change_no_crease() -> None:
    layers = layers_of(default_network((5, 4), 0))
    plain = counts(subdivide(layers, square(1)))
    others = (
        with_copies(layers, 0, [2, -1, 1, 0]),
        with_copies(layers, 2, [-0.5, 1]),
        permuted(layers, 0, [4, 2, 0, 1, 3]),
        rescaled(layers, 0, [3, -2, 0, 10, -7]),
    )
    for other in others:
        assert counts(subdivide(other, square(1))) == plain


@pytest.mark.parametrize("name", EXAMPLES)
def test_both_forms_of_a_network_compute_its_numbers(name: str) -> None:
    layers = EXAMPLES[name]
    points = [(0.5, -0.25), (-1.5, 1.75), (0.0, 0.0), (2.0, 1.0)]
    exact = np.array([[float(one) for one in evaluate(layers, point)] for point in points])
    with torch.no_grad():
        assert np.array_equal(module_of(layers)(torch.tensor(points).double()).numpy(), exact)
    assert np.array_equal(network_of(layers)(np.array(points)), exact)


def counts(found: Subdivision) -> tuple[int, int, int]:
    return len(found.vertices), len(found.edges), len(found.cells)
