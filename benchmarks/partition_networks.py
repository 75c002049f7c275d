"""The networks that ``partition.py`` cuts: random ones, and some whose cells are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn

Rows = Sequence[Sequence[float]] | np.ndarray


def default_network(hidden: Sequence[int], seed: int = 0, gain: float = 1.0) -> nn.Sequential:
    """Two inputs, one output, as torch initialises it, in float64; the weights times ``gain``."""
    torch.manual_seed(seed)
    parts: list[nn.Module] = []
    for before, after in pairwise((2, *hidden, 1)):
        parts += [nn.Linear(before, after), nn.ReLU()]
    network = nn.Sequential(*parts[:-1]).double()
    with torch.no_grad():
        for part in linear_layers(network):
            part.weight *= gain
    return network


def linear_layers(network: nn.Sequential) -> list[nn.Linear]:
    return [part for part in network if isinstance(part, nn.Linear)]


def numbers(network: nn.Sequential) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and biases, layer by layer."""
    return [
        (part.weight.detach().numpy(), part.bias.detach().numpy())
        for part in linear_layers(network)
    ]


def network_of(*layers: tuple[Rows, Sequence[float] | np.ndarray]) -> nn.Sequential:
    """A ReLU network of these weights and biases."""
    parts: list[nn.Module] = []
    for weight, bias in layers:
        part = nn.Linear(len(weight[0]), len(weight)).double()
        with torch.no_grad():
            part.weight.copy_(torch.as_tensor(np.asarray(weight, np.float64)))
            part.bias.copy_(torch.as_tensor(np.asarray(bias, np.float64)))
        parts += [part, nn.ReLU()]
    return nn.Sequential(*parts[:-1])


FIRST_FOLD = np.array([[2, 0], [4, 0], [0, 2], [0, 4]])
FOLDED = np.array([[1, -1, 0, 0], [0, 0, 1, -1]])
"""Both axes folded in the middle: t(x) = relu(2x) - relu(4x - 2) leads [0, 1] to [0, 1] twice."""


def centred(network: nn.Sequential) -> nn.Sequential:
    """The same on [-1, 1]^2 as before on [0, 1]^2, exactly: these weights are small dyadics."""
    first = linear_layers(network)[0]
    with torch.no_grad():
        first.weight /= 2
        first.bias += first.weight.sum(1)
    return network


def tent(depth: int) -> nn.Sequential:
    """4^depth cells: each layer folds both axes in the middle."""
    return centred(network_of(*folds(depth), ([[1, -1, 1, -1]], [-0.73])))


def folds(depth: int) -> list[tuple[Rows, Sequence[float]]]:
    later = (FIRST_FOLD @ FOLDED, [0, -2, 0, -2])
    return [(FIRST_FOLD, [0, -2, 0, -2]), *[later] * (depth - 1)][:depth]


def folded(network: nn.Sequential, depth: int) -> nn.Sequential:
    """4^depth mirrored copies, on [0, 1]^2, of what the network does on [-1, 1]^2.

    So it has 4^depth times as many cells as ``folded(network, 0)``.
    """
    (weight, bias), *rest = numbers(network)
    seen = (2 * weight @ FOLDED if depth else 2 * weight, bias - weight.sum(1))
    return network_of(*folds(depth), seen, *rest)


def triangles(m: int) -> nn.Sequential:
    """2 m^2 triangles: three creases meet at each point of a grid."""
    rows = [[m, 0]] * (m - 1) + [[0, m]] * (m - 1) + [[m, m]] * (2 * m - 1)
    bias = [-i for i in range(1, m)] * 2 + [-k for k in range(1, 2 * m)]
    return centred(network_of((rows, bias), ([[1] * len(rows)], [0])))


def zaslavsky(n: int) -> nn.Sequential:
    """1 + n + n (n - 1) / 2 cells of the plane (Zaslavsky 1975): n lines in general position."""
    random = np.random.default_rng(0)
    weight = random.standard_normal((n, 2))
    return network_of((weight, random.standard_normal(n)), (np.ones((1, n)), [0]))


def with_copies(network: nn.Sequential) -> nn.Sequential:
    """The same function and cells: the first layer's units once more times 2 and times -1."""
    (weight, bias), (after, after_bias), *rest = numbers(network)
    silent = np.zeros((len(after), 2 * len(weight)))
    return network_of(
        (np.concatenate([weight, 2 * weight, -weight]), np.concatenate([bias, 2 * bias, -bias])),
        (np.concatenate([after, silent], axis=1), after_bias),
        *rest,
    )


def sawtooth(depth: int) -> nn.Sequential:
    """2^depth pieces on [0, 1], with knots at k / 2^depth."""
    later = ([[2, -2], [4, -4]], [0, -2])
    return network_of(([[2], [4]], [0, -2]), *[later] * (depth - 1), ([[1, -1]], [0]))
