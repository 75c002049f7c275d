"""Networks of small integers against the slow, exact reference: everything that it knows."""

from __future__ import annotations

import numpy as np
import pytest
from degenerate_networks import Corner, networks, polygons, rich_network
from hypothesis import given, settings
from known_networks import square
from partition_checks import (
    assert_as_reference,
    assert_identical,
    assert_same_points,
    assert_skeleton,
    counts,
    cut,
    exact_corners,
)
from slow_networks import (
    ABS,
    HARDTANH,
    RELU,
    RELU6,
    Largest,
    Layers,
    Residual,
    dense,
    module_of,
    network_of,
)
from slow_reference import subdivide

import hinge


@given(networks(), polygons())
@settings(max_examples=200)
def test_small_integer_networks_are_cut_exactly(
    layers: Layers, corners: tuple[Corner, ...]
) -> None:
    found = cut(layers, corners)
    truth = assert_as_reference(found, layers, corners)
    assert abs(found.areas.sum() - float(sum(cell.area for cell in truth.cells))) < 1e-9
    assert_skeleton(found)
    assert_identical(found, cut(layers, corners, threads=2))


@pytest.mark.parametrize("seed", range(60))
def test_richer_integer_networks_are_cut_exactly(seed: int) -> None:
    layers = rich_network(seed)
    corners = [square(3), square(2), ((-3, -2), (2, -3), (3, 1), (0, 3))][seed % 3]
    found = cut(layers, corners)
    assert_as_reference(found, layers, corners)
    assert_skeleton(found)
    assert_identical(found, cut(layers, corners, threads=2))


CASES: dict[str, Layers] = {
    "a crease along a side": (dense([[1, 0], [0, 1]], [2, -2]), RELU, dense([[1, 1]], [0])),
    "creases through corners": (dense([[1, 1], [1, -1]], [0, 0]), RELU, dense([[1, 1]], [0])),
    "a crease that touches one corner": (dense([[1, 1]], [4]), RELU, dense([[1]], [0])),
    "a unit that is 0 on half the domain": (
        dense([[1, 0]], [0]),
        RELU,
        dense([[1], [2], [-1]], [0, 0, 0]),
        RELU,
        dense([[1, 1, 1]], [0]),
    ),
    "a dead layer": (
        dense([[1, 0], [0, 1]], [-9, -9]),
        RELU,
        dense([[1, 2], [3, 4]], [0, 0]),
        RELU,
        dense([[1, 1]], [1]),
    ),
    "a second layer along the first one's creases": (
        dense([[1, 0], [0, 1]], [0, 0]),
        RELU,
        dense([[1, 0], [0, 1], [1, -1]], [0, 0, 0]),
        RELU,
        dense([[1, 1, 1]], [0]),
    ),
    "two breaks on one line": (
        dense([[1, 0], [-1, 0], [1, 0]], [1, 1, -1]),
        HARDTANH,
        dense([[1, 1, 1]], [0]),
        RELU6,
    ),
    "a max of four through one point": (
        dense([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4),
        Largest(4),
    ),
    "a max whose pairs cross where a third is larger": (
        dense([[1, 0], [-1, 0], [0, 1]], [0, 0, 4]),
        Largest(3),
    ),
    "a max with equal rivals": (
        dense([[1, 0], [1, 0], [0, 1], [1, 0], [0, 1], [0, 1]], [0] * 6),
        Largest(3),
        dense([[1, -1]], [0]),
        RELU,
    ),
    "four of which two never win, beside a window of equals": (
        dense([[-9, -1], [-4, 3], [0, 0], [-6, -2]] + [[1, 0]] * 4, [5, 12, 0, 9] + [0] * 4),
        Largest(4),
    ),
    "a max of values equal on one side only": (
        dense([[1, 0], [0, 1]], [0, 0]),
        RELU,
        dense([[1, 0], [2, 0]], [0, 0]),
        Largest(2),
    ),
    "a roof whose two sides have one map": (
        dense([[1, 0]], [0]),
        ABS,
        dense([[-1]], [1]),
        RELU,
    ),
    "a shortcut that cancels": (
        Residual((dense([[-1, 0], [0, -1]], [0, 0]), ABS)),
        RELU,
        dense([[1, -1]], [0]),
        RELU,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_known_degeneracies_are_cut_exactly(name: str) -> None:
    layers = CASES[name]
    found = cut(layers, square(2))
    assert_as_reference(found, layers, square(2))
    assert_skeleton(found)


@pytest.mark.parametrize("seed", range(40))
def test_maxima_of_small_integers_are_cut_exactly(seed: int) -> None:
    random = np.random.default_rng(seed)
    window = int(random.integers(2, 5))
    numbers = random.integers(-1, 2, (2 * window, 3))
    if seed % 2:
        numbers[window:] = numbers[window]
    layers = (dense(numbers[:, :2].tolist(), numbers[:, 2].tolist()), Largest(window))
    assert_as_reference(cut(layers, square(1)), layers, square(1))


@pytest.mark.parametrize(
    ("weight", "bias"),
    [
        ([[1, 1], [1, 1 + 2**-45]], [-1, -1 - 2**-46]),
        ([[2, -2], [1, -1 - 2**-46]], [0, 0]),
        ([[2, -2], [-1, 1 + 2**-40]], [0, 0]),
    ],
)
def test_creases_that_are_almost_parallel_cross_where_they_do(
    weight: list[list[float]], bias: list[float]
) -> None:
    layers = (dense(weight, bias), RELU)
    corners = ((-3, 2), (-1, -2), (2, 1), (0, 3))
    found = cut(layers, corners)
    truth = subdivide(layers, exact_corners(corners))
    assert counts(found) == (len(truth.vertices), len(truth.edges), len(truth.cells))
    assert_same_points(found.vertices, truth.vertices)


@pytest.mark.parametrize("seed", range(4))
def test_a_torch_module_and_the_network_of_its_numbers_are_cut_alike(seed: int) -> None:
    layers = rich_network(seed)
    polygon = hinge.Polygon(square(3))
    module = hinge.partition(module_of(layers), polygon, threads=1)
    network = hinge.partition(network_of(layers), polygon, threads=1)
    assert (module.n_cells, module.n_regions) == (network.n_cells, network.n_regions)
    assert_as_reference(network, layers, square(3))
