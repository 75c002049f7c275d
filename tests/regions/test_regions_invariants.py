"""Laws that need no answer: areas, Euler's formula, affine maps, grids, symmetries, threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from known_networks import default_network, layers_of, permuted, rescaled, square, with_copies
from partition_checks import assert_identical, assert_sound, counts, cut
from slow_networks import dense
from torch import Tensor, nn

import hinge

NETWORKS: dict[str, Callable[[], nn.Sequential]] = {
    "2x8, seed 5": lambda: default_network((8, 8), 5),
    "3x16, seed 2": lambda: default_network((16, 16, 16), 2),
    "4x12, seed 3": lambda: default_network((12,) * 4, 3),
    "1x40, seed 4": lambda: default_network((40,), 4),
    "leaky": lambda: changed(default_network((16, 16), 6), lambda: nn.LeakyReLU(0.1)),
    "hardtanh": lambda: changed(default_network((12, 12), 7), lambda: nn.Hardtanh(-0.3, 0.2)),
    "prelu": lambda: changed(default_network((10, 10), 8), lambda: nn.PReLU(10, 0.3)),
    "float32 weights": lambda: default_network((16, 16), 9).float().double(),
}
POLYGONS = {
    "square": (square(1), 4.0),
    "wide square": (square(50), 10000.0),
    "triangle": (((0, 0), (2, 0.5), (0.25, 1.5)), 1.4375),
}


def changed(network: nn.Sequential, activation: Callable[[], nn.Module]) -> nn.Sequential:
    parts = (activation() if isinstance(part, nn.ReLU) else part for part in network)
    return nn.Sequential(*parts).double()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shape", POLYGONS)
def test_areas_euler_and_affine_maps(name: str, shape: str) -> None:
    network = NETWORKS[name]()
    corners, area = POLYGONS[shape]
    found = hinge.partition(network, hinge.Polygon(corners), threads=1)
    assert_sound(found, network, area)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_fine_grid_never_finds_more_patterns(name: str) -> None:
    network = NETWORKS[name]()
    found = hinge.partition(network, hinge.Polygon(square(1)), threads=1)
    seen = len(grid_patterns(network, 400))
    assert 0.8 * found.n_cells <= seen <= found.n_cells


def grid_patterns(network: nn.Sequential, n: int) -> set[bytes]:
    ticks = (torch.arange(n, dtype=torch.float64) + 0.5) / n * 2 - 1
    x = torch.cartesian_prod(ticks, ticks)
    bits = []
    with torch.no_grad():
        for part in network:
            if not isinstance(part, nn.Linear):
                bits += [x > break_point for break_point in breaks(part)]
            x = part(x)
    packed = np.packbits(torch.cat(bits, 1).numpy(), axis=1)
    return {row.tobytes() for row in np.unique(packed, axis=0)}


def breaks(part: nn.Module) -> tuple[float, ...]:
    return (part.min_val, part.max_val) if isinstance(part, nn.Hardtanh) else (0.0,)


def test_the_pattern_of_a_cell_is_that_of_its_points() -> None:
    network = NETWORKS["3x16, seed 2"]()
    found = hinge.partition(network, hinge.Polygon(square(1)), threads=1)
    centres = np.array([np.asarray(cell).mean(axis=0) for cell in found.cells])
    x: Tensor = torch.from_numpy(centres)
    with torch.no_grad():
        for name, part in network.named_children():
            if isinstance(part, nn.ReLU):
                wanted = (x > 0).numpy()
                given = np.array([found.pattern(i)[name] for i in range(found.n_cells)])
                np.testing.assert_array_equal(given, wanted)
            x = part(x)


def test_each_point_is_located_in_the_cell_around_it() -> None:
    network = NETWORKS["3x16, seed 2"]()
    found = hinge.partition(network, hinge.Polygon(square(1)), threads=1)
    for i, cell in enumerate(found.cells):
        assert int(found.locate(np.asarray(cell).mean(axis=0))) == i


@pytest.mark.parametrize("seed", range(3))
def test_order_scale_and_copies_of_units_change_no_count(seed: int) -> None:
    layers = layers_of(default_network((16, 16), seed))
    random = np.random.default_rng(seed)
    wanted = cut(layers, square(1))
    others = [
        permuted(layers, 0, random.permutation(16).tolist()),
        permuted(layers, 2, random.permutation(16).tolist()),
        rescaled(layers, 0, random.integers(-30, 30, 16).tolist()),
        rescaled(layers, 2, random.integers(-30, 30, 16).tolist()),
        with_copies(layers, 0, [1]),
        with_copies(layers, 2, [1, 4]),
    ]
    for other in others:
        found = cut(other, square(1))
        assert counts(found) == counts(wanted)
        assert found.n_regions == wanted.n_regions


def test_a_domain_scaled_by_a_power_of_two_is_cut_alike() -> None:
    layers = layers_of(default_network((16, 16), 1))
    shrink = dense([[2.0**-20, 0], [0, 2.0**-20]], [0, 0])
    small, large = cut(layers, square(1)), cut((shrink, *layers), square(2.0**20))
    assert counts(small) == counts(large)
    scaled = np.sort(small.areas) * 2.0**40
    np.testing.assert_allclose(np.sort(large.areas), scaled, rtol=1e-9, atol=1e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_threads_change_no_bit(name: str) -> None:
    network = hinge.read(NETWORKS[name](), torch.zeros(1, 2, dtype=torch.float64))
    polygon = hinge.Polygon(square(1))
    one, two, again = (hinge.partition(network, polygon, threads=n) for n in (1, 2, 2))
    assert_identical(one, two)
    assert_identical(two, again)


def test_cells_that_a_line_crosses_are_those_of_the_plane() -> None:
    network = NETWORKS["3x16, seed 2"]()
    plane = hinge.partition(network, hinge.Polygon(square(1)), threads=1)
    a, b = np.array([-1.0, -0.37]), np.array([1.0, 0.61])
    line = hinge.partition(network, hinge.Segment(a, b), threads=1)
    points = np.asarray(line.points).ravel()
    middles = (points[:-1] + points[1:]) / 2
    crossed = [int(plane.locate(a + t * (b - a))) for t in middles.tolist()]
    assert len(set(crossed)) == len(crossed) == line.n_cells
