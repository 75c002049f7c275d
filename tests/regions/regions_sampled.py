"""Subdivisions for tests: on a segment exactly and slowly, on a plane from a grid of points."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import torch
from torch import nn

import hinge
from hinge.domains import Polygon, Segment
from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.signs import packed
from hinge.regions.cutting.mesh import Chain
from hinge.regions.exactly.rational import ExactProgram
from hinge.regions.programs.evaluation import program_values
from hinge.regions.programs.lowering import lower

NO_FLAT = np.zeros((0, 2), np.int32)


def network(*layers, n_in=2):
    return hinge.read(nn.Sequential(*layers).double(), torch.zeros(2, n_in, dtype=torch.float64))


def dense(weight, bias=None):
    """A dense layer of exactly these weights."""
    weight = torch.tensor(weight, dtype=torch.float64)
    layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
    with torch.no_grad():
        layer.weight[:] = weight
        layer.bias[:] = 0 if bias is None else torch.tensor(bias, dtype=torch.float64)
    return layer


def random_network(*widths, seed=0, activation=nn.ReLU):
    torch.manual_seed(seed)
    layers = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), activation()]
    return network(*layers[:-1], n_in=widths[0])


def on_square(net):
    return lower(net, Polygon.rectangle([-1, -1], [1, 1]))


def words_at(program, points):
    """The pattern at each point, by plain evaluation."""
    values = program_values(program, points)
    words = [np.zeros((len(points), 0), np.uint64)]
    for fold in program.folds:
        positive = values[fold.source][:, fold.columns] > fold.breaks
        words.append(packed(positive, -(-fold.n_forms // 64)))
    return np.concatenate(words, axis=1)


def sampled(program, n=80):
    """Cells met by a grid on the square: patterns, pairs of neighbours, points and their cells."""
    ticks = np.linspace(-1, 1, n + 1)[:-1] + 1 / n
    points = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), -1).reshape(-1, 2)
    points = points + np.random.default_rng(1).uniform(-0.2 / n, 0.2 / n, points.shape)
    words, cells = np.unique(words_at(program, points), axis=0, return_inverse=True)
    grid = cells.reshape(n, n)
    pairs = np.concatenate(
        [
            np.stack([grid[1:].ravel(), grid[:-1].ravel()], 1),
            np.stack([grid[:, 1:].ravel(), grid[:, :-1].ravel()], 1),
        ]
    )
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    return Patterns(program, words, NO_FLAT), pairs, points, grid.ravel()


def chain(program):
    """The pieces of the segment from 0 to 1, all signs exact."""
    exact = ExactProgram(program)
    points = [Fraction(0), Fraction(1)]

    def forms(at, fold):
        return exact.run([at.numerator], at.denominator).forms(fold) / Fraction(at.denominator)

    for fold in program.folds:
        found = {at: forms(at, fold) for at in points}
        for a, b in pairwise(points):
            for z, w in zip(found[a], found[b], strict=True):
                if z * w < 0:
                    points = [*points, a + (b - a) * z / (z - w)]
        points = sorted(set(points))
    return _labelled(program, points, forms)


def _labelled(program, points, forms):
    words = np.zeros((len(points) - 1, program.first_words[-1]), np.uint64)
    flat, labels = [], [{-1}, *(set() for _ in points[2:]), {-2}]
    for number, (fold, first) in enumerate(
        zip(program.folds, program.first_words[:-1], strict=True)
    ):
        if not fold.n_forms:
            continue
        values = np.array([np.sign(forms(at, fold)) for at in points]).astype(int)
        between = np.sign(values[1:] + values[:-1])
        n_words = program.first_words[number + 1] - first
        words[:, first : first + n_words] = packed(between > 0, n_words)
        flat += [(i, 64 * first + j) for i, j in np.argwhere(between == 0)]
        for i, j in np.argwhere(values == 0):
            around = between[max(0, i - 1) : i + 1, j]
            if around.any():
                labels[i].add(64 * first + j)
    sets = sorted({tuple(sorted(one)) for one in labels})
    return Chain(
        np.array([float(one) for one in points]),
        np.array([sets.index(tuple(sorted(one))) for one in labels], np.int32),
        tuple(sets),
        words,
        np.array(sorted(flat), np.int32).reshape(-1, 2),
    )


def known_chain(program, points):
    """The same where the points are known, and floats are exact there and between them."""
    middle = (points[1:] + points[:-1])[:, None] / 2
    at, between = program_values(program, points[:, None]), program_values(program, middle)
    zero, flat = [], []
    for fold, first in zip(program.folds, program.first_words[:-1], strict=True):
        marks = 64 * first + np.arange(fold.n_forms)
        zero.append((at[fold.source][:, fold.columns] == fold.breaks, marks))
        flat.append((between[fold.source][:, fold.columns] == fold.breaks, marks))
    bits = np.concatenate([np.zeros((len(points), 2), bool), *(one for one, _ in zero)], axis=1)
    bits[[0, -1], [0, 1]] = True
    marks = np.concatenate([[-1, -2], *(marks for _, marks in zero)])
    sets, labels = np.unique(bits, axis=0, return_inverse=True)
    cells, columns = np.nonzero(np.concatenate([one for one, _ in flat], axis=1))
    return Chain(
        points,
        labels.astype(np.int32),
        tuple(tuple(marks[one].tolist()) for one in sets),
        words_at(program, middle),
        np.stack([cells, marks[2:][columns]], axis=1).astype(np.int32),
    )


def on_segment(net, a=(-1.0,), b=(1.0,)):
    return lower(net, Segment(list(a), list(b)))
