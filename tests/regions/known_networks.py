"""Networks whose cells are known in closed form, or from several other programs that agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import torch
from slow_networks import RELU, Dense, Layers, dense
from torch import nn

UNIT_SQUARE = ((0, 0), (1, 0), (1, 1), (0, 1))


def square(half_side: float) -> tuple[tuple[float, float], ...]:
    """Return the corners of a square about 0."""
    r = half_side
    return ((-r, -r), (r, -r), (r, r), (-r, r))


def tent(depth: int) -> Layers:
    """Return a network with exactly 4^depth cells on the unit square.

    Each layer folds both axes by t(x) = relu(2x) - relu(4x - 2), which goes up and down once:
    depth folds make 2^depth equal intervals of each axis.
    """
    first = [[2, 0], [4, 0], [0, 2], [0, 4]]
    bias = [0, -2, 0, -2]
    joined = np.array(first) @ np.array([[1, -1, 0, 0], [0, 0, 1, -1]])
    layers = [dense(first, bias), RELU]
    for _ in range(depth - 1):
        layers += [dense(joined.tolist(), bias), RELU]
    return (*layers, dense([[1, -1, 1, -1]], [-0.73]))


def triangles(m: int) -> Layers:
    """Return one layer that cuts the unit square into 2 m^2 equal triangles.

    The lines x = i/m, y = i/m and x + y = k/m meet three at a time at each point of the grid.
    """
    rows = [[m, 0]] * (m - 1) + [[0, m]] * (m - 1) + [[m, m]] * (2 * m - 1)
    bias = [-i for i in range(1, m)] * 2 + [-k for k in range(1, 2 * m)]
    return (dense(rows, bias), RELU, dense([[1] * len(rows)], [0]))


def zaslavsky(n: int) -> Layers:
    """Return one layer of n random lines, in general position."""
    random = np.random.default_rng(0)
    weight = random.standard_normal((n, 2))
    bias = random.standard_normal(n)
    return (dense(weight.tolist(), bias.tolist()), RELU, dense([[1] * n], [0]))


def zaslavsky_count(n: int, d: int = 2) -> int:
    """Return how many cells n hyperplanes in general position make of space (Zaslavsky 1975)."""
    total, binomial = 0, 1
    for j in range(d + 1):
        total += binomial
        binomial = binomial * (n - j) // (j + 1)
    return total


def sawtooth(depth: int) -> Layers:
    """Return one input, ``depth`` tents: 2^depth pieces on [0, 1], knots at k / 2^depth."""
    layers = [dense([[2], [4]], [0, -2]), RELU]
    for _ in range(depth - 1):
        layers += [dense([[2, -2], [4, -4]], [0, -2]), RELU]
    return (*layers, dense([[1, -1]], [0]))


def default_network(hidden: Sequence[int], seed: int) -> nn.Sequential:
    """Return a ReLU network as torch initialises it, 2 inputs and 1 output, in float64."""
    torch.manual_seed(seed)
    sizes = (2, *hidden, 1)
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes):
        parts += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*parts[:-1]).double()


@dataclass(frozen=True)
class Counted:
    """A default network and its counts on [-1, 1]^2, on which four other programs agree."""

    hidden: tuple[int, ...]
    seed: int
    vertices: int
    edges: int
    cells: tuple[int, ...]
    """After each layer."""


COUNTED = {
    "3x32, seed 0": Counted((32,) * 3, 0, 1255, 2434, (166, 795, 1180)),
    "3x32, seed 1": Counted((32,) * 3, 1, 993, 1916, (213, 564, 924)),
    "3x128, seed 0": Counted((128,) * 3, 0, 21012, 41725, (2588, 10266, 20714)),
    "6x64, seed 0": Counted((64,) * 6, 0, 8584, 16975, (756, 2943, 6668, 7920, 8154, 8392)),
}


def layers_of(network: nn.Sequential) -> Layers:
    """Return the exact numbers of a network of linear layers and ReLUs."""
    return tuple(
        dense(part.weight.tolist(), part.bias.tolist()) if isinstance(part, nn.Linear) else RELU
        for part in network
    )


def with_copies(layers: Layers, position: int, factors: Sequence[float]) -> Layers:
    """Return the network with each unit of a dense layer also added times each of the factors.

    The copies (duplicates, multiples, negatives; a factor 0 makes zero rows) are not read by
    the next dense layer, so the function stays, and so do the creases.
    """
    layer, after = layers[position], layers[position + 2]
    assert isinstance(layer, Dense)
    assert isinstance(after, Dense)
    scaled = [Fraction(one) for one in (1, *factors)]
    weight = [[f * w for w in row] for f in scaled for row in layer.weight]
    bias = [f * b for f in scaled for b in layer.bias]
    silent = [Fraction(0)] * (len(layer.bias) * len(factors))
    read = [[*row, *silent] for row in after.weight]
    changed = {position: dense(weight, bias), position + 2: dense(read, after.bias)}
    return tuple(changed.get(i, one) for i, one in enumerate(layers))


def permuted(layers: Layers, position: int, order: Sequence[int]) -> Layers:
    """Return the network with the units of one dense layer in another order."""
    layer, after = layers[position], layers[position + 2]
    assert isinstance(layer, Dense)
    assert isinstance(after, Dense)
    moved = dense([layer.weight[i] for i in order], [layer.bias[i] for i in order])
    read = dense([[row[i] for i in order] for row in after.weight], after.bias)
    changed = {position: moved, position + 2: read}
    return tuple(changed.get(i, one) for i, one in enumerate(layers))


def rescaled(layers: Layers, position: int, powers: Sequence[int]) -> Layers:
    """Return the same function of ReLUs, unit i scaled by 2^powers[i] and scaled back after."""
    layer, after = layers[position], layers[position + 2]
    assert isinstance(layer, Dense)
    assert isinstance(after, Dense)
    up = [Fraction(2) ** power for power in powers]
    weight = [[u * w for w in row] for u, row in zip(up, layer.weight, strict=True)]
    bias = [u * b for u, b in zip(up, layer.bias, strict=True)]
    read = [[w / u for u, w in zip(up, row, strict=True)] for row in after.weight]
    changed = {position: dense(weight, bias), position + 2: dense(read, after.bias)}
    return tuple(changed.get(i, one) for i, one in enumerate(layers))
