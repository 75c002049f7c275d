"""The sign of every form, and of all that it speaks of, in cells of a subdivision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hinge.regions.cutting.mesh import Words
from hinge.regions.programs.program import Program

Cells = npt.NDArray[np.integer]
"""Numbers of cells, ``(n,)``."""

States = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_CHUNK = 1 << 24
"""So many values are unpacked at once where all cells are gone through."""


@dataclass(frozen=True, eq=False)
class Signs:
    """The ``patterns`` and ``flat`` pairs of a `Mesh` or a `Chain`, read as signs.

    ``words`` ``(F, W)`` uint64, ``flat`` ``(K, 2)``: see `Mesh`.
    """

    program: Program
    words: Words
    flat: npt.NDArray[np.int32]

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return len(self.words)

    def forms(self, fold: int, cells: Cells) -> States:
        """The sign (-1, 0 or 1) of each form of a fold in each cell: ``(n, n_forms)`` int8."""
        first, last = self.program.first_words[fold : fold + 2]
        signs = 2 * unpacked(self.words[cells, first:last]).view(np.int8) - 1
        where, marks = self._flat_in(cells)
        here = (marks >= 64 * first) & (marks < 64 * last)
        signs[where[here], marks[here] - 64 * first] = 0
        found: States = signs[:, : self.program.folds[fold].n_forms]
        return found

    def rows(self, fold: int, cells: Cells) -> States:
        """The sign of each row of the fold's `Meaning` in each cell: ``(n, n_rows)`` int8."""
        meaning = self.program.meanings[fold]
        forms = self.forms(fold, cells)
        if not forms.shape[1]:
            return np.repeat(meaning.orientation[None], len(forms), axis=0)
        signs: States = forms[:, meaning.forms] * meaning.orientation
        constant = meaning.forms < 0
        signs[:, constant] = meaning.orientation[constant]
        return signs

    def sign_of(self, cells: Cells, marks: Numbers) -> States:
        """The sign of form ``marks[i]`` in cell ``cells[i]``: ``(n,)`` int8."""
        words = self.words[cells, marks // 64] >> (marks % 64).astype(np.uint64)
        signs = 2 * (words & np.uint64(1)).astype(np.int8) - 1
        width = 64 * self.words.shape[1]
        flat = self.flat[:, 0].astype(np.int64) * width + self.flat[:, 1]
        signs[np.isin(cells.astype(np.int64) * width + marks, flat)] = 0
        return signs

    def counts(self, fold: int) -> tuple[Numbers, Numbers]:
        """In how many cells each row of the fold's `Meaning` is positive, and negative."""
        meaning = self.program.meanings[fold]
        positive, negative = (np.zeros(len(meaning.forms), np.int64) for _ in range(2))
        for cells in chunks(np.arange(self.n_cells), len(meaning.forms)):
            signs = self.rows(fold, cells)
            positive += np.count_nonzero(signs > 0, axis=0)
            negative += np.count_nonzero(signs < 0, axis=0)
        return positive, negative

    def positive(self, fold: int) -> tuple[Bools, Bools]:
        """Whether each row of the fold's `Meaning` is positive in some cell, and in every cell."""
        meaning = self.program.meanings[fold]
        upright = meaning.orientation > 0
        if not self.n_cells or not self.program.folds[fold].n_forms:
            return upright, upright
        (any_set, all_set), (any_kept, all_kept) = self._over_all_cells
        first, last = self.program.first_words[fold : fold + 2]
        marks = np.maximum(meaning.forms, 0)
        # A form is negative where its bit is neither set nor flat.
        above = [unpacked(one[None, first:last])[0, marks] > 0 for one in (any_set, all_set)]
        below = [unpacked(one[None, first:last])[0, marks] == 0 for one in (all_kept, any_kept)]
        some, every = (
            np.where(meaning.forms < 0, upright, np.where(upright, one, other))
            for one, other in zip(above, below, strict=True)
        )
        return some, every

    @cached_property
    def _over_all_cells(self) -> tuple[tuple[Words, Words], tuple[Words, Words]]:
        """The bits set in any cell and in all, ``(W,)`` each; then those set or flat."""
        kept = self.words
        if len(self.flat):
            kept = self.words.copy()
            cells, marks = self.flat[:, 0], self.flat[:, 1]
            bits = np.left_shift(np.uint64(1), (marks % 64).astype(np.uint64))
            np.bitwise_or.at(kept, (cells, marks // 64), bits)
        either, other = (
            (np.bitwise_or.reduce(one, axis=0), np.bitwise_and.reduce(one, axis=0))
            for one in (self.words, kept)
        )
        return either, other

    @cached_property
    def _flat_sorted(self) -> npt.NDArray[np.int32]:
        return self.flat[np.argsort(self.flat[:, 0], kind="stable")]

    def _flat_in(self, cells: Cells) -> tuple[Numbers, Numbers]:
        """Which of the ``cells``, by place, and which mark, for each flat pair in them."""
        if not len(self.flat):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        start, end = (np.searchsorted(self._flat_sorted[:, 0], cells, s) for s in ("left", "right"))
        lengths = end - start
        where = np.repeat(np.arange(len(cells)), lengths)
        within = np.arange(len(where)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return where, self._flat_sorted[np.repeat(start, lengths) + within, 1].astype(np.int64)


def unpacked(words: Words) -> npt.NDArray[np.uint8]:
    """The bits of words ``(n, w)`` as ``(n, 64 w)``, the lowest of each word first."""
    octets = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)
    return np.unpackbits(octets, axis=1, bitorder="little")


def packed(bits: Bools, n_words: int) -> Words:
    """Bits ``(n, m)`` as words ``(n, n_words)``: the inverse of `unpacked`, zeros beyond m."""
    octets = np.zeros((len(bits), 8 * n_words), np.uint8)
    found = np.packbits(bits, axis=1, bitorder="little")
    octets[:, : found.shape[1]] = found
    return octets.view("<u8").astype(np.uint64)


def chunks(cells: Cells, values: int, most: int = _CHUNK) -> Iterator[Cells]:
    """Cut the cells so that at ``values`` values in each cell no chunk has more than ``most``."""
    size = max(1, most // max(1, values))
    for start in range(0, len(cells), size):
        yield cells[start : start + size]
