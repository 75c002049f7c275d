"""Takes affine maps of the domain through a program, many cells at a time, by any arithmetic.

A value is an array ``(width, d + 1, n)``: for each entry of a buffer its d slopes in the
domain's coordinates and its constant, in each of n cells. In one cell a program is affine,
so that every operation takes values to values; by which arithmetic, the `Rules` say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.signs import Bools, Cells, States
from hinge.regions.programs.program import (
    Bend,
    Fold,
    Indices,
    Join,
    Larger,
    Linear,
    Operation,
    Reals,
    Total,
    sources,
)

Value = TypeVar("Value")

BUDGET = 1 << 27
"""So many bytes a chunk of cells may take on its way, about."""


class Rules(Protocol[Value]):
    """An arithmetic. ``number`` is that of the operation in the program, to keep things by."""

    def start(self, dimension: int, n_cells: int) -> Value:
        """The coordinates themselves."""

    def linear(self, number: int, operation: Linear, value: Value) -> Value:
        """``matrix @ value``, and ``bias`` on the constants."""

    def total(self, values: Sequence[Value]) -> Value:
        """The sum."""

    def join(self, values: Sequence[Value]) -> Value:
        """One after the other."""

    def bend(self, number: int, operation: Bend, value: Value, pieces: States) -> Value:
        """Each entry by the line of its piece, ``pieces`` being ``(width, n)``."""

    def larger(self, operation: Larger, value: Value, second: Bools) -> Value:
        """Of each pair the second where ``second`` ``(width, n)`` is True, else the first."""


def forward(patterns: Patterns, cells: Cells, rules: Rules[Value], target: int) -> Value:
    """The value of buffer ``target`` in these cells."""
    program = patterns.program
    here = _Here(patterns, cells, rules)
    held: dict[int, Value] = {0: rules.start(program.widths[0], len(cells))}
    left = _last_uses(program.operations, target)
    for number, operation in enumerate(program.operations):
        if target in held:
            break
        if not isinstance(operation, Fold):
            held[operation.target] = _step(here, number, operation, held)
        for buffer in [one for one in held if one != target and left.get(one, -1) <= number]:
            del held[buffer]
    return held[target]


@dataclass(frozen=True, eq=False)
class _Here(Generic[Value]):
    """In which cells, and by which arithmetic."""

    patterns: Patterns
    cells: Cells
    rules: Rules[Value]

    def pieces(self, number: int) -> States:
        """What an operation does, ``(width, n)``."""
        return np.ascontiguousarray(self.patterns.pieces(number, self.cells).T)


def _step(
    here: _Here[Value],
    number: int,
    operation: Linear | Total | Join | Bend | Larger,
    held: dict[int, Value],
) -> Value:
    rules = here.rules
    match operation:
        case Linear():
            return rules.linear(number, operation, held[operation.source])
        case Total():
            return rules.total([held[one] for one in operation.sources])
        case Join():
            return rules.join([held[one] for one in operation.sources])
        case Bend():
            return rules.bend(number, operation, held[operation.source], here.pieces(number))
        case Larger():
            return rules.larger(operation, held[operation.source], here.pieces(number) > 0)


def _last_uses(operations: Sequence[Operation], target: int) -> dict[int, int]:
    uses = {
        buffer: number
        for number, operation in enumerate(operations)
        if not isinstance(operation, Fold)
        for buffer in sources(operation)
    }
    return {**uses, target: len(operations)}


def bytes_per_cell(patterns: Patterns, arrays: int) -> int:
    """About the memory that one cell takes on its way where a value is so many arrays."""
    widths = patterns.program.widths
    bent = [w for w in widths if w] or [1]
    return 8 * arrays * (widths[0] + 1) * 3 * max(bent)


def chosen(table: Reals, pieces: States) -> Reals:
    """Entry by entry the column of its piece: ``(width, p + 1)`` by ``(width, n)``."""
    if table.shape[1] == 2:  # noqa: PLR2004 - one break, by far the most usual
        return np.where(pieces > 0, table[:, 1:], table[:, :1])
    return np.take_along_axis(table, pieces.astype(np.intp), axis=1)


def constants(bend: Bend) -> Reals:
    """The line of each piece at 0, correctly rounded: ``(width, p + 1)``."""
    if not bend.breaks.any() and not bend.heights.any():
        return np.zeros_like(bend.slopes)
    numbers = np.concatenate([bend.breaks, bend.slopes, bend.heights[:, None]], axis=1)
    distinct, back = np.unique(numbers, axis=0, return_inverse=True)
    count = bend.breaks.shape[1]
    lines = [_line(row[:count], row[count:-1], row[-1]) for row in distinct.tolist()]
    rounded: Reals = np.array(lines)[back.reshape(-1)]
    return rounded


def _line(breaks: Sequence[float], slopes: Sequence[float], height: float) -> list[float]:
    at = Fraction(height) - Fraction(slopes[0]) * Fraction(breaks[0])
    found = [float(at)]
    for place, before, after in zip(breaks, slopes, slopes[1:], strict=False):
        at += (Fraction(before) - Fraction(after)) * Fraction(place)
        found.append(float(at))
    return found


def row_length(matrix: Any) -> int:
    """The most terms that a row of a product with this matrix sums."""
    if isinstance(matrix, np.ndarray):
        return int(matrix.shape[1])
    return int(np.diff(matrix.indptr).max(initial=0))


def times(matrix: Any, value: Reals) -> Reals:
    """``matrix @ value`` for a value ``(width, d + 1, n)``."""
    flat = matrix @ value.reshape(len(value), -1)
    product: Reals = flat.reshape(-1, *value.shape[1:])
    return product


def picked(value: Reals, first: Indices, second: Indices, takes_second: Bools) -> Reals:
    """Of each pair of entries one, cell by cell."""
    return np.where(takes_second[:, None], value[second], value[first])
