"""How large the numbers of any cell's affine map can be, and how fine: bounds for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import frexp
from typing import Any

import numpy as np

from hinge.regions.programs.program import (
    Bend,
    Fold,
    Join,
    Larger,
    Linear,
    Operation,
    Program,
    Reals,
    Total,
)


@dataclass(frozen=True)
class Extent:
    """Numbers that are integers over ``2 ** below``, of magnitude at most ``2 ** above``."""

    below: int
    above: int

    def times(self, other: Extent) -> Extent:
        """The products of these numbers."""
        return Extent(self.below + other.below, self.above + other.above)

    def plus(self, other: Extent) -> Extent:
        """The sums of two."""
        return Extent(max(self.below, other.below), max(self.above, other.above) + 1)


def extent(program: Program) -> Extent:
    """Bounds for the slopes and constants of the output in every cell, whatever its pattern."""
    held = {0: Extent(0, 0)}
    for operation in program.operations:
        if not isinstance(operation, Fold):
            held[operation.target] = _extent(operation, held)
    return held[program.output]


def _extent(operation: Operation, held: dict[int, Extent]) -> Extent:
    match operation:
        case Linear(source, _, matrix, bias):
            return held[source].times(_of_matrix(matrix)).plus(_of(bias))
        case Total(several, _):
            largest = _either([held[one] for one in several])
            return Extent(largest.below, largest.above + len(several).bit_length())
        case Join(several, _):
            return _either([held[one] for one in several])
        case Bend(source):
            slopes, breaks = _of(operation.slopes), _of(operation.breaks)
            constant = slopes.times(breaks).plus(_of(operation.heights))
            for _ in range(operation.breaks.shape[1]):
                constant = constant.plus(slopes.plus(slopes).times(breaks))
            return held[source].times(slopes).plus(constant)
        case Larger(source) | Fold(source):
            return held[source]


def _either(several: Sequence[Extent]) -> Extent:
    return Extent(max(one.below for one in several), max(one.above for one in several))


def _of(numbers: Reals) -> Extent:
    """The lowest bit that is set, and the highest."""
    mantissas, exponents = np.frexp(numbers[numbers != 0])
    if not len(exponents):
        return Extent(0, 0)
    whole = (mantissas * 2.0**53).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1 + exponents - 53
    return Extent(max(0, -int(lowest.min())), int(exponents.max()))


def _of_matrix(matrix: Any) -> Extent:
    """The lowest bit, and a bound on the sum of magnitudes of a row."""
    entries = matrix if isinstance(matrix, np.ndarray) else matrix.data
    found = _of(entries)
    with np.errstate(over="ignore"):
        rows = float(np.max(abs(matrix).sum(axis=1), initial=0.0))
    if not np.isfinite(rows):
        return Extent(found.below, found.above + int(matrix.shape[1]).bit_length())
    return Extent(found.below, frexp(rows)[1] + 1)
