"""Piecewise-linear models of every layout, flat domains for them, and slow exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import prod

import numpy as np
import torch
from scipy import sparse
from torch import nn
from torch.nn import functional as F

import hinge
from hinge.regions.programs.program import Bend, Fold, Join, Larger, Linear, Total


class Flat:
    """A plane (or a line) through the inputs, at random, or the inputs themselves."""

    def __init__(self, dimension=2, seed=0, *, itself=False):
        self.dimension, self.seed, self.itself = dimension, seed, itself

    def embedding(self, input_shape):
        size = prod(input_shape)
        if self.itself:
            assert size == self.dimension
            return np.eye(size), np.zeros(size)
        random = np.random.default_rng(self.seed)
        return random.normal(size=(size, self.dimension)), random.normal(size=size)

    def inputs(self, points, input_shape):
        matrix, origin = self.embedding(input_shape)
        return (points @ matrix.T + origin).reshape(len(points), *input_shape)


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Shortcut(nn.Module):
    """x plus what the body makes of it."""

    def __init__(self, *body):
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x):
        return x + self.body(x)


class Beside(nn.Module):
    """x and what the body makes of it, along an axis."""

    def __init__(self, axis, *body):
        super().__init__()
        self.axis, self.body = axis, nn.Sequential(*body)

    def forward(self, x):
        return torch.cat([self.body(x), x], self.axis)


def _images():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        Shortcut(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU()),
        Beside(1, nn.Conv2d(2, 1, 1), nn.ReLU6()),
        nn.AvgPool2d(3, 1),
        nn.Flatten(),
        nn.Linear(3, 2),
    )


def _bent():
    return nn.Sequential(
        nn.Linear(2, 4),
        nn.PReLU(4),
        nn.Linear(4, 4),
        nn.Hardtanh(-0.3, 0.7),
        nn.Linear(4, 4),
        nn.LeakyReLU(0.1),
        nn.Linear(4, 4),
        nn.Hardsigmoid(),
        nn.Linear(4, 3),
        hinge.nn.Abs(),
        nn.RReLU(),
        hinge.nn.ShiftedReLU(0.25),
        nn.Linear(3, 2),
    )


def _dense(function, size=6):
    return lambda: nn.Sequential(nn.Linear(2, size), Call(function), nn.ReLU())


MODELS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU()), (2,)),
    "bent": (_bent, (2,)),
    "images": (_images, (1, 5, 5)),
    "tokens": (lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (3, 3)),
    "beside": (lambda: Beside(2, nn.Linear(3, 2), nn.ReLU()), (2, 3)),
    "crelu": (lambda: nn.Sequential(nn.Linear(2, 3), hinge.nn.CReLU(), nn.Linear(6, 2)), (2,)),
    "maxout": (lambda: nn.Sequential(nn.Linear(2, 9), hinge.nn.Maxout(3), nn.Linear(3, 2)), (2,)),
    "maxout of images": (lambda: nn.Sequential(nn.Conv2d(1, 4, 2), hinge.nn.Maxout(2)), (1, 3, 3)),
    "funnel": (lambda: nn.Sequential(nn.Conv2d(1, 2, 2), hinge.nn.FReLU(2)), (1, 4, 4)),
    "crelu in torch": (_dense(lambda x: torch.cat([x.relu(), (-x).relu()], 1)), (2,)),
    "maximum": (_dense(lambda x: torch.maximum(x[:, :3], x[:, 3:])), (2,)),
    "minimum": (_dense(lambda x: torch.minimum(x[:, :3], 0.5 - x[:, 3:])), (2,)),
    "group max": (_dense(lambda x: x.unflatten(1, (2, 3)).max(2).values), (2,)),
    "adaptive max": (
        _dense(lambda x: F.adaptive_max_pool1d(x.unflatten(1, (1, 7)), 3).flatten(1), 7),
        (2,),
    ),
    "dilated max": (
        _dense(lambda x: F.max_pool1d(x.unflatten(1, (1, 9)), 3, 2, 1, 2).flatten(1), 9),
        (2,),
    ),
    "ceiled max": (
        _dense(lambda x: F.max_pool1d(x.unflatten(1, (2, 4)), 3, 2, ceil_mode=True).flatten(1), 8),
        (2,),
    ),
    "itself twice": (_dense(lambda x: torch.maximum(x, x) + x + x), (2,)),
}


@cache
def network(name):
    """The model's network, with random weights and statistics."""
    torch.manual_seed(1)
    build, shape = MODELS[name]
    model = build().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, -1, 1)
            nn.init.normal_(module.bias)
    return hinge.read(model, torch.randn(3, *shape))


def dense_network(*layers, output=None):
    """A network of ReLU layers from (matrix, bias) pairs, kept in float64."""
    modules = []
    for weight, bias in layers:
        modules += [_linear(weight, bias), nn.ReLU()]
    if output is not None:
        modules.append(_linear([output[0]], output[1]))
    size = len(layers[0][0][0])
    return hinge.read(nn.Sequential(*modules), torch.zeros(2, size, dtype=torch.float64))


def _linear(weight, bias):
    rows, columns = np.shape(weight)
    linear = nn.Linear(columns, rows).double()
    linear.weight.data = torch.tensor(weight, dtype=torch.float64)
    linear.bias.data = torch.tensor(bias, dtype=torch.float64)
    return linear


def fractions_of(program, point):
    """All buffers at a point, in fractions, as the operations say."""
    buffers = [[Fraction(one) for one in point]]
    for operation in program.operations:
        match operation:
            case Linear(source, _, matrix, bias):
                x = buffers[source]
                rows = sparse.csr_array(matrix)
                value = [Fraction(float(b)) for b in bias]
                for row in range(len(value)):
                    for at in range(rows.indptr[row], rows.indptr[row + 1]):
                        value[row] += Fraction(float(rows.data[at])) * x[rows.indices[at]]
            case Total(several, _):
                value = [sum(each) for each in zip(*(buffers[i] for i in several), strict=True)]
            case Join(several, _):
                value = [one for i in several for one in buffers[i]]
            case Larger(source, _, first, second):
                x = buffers[source]
                value = [max(x[i], x[j]) for i, j in zip(first, second, strict=True)]
            case Bend():
                rows = zip(
                    operation.breaks.tolist(),
                    operation.slopes.tolist(),
                    operation.heights.tolist(),
                    buffers[operation.source],
                    strict=True,
                )
                value = [_bent(*row) for row in rows]
            case Fold():
                continue
        buffers.append(value)
    return buffers


def _bent(breaks, slopes, height, x):
    height, at = Fraction(height), Fraction(breaks[0])
    if x <= at:
        return height + Fraction(slopes[0]) * (x - at)
    for slope, right in zip(slopes[1:], [*breaks[1:], None], strict=True):
        if right is None or x <= Fraction(right):
            return height + Fraction(slope) * (x - at)
        height += Fraction(slope) * (Fraction(right) - at)
        at = Fraction(right)
    raise AssertionError


def signs_of(program, buffers):
    """The signs of all forms of all folds."""
    return [
        np.array(
            [
                (value > 0) - (value < 0)
                for value in (
                    buffers[fold.source][column] - Fraction(at)
                    for column, at in zip(fold.columns.tolist(), fold.breaks.tolist(), strict=True)
                )
            ],
            dtype=np.int64,
        )
        for fold in program.folds
    ]
