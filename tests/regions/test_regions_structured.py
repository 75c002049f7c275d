"""Residual, convolutional, pooled and normalised networks: exactly, or by search if large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from known_networks import square
from partition_checks import assert_as_reference, assert_sound, counts
from slow_networks import RELU, Dense, Largest, Layers, Residual, dense, evaluate
from torch import Tensor, nn

import hinge

sklearn = pytest.importorskip("sklearn.datasets")


class Shortcut(nn.Module):
    """``x + body(x)``."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.body(x)
        return added


class OneReLU(nn.Module):
    """One module called twice, and a concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 10), nn.Linear(12, 10)
        self.relu = nn.ReLU()
        self.last = nn.Linear(22, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([x, self.relu(self.first(x))], 1)
        z: Tensor = self.last(torch.cat([y, self.relu(self.second(y))], 1))
        return z


def pooled() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16, 3),
    )


def residual_image() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2),
        Shortcut(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AvgPool2d(3),
        nn.Flatten(),
        nn.Linear(4, 3),
    )


FLAT: dict[str, Callable[[], nn.Module]] = {
    "residual": lambda: nn.Sequential(
        nn.Linear(2, 8),
        Shortcut(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)),
        Shortcut(nn.ReLU(), nn.Linear(8, 8)),
        nn.ReLU(),
        nn.Linear(8, 1),
    ),
    "normalised": lambda: nn.Sequential(
        nn.Linear(2, 12),
        nn.BatchNorm1d(12),
        nn.ReLU(),
        nn.Linear(12, 12),
        nn.BatchNorm1d(12),
        nn.ReLU(),
    ),
    "one ReLU, concatenated": OneReLU,
}
IMAGES: dict[str, Callable[[], nn.Module]] = {"pooled": pooled, "residual image": residual_image}


def initialised(make: Callable[[], nn.Module], data: Tensor) -> nn.Module:
    """Return a float64 network whose normalisations have seen the data."""
    torch.manual_seed(0)
    network = make().double().train()
    with torch.no_grad():
        network(data)
    return network.eval()


def digits() -> Tensor:
    return torch.from_numpy(sklearn.load_digits().images[:100, None] / 16)


def flat_data() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(100, 2).double()


def digits_plane() -> Any:
    return hinge.Plane.through(*digits()[[0, 3, 7]])


def patterns(network: nn.Module, x: Tensor) -> int:
    """Return how many patterns of ReLUs and winners there are on a batch."""
    bits: list[Tensor] = []

    def relu(_part: nn.Module, given: tuple[Tensor, ...], _out: Tensor) -> None:
        bits.append((given[0] > 0).flatten(1))

    def pool(part: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        size = part.kernel_size
        windows = given[0].unfold(2, size, size).unfold(3, size, size).flatten(4)
        wins = windows >= out[..., None] - 1e-12  # the first of equals
        bits.append((wins & (wins.cumsum(4) == 1)).flatten(1))

    hooks = [
        part.register_forward_hook(relu) for part in network.modules() if isinstance(part, nn.ReLU)
    ]
    hooks += [
        part.register_forward_hook(pool)
        for part in network.modules()
        if isinstance(part, nn.MaxPool2d)
    ]
    seen: set[bytes] = set()
    for batch in x.split(20_000):
        bits.clear()
        with torch.no_grad():
            network(batch)
        packed = np.packbits(torch.cat(bits, 1).numpy(), axis=1)
        seen.update(row.tobytes() for row in np.unique(packed, axis=0))
    for hook in hooks:
        hook.remove()
    return len(seen)


def grid(n: int) -> np.ndarray:
    ticks = (np.arange(n) + 0.5) / n
    return np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)


@pytest.mark.parametrize("name", FLAT)
def test_a_search_on_a_fine_grid_finds_no_more_cells(name: str) -> None:
    network = initialised(FLAT[name], flat_data())
    found = hinge.partition(network, hinge.Polygon(square(2)), threads=1)
    assert_sound(found, network, 16)
    seen = patterns(network, torch.from_numpy(grid(400) * 4 - 2))
    assert 0.85 * found.n_cells <= seen <= found.n_cells


@pytest.mark.parametrize("name", IMAGES)
def test_a_plane_through_three_digits_is_cut_as_a_search_finds_it(name: str) -> None:
    network = initialised(IMAGES[name], digits())
    plane = digits_plane()
    found = hinge.partition(network, plane, threads=1)
    assert_sound(found, network, 0.5, plane)
    points = grid(360)
    inside = points[points.sum(axis=1) < 1]
    seen = patterns(network, torch.from_numpy(plane.point(inside)))
    assert 0.85 * found.n_cells <= seen <= found.n_cells


def test_the_cells_of_a_plane_hold_its_points() -> None:
    network = initialised(residual_image, digits())
    plane = digits_plane()
    found = hinge.partition(network, plane, threads=1)
    for i, cell in enumerate(found.cells):
        assert int(found.locate(plane.point(np.asarray(cell).mean(axis=0)))) == i


def small_integers(shape: tuple[int, ...], random: np.random.Generator) -> Tensor:
    return torch.from_numpy(random.integers(-2, 3, shape)).double()


def filled(network: nn.Module, seed: int) -> nn.Module:
    """Return the network with small integers everywhere; normalisations divide by 2 exactly."""
    random = np.random.default_rng(seed)
    network = network.double().eval()
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eps = 1.0
                part.running_var.fill_(3.0)
                part.running_mean.copy_(small_integers(part.running_mean.shape, random))
        for parameter in network.parameters():
            parameter.copy_(small_integers(tuple(parameter.shape), random))
    return network


def as_dense(part: nn.Module, shape: Sequence[int]) -> Dense:
    """Return a linear module, of which all numbers are exact, as rows of its matrix."""
    size = int(np.prod(shape))
    with torch.no_grad():
        bias = part(torch.zeros(1, *shape).double())
        columns = part(torch.eye(size).double().reshape(size, *shape)) - bias
    return dense(columns.reshape(size, -1).T.tolist(), bias.flatten().tolist())


def windows_first(channels: int, side: int) -> Dense:
    """Return the matrix that puts the four values of each 2x2 window next to each other."""
    index = np.arange(channels * side * side).reshape(channels, side // 2, 2, side // 2, 2)
    order = index.transpose(0, 1, 3, 2, 4).ravel()
    return dense(np.eye(len(order), dtype=int)[order].tolist(), [0] * len(order))


def integer_plane(seed: int, shape: tuple[int, ...]) -> tuple[Any, Dense]:
    random = np.random.default_rng(100 + seed)
    origin, u, v = random.integers(-2, 3, (3, *shape)).astype(float)
    columns = np.stack([u.ravel(), v.ravel()], 1)
    return hinge.Plane(origin, u, v, square(1)), dense(columns.tolist(), origin.ravel().tolist())


def assert_cut_exactly(
    network: nn.Module, plane: Any, layers: Layers, names: Sequence[str | None]
) -> None:
    for c in ((0.5, -0.25), (-1, 1), (0, 0.75)):
        with torch.no_grad():
            values = network(torch.from_numpy(plane.point(c))[None]).flatten().tolist()
        assert values == list(evaluate(layers, [Fraction(one) for one in c]))
    found = hinge.partition(network, plane, threads=1)
    assert_as_reference(found, layers, square(1), domain=plane, names=names)


@pytest.mark.parametrize("seed", range(4))
def test_a_small_pooled_network_is_cut_exactly(seed: int) -> None:
    conv, last = nn.Conv2d(1, 2, 3, padding=1), nn.Linear(8, 2)
    parts = (conv, nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), last)
    network = filled(nn.Sequential(*parts), seed)
    plane, embedding = integer_plane(seed, (1, 4, 4))
    first = as_dense(nn.Sequential(*parts[:2]), (1, 4, 4))
    tail = as_dense(last, (8,))
    layers = (embedding, first, RELU, windows_first(2, 4), Largest(4), tail)
    assert_cut_exactly(network, plane, layers, ("2", None))


@pytest.mark.parametrize("seed", range(4))
def test_a_small_pool_before_the_activation_is_cut_exactly(seed: int) -> None:
    conv, last = nn.Conv2d(1, 1, 1), nn.Linear(4, 2)
    network = filled(nn.Sequential(conv, nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), last), seed)
    plane, embedding = integer_plane(seed, (1, 4, 4))
    first, tail = as_dense(conv, (1, 4, 4)), as_dense(last, (4,))
    layers = (embedding, first, windows_first(1, 4), Largest(4), RELU, tail)
    assert_cut_exactly(network, plane, layers, (None, "2"))


@pytest.mark.parametrize("seed", range(4))
def test_a_small_residual_network_is_cut_exactly(seed: int) -> None:
    head, tail = nn.Conv2d(1, 2, 3), nn.AvgPool2d(2)
    first, second = nn.Conv2d(2, 3, 1), nn.Conv2d(3, 2, 2, padding=1)
    body = nn.Sequential(second, nn.ZeroPad2d((0, -1, 0, -1)))
    network = filled(
        nn.Sequential(head, Shortcut(first, nn.ReLU(), body), nn.ReLU(), tail, nn.Flatten()), seed
    )
    plane, embedding = integer_plane(seed, (1, 4, 4))
    inner: Layers = (as_dense(first, (2, 2, 2)), RELU, as_dense(body, (3, 2, 2)))
    start, end = as_dense(head, (1, 4, 4)), as_dense(tail, (2, 2, 2))
    layers = (embedding, start, Residual(inner), RELU, end)
    assert_cut_exactly(network, plane, layers, ("1.body.1", "2"))


def test_a_plane_of_the_inputs_themselves_is_the_polygon() -> None:
    network = initialised(FLAT["residual"], flat_data())
    polygon = hinge.partition(network, hinge.Polygon(square(2)), threads=1)
    plane = hinge.Plane(np.zeros(2), np.array([2.0, 0]), np.array([0, 2.0]))
    moved = hinge.partition(network, plane, threads=1)
    assert counts(polygon) == counts(moved)
    np.testing.assert_allclose(np.sort(polygon.areas), 4 * np.sort(moved.areas), rtol=1e-9)


def test_the_three_inputs_of_a_plane_lie_in_it() -> None:
    images = np.random.default_rng(0).normal(size=(3, 1, 4, 4))
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)).double()
    found = hinge.partition(network, hinge.Plane.through(*images))
    assert (found.locate(images) >= 0).all()
    assert found.locate(images[0] + 1.0) == -1
