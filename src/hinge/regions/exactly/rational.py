"""A program in exact arithmetic: at points with rational coordinates, and on whole cells.

All values are columns of integers. A column stands for a point or for one term of an affine
function; ``ones`` holds, column by column, what the number 1 is there: a point's denominator,
or 0 but for the constant term. Buffer i is ``integers / 2**shifts[i]``, and at a point also
divided by its denominator. The shifts depend on the program alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import assert_never

import numpy as np

from hinge.regions.exactly.choices import Booleans, choices
from hinge.regions.exactly.integers import Integers, shifted, whole
from hinge.regions.exactly.rational_linear import ExactLinear
from hinge.regions.exactly.rational_operations import (
    Exact,
    ExactBend,
    ExactLarger,
    ExactUnion,
    Given,
)
from hinge.regions.programs.program import Bend, Fold, Indices, Join, Larger, Linear, Program, Total

_Operation = Linear | Total | Join | Bend | Larger


class ExactProgram:
    """A program whose numbers are integers; operations are prepared when first needed."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.operations = [one for one in program.operations if not isinstance(one, Fold)]
        self.shifts = [0]
        self.ready: list[Exact] = [Given()]

    def run(self, coordinates: Sequence[int], denominator: int) -> Run:
        """Return the values at the point ``coordinates / denominator``, computed when asked."""
        point = _column([int(one) for one in coordinates])
        return Run(self, _column([int(denominator)])[0], [point])

    def affine(self, positive: Sequence[Booleans]) -> tuple[Integers, int]:
        """Return the affine map of a cell as ``(integers, shift)``.

        ``positive`` tells for each fold which forms are positive (`choices.positive_forms`).
        ``integers`` is ``(n_outputs, d + 1)``: the matrix, and the constant as last column,
        all to be divided by ``2**shift``, which is the same for all cells. Two cells have the
        same map if and only if their integers are equal.
        """
        size = self.program.widths[0]
        start = np.array([[int(i == j) for j in range(size + 1)] for i in range(size)], object)
        ones = np.array([0] * size + [1], object)
        run = Run(self, ones, [start], dict(choices(self.program, positive)))
        output = self.program.output
        return run.buffer(output), self.shifts[output]

    def prepare(self, buffer: int) -> None:
        """Turn the operations up to the one that fills ``buffer`` into integers."""
        for operation in self.operations[len(self.ready) - 1 : buffer]:
            self.ready.append(_prepared(operation, self.shifts))
            self.shifts.append(self.ready[-1].shift)


def _prepared(operation: _Operation, shifts: Sequence[int]) -> Exact:
    match operation:
        case Linear():
            return ExactLinear(operation, shifts)
        case Bend():
            return ExactBend(operation, shifts)
        case Larger():
            return ExactLarger(operation, shifts)
        case Total() | Join():
            return ExactUnion(operation, shifts)
        case _:
            assert_never(operation)


@dataclass
class Run:
    """Values in exact arithmetic, as far as they were asked for; see the module's first lines."""

    exact: ExactProgram
    ones: Integers
    values: list[Integers]
    chosen: Mapping[int, Indices] = field(default_factory=dict)

    def buffer(self, buffer: int) -> Integers:
        """Return the integers of a buffer: a row for each value."""
        self.exact.prepare(buffer)
        while len(self.values) <= buffer:
            target = len(self.values)
            operation = self.exact.ready[target]
            self.values.append(operation.apply(self.values, self.ones, self.chosen.get(target)))
        return self.values[buffer]

    def entry(self, buffer: int, row: int) -> Integers:
        """Return one row of a buffer, without the other rows of a Linear if it is one."""
        self.exact.prepare(buffer)
        ready = self.exact.ready[buffer]
        if len(self.values) > buffer or not isinstance(ready, ExactLinear):
            value: Integers = self.buffer(buffer)[row]
            return value
        return ready.row(row, self.buffer(ready.source), self.ones)

    def fractions(self, buffer: int) -> list[Fraction]:
        """Return a buffer's values at the point."""
        below = int(self.ones[0]) << self.exact.shifts[buffer] if self.buffer(buffer).size else 1
        return [Fraction(int(one), below) for one in self.buffer(buffer)[:, 0]]

    def forms(self, fold: Fold) -> Integers:
        """Return all forms of a fold at the point, times one positive number."""
        return self.columns(fold)[:, 0]

    def columns(self, fold: Fold) -> Integers:
        """Return all forms of a fold, a row each, times one positive number."""
        return self._less(self.buffer(fold.source)[fold.columns], fold, slice(None))

    def form(self, fold: Fold, form: int) -> int:
        """Return one form of a fold at the point, times its denominator and a power of two.

        The power of two is the same at all points.
        """
        values = self.entry(fold.source, int(fold.columns[form]))[None]
        return int(self._less(values, fold, slice(form, form + 1))[0, 0])

    def _less(self, values: Integers, fold: Fold, forms: slice) -> Integers:
        if not fold.breaks.any():
            return values
        breaks, finer = whole(fold.breaks)
        coarse = self.exact.shifts[fold.source]
        shift = max(coarse, finer)
        at = shifted(breaks[forms], shift - finer)
        return shifted(values, shift - coarse) - np.multiply.outer(at, self.ones)


def _column(numbers: Sequence[int]) -> Integers:
    column = np.empty((len(numbers), 1), object)
    column[:, 0] = numbers
    return column
