"""The pattern of a cell: on which piece every unit is there, and who wins every maximum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hinge.regions.cells.knockouts import Knockout, knockouts, matches_of
from hinge.regions.cells.signs import Bools, Cells, Signs, States, chunks, packed
from hinge.regions.cutting.mesh import Words
from hinge.regions.programs.program import Bend, Fold, Indices, Larger, Meaning, Program

Pattern = dict[str, npt.NDArray[np.integer]]
"""What every step does, by its name: see `Patterns.states`."""


@dataclass(frozen=True, eq=False)
class _Branch:
    """By which rows of a fold's meaning an operation picks its pieces: ``(n, p)``, -1 for none."""

    fold: int
    rows: Indices

    def pieces(self, signs: Signs, cells: Cells) -> States:
        """The number of the piece of every entry: ``(n, entries)`` int8."""
        above = signs.rows(self.fold, cells) > 0
        above = np.concatenate([above, np.zeros((len(above), 1), np.bool_)], axis=1)
        pieces = np.zeros((len(above), len(self.rows)), np.int8)
        for number, column in enumerate(self.rows.T, 1):
            pieces[above[:, column]] = number  # the breaks ascend: the last one passed counts
        return pieces


@dataclass(frozen=True, eq=False)
class Patterns(Signs):
    """The patterns of all cells of a subdivision, read as what they say of the network."""

    def pieces(self, operation: int, cells: Cells) -> States:
        """What the operation of this number does in each cell: ``(n, width)`` int8.

        Of a `Bend` the piece of each entry: the number of breaks below it, 0 left of the
        first; on a whole cell at a break, the piece left of it. Of a `Larger` 1 where the
        second of the two is taken.
        """
        return self._branches[operation].pieces(self, cells)

    def states(self, cells: Cells) -> Pattern:
        """What every step does in each cell, by its name, in order.

        Of an activation the piece of every entry of its pre-activation, ``(n, entries)``
        int8, as in `pieces`; of a max the place of the winner of every entry among the
        values it reads, flat (-1 where there is but one), ``(n, entries)`` int32.
        """
        found: Pattern = {}
        maxima = {one.step: one for one in self.knockouts}
        for fold, meaning in enumerate(self.program.meanings):
            if not meaning.winner:
                branch = self._of_fold(fold)
                found[meaning.step] = branch.pieces(self, cells)
            elif meaning.step not in found:
                found[meaning.step] = maxima[meaning.step].walk(self, cells)[0]
        return found

    @cached_property
    def knockouts(self) -> list[Knockout]:
        """The max steps."""
        return knockouts(self.program)

    @property
    def n_distinct(self) -> int:
        """How many different patterns there are.

        A pattern holds on a convex set, so that these are as many as the cells, once the
        pieces of a cell that only a match without a say has cut are joined.
        """
        words = canonical_patterns(self.program, self.words, self.flat)
        told = np.concatenate([words, self._flat_bits(words)], axis=1)
        return len(np.unique(told, axis=0)) if told.shape[1] else int(self.n_cells > 0)

    def _flat_bits(self, words: Words) -> Words:
        """Which forms are flat, as bits, and to be told from negative ones."""
        flat = np.zeros_like(words)
        cells, marks = (one.astype(np.int64) for one in self.flat.T)
        matters = np.zeros(64 * words.shape[1], np.bool_)
        for fold, first in enumerate(self.program.first_words[:-1]):
            meaning = self.program.meanings[fold]
            backwards = (meaning.forms >= 0) & (meaning.orientation < 0)
            matters[64 * first + meaning.forms[backwards]] = True
        cells, marks = cells[matters[marks]], marks[matters[marks]]
        bits = np.left_shift(np.uint64(1), (marks % 64).astype(np.uint64))
        np.bitwise_or.at(flat, (cells, marks // 64), bits)
        return flat

    @cached_property
    def _branches(self) -> dict[int, _Branch]:
        """Of each `Bend` and `Larger`, by the number of the operation."""
        found: dict[int, _Branch] = {}
        fold, folded = -1, 0
        for number, operation in enumerate(self.program.operations):
            if isinstance(operation, Fold):
                fold, folded = fold + 1, operation.source
            elif isinstance(operation, Bend) and operation.source == folded:
                meaning = self.program.meanings[fold]
                found[number] = _Branch(fold, _rows(meaning, operation.breaks.shape))
            elif isinstance(operation, Larger):
                matches = matches_of(self.program.meanings[fold])
                rows = np.full((len(operation.first), 1), -1, np.int64)
                rows[matches, 0] = np.arange(len(matches))
                found[number] = _Branch(fold, rows)
        return found

    def _of_fold(self, fold: int) -> _Branch:
        meaning = self.program.meanings[fold]
        n_entries = self.program.widths[self.program.folds[fold].source]
        return _Branch(
            fold, _rows(meaning, (n_entries, 1 + int(meaning.break_index.max(initial=0))))
        )


def _rows(meaning: Meaning, shape: tuple[int, ...]) -> Indices:
    rows = np.full(shape, -1, np.int64)
    rows[meaning.entries, meaning.break_index] = np.arange(len(meaning.entries))
    return rows


def canonical_patterns(
    program: Program, patterns: Words, flat: npt.NDArray[np.int32] | None = None
) -> Words:
    """Return the patterns with the bits cleared that mean nothing where they are.

    A match of a knock-out means nothing where both of its values lose later on. Neighbours
    that then have equal patterns are parts of one cell. ``patterns`` ``(F, W)`` uint64 and
    ``flat`` ``(K, 2)`` as in `Mesh`. A form that several matches share keeps its bit where
    one of them means something.
    """
    none = np.zeros((0, 2), np.int32)
    return patterns & counting_bits(program, patterns, none if flat is None else flat)


def counting_bits(program: Program, patterns: Words, flat: npt.NDArray[np.int32]) -> Words:
    """Words ``(F, W)`` with a 1 for each form that says something of its cell.

    Of the forms of a knock-out these are the ones that decide a match on the way of a winner.
    """
    signs = Signs(program, patterns, flat)
    kept = np.full_like(patterns, np.iinfo(np.uint64).max)
    for knockout in knockouts(program):
        width = sum(len(one.row_of) for one in knockout.rounds) + len(knockout.finals)
        for cells in chunks(np.arange(len(patterns)), width):
            _, met = knockout.walk(signs, cells)
            for played, seen in zip(knockout.rounds, met, strict=True):
                first, last = program.first_words[played.fold : played.fold + 2]
                spoken = _spoken(program.meanings[played.fold], program, played.fold, seen)
                kept[cells, first:last] = packed(spoken, last - first)
    return kept


def _spoken(meaning: Meaning, program: Program, fold: int, met: Bools) -> Bools:
    """Which forms of a fold decide a match that was met: ``(n, n_forms)``."""
    spoken = np.zeros((len(met), program.folds[fold].n_forms), np.bool_)
    rows = np.flatnonzero(meaning.forms >= 0)
    rows = rows[np.argsort(meaning.forms[rows], kind="stable")]
    if len(rows):
        forms, starts = np.unique(meaning.forms[rows], return_index=True)
        spoken[:, forms] = np.logical_or.reduceat(met[:, matches_of(meaning)[rows]], starts, axis=1)
    return spoken
