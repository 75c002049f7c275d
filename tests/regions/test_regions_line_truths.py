"""Segments: sawtooth and tower networks to the bit, and all others against the exact reference."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from degenerate_networks import networks, rich_network
from hypothesis import given, settings
from known_networks import default_network, layers_of, sawtooth, with_copies
from partition_checks import cut_line
from slow_networks import ABS, RELU, Layers, dense, network_of, site_names
from slow_reference import at, subdivide
from torch import nn

import hinge


def points_of(found: Any) -> np.ndarray:
    return np.asarray(found.points).ravel()


@pytest.mark.parametrize("depth", [1, 2, 3, 7, 12, 16, 20])
def test_a_sawtooth_has_its_knots_to_the_bit(depth: int) -> None:
    network, line = network_of(sawtooth(depth), 1), hinge.Segment([0.0], [1.0])
    found = hinge.partition(network, line, threads=1, budget={"seconds": 300})
    assert found.complete
    assert found.n_cells == found.n_regions == 2**depth
    np.testing.assert_array_equal(points_of(found), np.arange(2**depth + 1) / 2**depth)
    assert found.certified


@pytest.mark.parametrize("depth", [1, 4, 9])
def test_a_tower_of_absolute_values_has_its_knots_to_the_bit(depth: int) -> None:
    layers = (dense([[2]], [-1]), ABS) * depth
    found = cut_line(layers, [0.0], [1.0])
    assert found.n_cells == found.n_regions == 2**depth
    np.testing.assert_array_equal(points_of(found), np.arange(2**depth + 1) / 2**depth)


def test_copies_of_units_add_no_piece() -> None:
    layers = with_copies(sawtooth(5), 0, [2, -1, 1, 0])
    assert cut_line(layers, [0.0], [1.0]).n_cells == 32


def test_creases_at_the_ends_add_no_piece() -> None:
    layers = (dense([[1], [1], [2]], [0, -1, -1]), RELU, dense([[1, 1, 1]], [0]))
    np.testing.assert_array_equal(points_of(cut_line(layers, [0.0], [1.0])), [0, 0.5, 1])


def test_many_units_with_one_knot_make_one_knot() -> None:
    layers = (dense([[i] for i in range(1, 60)], [-i for i in range(1, 60)]), RELU)
    np.testing.assert_array_equal(points_of(cut_line(layers, [0.0], [4.0])), [0, 0.25, 1])


def test_pieces_and_regions_are_told_apart() -> None:
    unread = (dense([[1], [1]], [-1, -2]), RELU, dense([[1, 0]], [0]))
    found = cut_line(unread, [0.0], [4.0])
    assert (found.n_cells, found.n_regions) == (3, 2)


def test_two_pieces_of_one_map_are_two_regions_unless_they_touch() -> None:
    roof = (dense([[1]], [0]), ABS, dense([[-1]], [1]), RELU)
    found = cut_line(roof, [-2.0], [2.0])
    assert (found.n_cells, found.n_regions) == (4, 4)


def assert_as_reference(layers: Layers, a: Sequence[int], b: Sequence[int]) -> None:
    found = cut_line(layers, a, b)
    along = dense([[q - p] for p, q in zip(a, b, strict=True)], a)
    truth = subdivide((along, *layers), [(0,), (1,)])
    assert (found.n_cells, found.n_regions) == (len(truth.cells), truth.n_regions)
    exact = [float(t) for t in truth.points]
    np.testing.assert_allclose(points_of(found), exact, rtol=0, atol=1e-14)
    pieces = sorted(truth.cells, key=lambda cell: cell.corners)
    for i, piece in enumerate(pieces):
        pattern = found.pattern(i)
        for name, wanted, flat in zip(site_names(layers), piece.pieces, piece.flat, strict=True):
            if name is not None:
                clear = [j for j in range(len(wanted)) if j not in flat]
                assert pattern[name].ravel()[clear].tolist() == [wanted[j] for j in clear]
        weight, bias = found.affine(i)
        x = np.array(a) + float(piece.centre[0]) * (np.array(b) - np.array(a))
        values = [float(at(form, piece.centre)) for form in piece.values]
        np.testing.assert_allclose(weight @ x + bias, values, rtol=1e-9, atol=1e-11)
    two = cut_line(layers, a, b, threads=2)
    assert points_of(found).tobytes() == points_of(two).tobytes()


@given(networks(n_inputs=1))
@settings(max_examples=100)
def test_small_integer_networks_of_one_input_are_cut_exactly(layers: Layers) -> None:
    assert_as_reference(layers, [-3], [3])


@pytest.mark.parametrize("seed", range(30))
def test_richer_integer_networks_are_cut_exactly(seed: int) -> None:
    ends = [([-3, 1], [3, 2]), ([-2, -2], [2, 2]), ([0, 3], [0, -3])][seed % 3]
    assert_as_reference(rich_network(seed), *ends)


@pytest.mark.parametrize(("hidden", "seed"), [((64,), 0), ((32, 32), 1), ((16,) * 5, 2)])
def test_a_fine_scan_finds_no_more_pieces(hidden: tuple[int, ...], seed: int) -> None:
    network = default_network(hidden, seed)
    a, b = np.array([-4.0, -1.3]), np.array([4.0, 2.1])
    found = hinge.partition(network, hinge.Segment(a, b), threads=1)
    ticks = (np.arange(200_000) + 0.5) / 200_000
    x = torch.from_numpy(a + ticks[:, None] * (b - a))
    bits = []
    with torch.no_grad():
        for part in network:
            if isinstance(part, nn.ReLU):
                bits.append(x > 0)
            x = part(x)
    changes = (torch.cat(bits, 1).diff(dim=0) != 0).any(1).numpy()
    assert 0.97 * found.n_cells <= 1 + changes.sum() <= found.n_cells
    inner = points_of(found)[1:-1]
    where = np.searchsorted(inner, ticks)
    assert (np.diff(where)[changes] > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_knots_are_right_to_the_last_digits(seed: int) -> None:
    layers = layers_of(default_network((16, 16), seed))
    found = cut_line(layers, [-1.0, -1.0], [1.0, 0.5])
    along = dense([[2.0], [1.5]], [-1.0, -1.0])
    truth = subdivide((along, *layers), [(0,), (1,)])
    exact = truth.points
    assert found.n_cells == len(truth.cells)
    given_points = [Fraction(t) for t in points_of(found).tolist()]
    assert max(abs(p - q) for p, q in zip(given_points, exact, strict=True)) < Fraction(1, 2**50)
    assert all(p < q for p, q in pairwise(given_points))


def test_the_other_direction_mirrors_the_points() -> None:
    layers = layers_of(default_network((16, 16), 0))
    there = points_of(cut_line(layers, [-1.0, -1.0], [1.0, 0.5]))
    back = points_of(cut_line(layers, [1.0, 0.5], [-1.0, -1.0]))
    np.testing.assert_allclose(back, 1 - there[::-1], rtol=0, atol=1e-13)
