"""Puts a program together, operation by operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import sparse

from hinge.regions.programs.constants import Constants, constants_after, no_constants
from hinge.regions.programs.forms import distinct
from hinge.regions.programs.pieces import Bends
from hinge.regions.programs.program import (
    Bend,
    Fold,
    Indices,
    Join,
    Larger,
    Linear,
    Meaning,
    Operation,
    Program,
    Reals,
    Total,
    sources,
)


@dataclass
class Assembly:
    """The operations so far. Each method adds some and returns the buffer that they fill."""

    widths: list[int]
    operations: list[Operation] = field(default_factory=list)
    meanings: list[Meaning] = field(default_factory=list)
    _made_by: dict[int, Linear] = field(default_factory=dict)
    _constants: list[Constants] = field(init=False)

    def __post_init__(self) -> None:
        self._constants = [no_constants(width) for width in self.widths]

    def linear(self, source: int, matrix: Any, bias: Reals) -> int:
        """``matrix @ source + bias``; the source itself where that is the same."""
        if _is_identity(matrix) and not bias.any():
            return source
        made = Linear(source, len(self.widths), matrix, bias)
        self._made_by[made.target] = made
        return self._add(made, len(bias))

    def gather(self, source: int, index: Indices) -> int:
        """The values of the source at these places."""
        entries = (np.ones(len(index)), (np.arange(len(index)), index))
        matrix = sparse.csr_array(entries, shape=(len(index), self.widths[source]))
        return self.linear(source, matrix, np.zeros(len(index)))

    def total(self, sources: Sequence[int]) -> int:
        """The sum of buffers."""
        return self._add(Total(tuple(sources), len(self.widths)), self.widths[sources[0]])

    def join(self, sources: Sequence[int]) -> int:
        """Buffers one after the other."""
        if len(sources) == 1:
            return sources[0]
        made = Join(tuple(sources), len(self.widths))
        return self._add(made, sum(self.widths[one] for one in sources))

    def bend(self, source: int, bends: Bends, step: str) -> int:
        """An activation, and where it folds."""
        entries, index = bends.kinks
        self.fold(
            source, entries, bends.breaks[entries, index], Meaning(step, entries, index, *_NO)
        )
        made = Bend(source, len(self.widths), bends.breaks, bends.slopes, bends.heights)
        return self._add(made, self.widths[source])

    def fold(self, source: int, columns: Indices, breaks: Reals, meaning: Meaning) -> None:
        """Fold where ``source[columns] - breaks`` change sign.

        ``meaning`` has a row for each row of ``speaks_of``, by default for each form given;
        its forms and orientation are found here.
        """
        found = distinct(self._made_by.get(source), self._constants[source], columns, breaks)
        self.operations.append(Fold(source, found.columns, found.breaks))
        rows = slice(None) if meaning.matches is None else meaning.matches
        self.meanings.append(
            replace(meaning, forms=found.forms[rows], orientation=found.orientation[rows])
        )

    def larger(self, source: int, first: Indices, second: Indices, meaning: Meaning) -> int:
        """The larger of each pair, and where it folds. An entry may meet itself."""
        matches = np.arange(len(first))
        apart = np.flatnonzero(first != second)
        entries = (
            np.repeat([1.0, -1.0], len(apart)),
            (np.tile(apart, 2), np.concatenate([second[apart], first[apart]])),
        )
        matrix = sparse.csr_array(entries, shape=(len(first), self.widths[source]))
        lead = self.linear(source, matrix, np.zeros(len(first)))
        self.fold(lead, matches, np.zeros(len(first)), meaning)
        return self._add(Larger(source, len(self.widths), first, second), len(first))

    def program(self, output: int, smooth: str = "") -> Program:
        """Return the program, without what neither its output nor a fold depends on."""
        needed, kept = {0, output}, list[Operation]()
        for operation in reversed(self.operations):
            if isinstance(operation, Fold) or operation.target in needed:
                kept.append(operation)
                needed.update(sources(operation))
        number = {old: new for new, old in enumerate(sorted(needed))}
        return Program(
            tuple(_renumbered(operation, number) for operation in reversed(kept)),
            tuple(self.widths[old] for old in sorted(needed)),
            number[output],
            tuple(self.meanings),
            smooth,
        )

    def _add(self, operation: Linear | Total | Join | Bend | Larger, width: int) -> int:
        self.operations.append(operation)
        self.widths.append(width)
        self._constants.append(constants_after(operation, self._constants, width))
        return len(self.widths) - 1


_NO = (np.zeros(0, np.int64), np.zeros(0, np.int8))
"""Forms and orientations that are not known yet."""


def _renumbered(operation: Operation, number: dict[int, int]) -> Operation:
    if isinstance(operation, Fold):
        return replace(operation, source=number[operation.source])
    target = number[operation.target]
    if isinstance(operation, (Total, Join)):
        return replace(
            operation, sources=tuple(number[one] for one in operation.sources), target=target
        )
    return replace(operation, source=number[operation.source], target=target)


def _is_identity(matrix: Any) -> bool:
    rows, columns = matrix.shape
    if rows != columns:
        return False
    entries = sparse.csr_array(matrix)
    return (
        entries.nnz == rows
        and bool((entries.indptr == np.arange(rows + 1)).all())
        and bool((entries.indices == np.arange(rows)).all())
        and bool((entries.data == 1).all())
    )
