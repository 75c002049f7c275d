"""Small programs written by hand, for the tests of what is made of their cells."""

from __future__ import annotations

import itertools

import numpy as np

from hinge.regions.programs.program import Bend, Fold, Larger, Linear, Meaning, Operation, Program

SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
AROUND = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
"""The square of side 2 about the origin."""


def relu_program(*layers) -> Program:
    """Pairs (weight, bias), each but the last followed by ReLU; layer k's step is ``relu<k>``."""
    operations, widths, meanings = [], [2], []
    for k, (rows, heights) in enumerate(layers):
        weight, bias = np.array(rows, float), np.array(heights, float)
        n, here = len(bias), len(widths)
        operations.append(Linear(here - 1, here, weight, bias))
        widths.append(n)
        if k < len(layers) - 1:
            operations.append(Fold(here, np.arange(n), np.zeros(n)))
            slopes = np.tile([0.0, 1.0], (n, 1))
            operations.append(Bend(here, here + 1, np.zeros((n, 1)), slopes, np.zeros(n)))
            widths.append(n)
            meanings.append(meaning(f"relu{k}", range(n)))
    return Program(tuple(operations), tuple(widths), len(widths) - 1, tuple(meanings))


def meaning(step: str, entries, **more) -> Meaning:
    """One form per entry, in order."""
    entries = np.array(list(entries))
    n = len(entries)
    return Meaning(step, entries, np.zeros(n, np.int64), np.arange(n), np.ones(n, np.int8), **more)


def max_program(weight, bias) -> Program:
    """The largest of the rows of ``weight @ point + bias``, by a knock-out; the step is ``max``."""
    weight, bias = np.array(weight, float), np.array(bias, float)
    operations: list[Operation] = [Linear(0, 1, weight, bias)]
    widths, meanings, left, rounds = [2, len(bias)], [], len(bias), 0
    while left > 1:
        source, n, odd = len(widths) - 1, left // 2, left % 2
        first, second = np.arange(n) * 2, np.arange(n) * 2 + 1
        gaps = np.zeros((n, left))
        gaps[np.arange(n), second], gaps[np.arange(n), first] = 1.0, -1.0
        operations.append(Linear(source, source + 1, gaps, np.zeros(n)))
        operations.append(Fold(source + 1, np.arange(n), np.zeros(n)))
        more = {"winner": True, "round": rounds, "slot": np.arange(n), "matches": np.arange(n)}
        meanings.append(meaning("max", [0] * n, **more))
        if odd:
            first, second = np.append(first, left - 1), np.append(second, left - 1)
        operations.append(Larger(source, source + 2, first, second))
        widths += [n, n + odd]
        left, rounds = n + odd, rounds + 1
    return Program(tuple(operations), tuple(widths), len(widths) - 1, tuple(meanings))


def random_program(widths, seed: int) -> Program:
    """A ReLU network of 2 inputs whose weights are multiples of 1/8."""
    rng = np.random.default_rng(seed)
    sizes = [2, *widths]
    return relu_program(
        *(
            (rng.integers(-8, 9, (n, m)) / 8, rng.integers(-4, 5, n) / 8)
            for m, n in itertools.pairwise(sizes)
        )
    )
