"""Which matches of a knock-out count in a cell: those on the way of its winners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.regions.bits import WORD, Flags, as_words, read_marks
from hinge.regions.mesh import Indices, Words
from hinge.regions.program import Fold, Larger, Meaning, Program
from hinge.regions.topology import Numbers

_AT_ONCE = 1 << 24
"""So many bits are unpacked at once, at one byte each."""


@dataclass(frozen=True, eq=False)
class Round:
    """One round of a max step, as arrays over the entries of its `Larger`.

    Entry m is decided by form ``forms[m]`` of the fold (-1: by ``orientation[m]`` alone) and
    goes on with place ``second[m]`` of the round before where the form's sign is that of
    ``orientation[m]``. ``tops`` are the entries in which the knock-out of a result ends.
    """

    base: int
    n_words: int
    forms: Numbers
    orientation: npt.NDArray[np.int8]
    first: Numbers
    second: Numbers
    tops: Numbers


def rounds_of(program: Program) -> list[list[Round]]:
    """The rounds of each max step, the last one first. A max that nothing reads is left out."""
    words = program.first_words
    found: dict[str, list[tuple[int, Meaning, Larger]]] = {}
    for k, at in enumerate(_folds(program)):
        meaning = program.meanings[k]
        after = program.operations[at + 1] if at + 1 < len(program.operations) else None
        if meaning.winner and isinstance(after, Larger):
            found.setdefault(meaning.step, []).append((k, meaning, after))
    return [
        [
            _round(words[k] * WORD, words[k + 1] - words[k], meaning, larger, later)
            for (k, meaning, larger), later in zip(rounds, _entries_after(rounds), strict=True)
        ][::-1]
        for rounds in found.values()
    ]


def counting_bits(
    patterns: Words, flat: Indices, program: Program
) -> Iterator[tuple[slice, Words]]:
    """Words with a 1 for each form that counts in a cell, for some of the cells at a time.

    All forms but those of knock-outs count. A match counts where it is on the way by which
    a winner of its cell came: the cell's other matches say nothing about the function.
    """
    steps = rounds_of(program)
    widest = max([one.n_words * WORD for rounds in steps for one in rounds], default=WORD)
    stride = max(1, _AT_ONCE // widest)
    level = as_words(flat, len(patterns), patterns.shape[1]) if len(flat) else None
    for begin in range(0, len(patterns), stride):
        part = slice(begin, begin + stride)
        words = patterns[part]
        zeros = np.zeros_like(words) if level is None else level[part]
        counts = np.full_like(words, np.iinfo(np.uint64).max)
        for rounds in steps:
            _count(rounds, words, zeros, counts)
        yield part, counts


def _folds(program: Program) -> list[int]:
    return [i for i, one in enumerate(program.operations) if isinstance(one, Fold)]


def _entries_after(rounds: list[tuple[int, Meaning, Larger]]) -> list[Numbers]:
    """For each round the results that still have a match in a later one."""
    later: list[Numbers] = [np.empty(0, dtype=np.int64)]
    for _, meaning, _ in reversed(rounds[1:]):
        later.append(np.union1d(later[-1], meaning.entries))
    return later[::-1]


def _round(base: int, n_words: int, meaning: Meaning, larger: Larger, later: Numbers) -> Round:
    matches = meaning.matches if meaning.matches is not None else np.empty(0, np.int64)
    n = len(larger.first)
    forms, orientation = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int8)
    forms[matches], orientation[matches] = meaning.forms, meaning.orientation
    tops = np.unique(matches[~np.isin(meaning.entries, later)])
    return Round(base, n_words, forms, orientation, larger.first, larger.second, tops)


def _count(rounds: list[Round], words: Words, zeros: Words, counts: Words) -> None:
    """Walk from the winners back through the rounds, and note the forms met on the way."""
    reached: Flags | None = None
    for one in rounds:
        n, n_cells = len(one.forms), len(words)
        here = np.zeros((n, n_cells), np.bool_) if reached is None else reached
        here[one.tops] = True
        seen = np.zeros((one.n_words * WORD, n_cells), np.bool_)
        decided = np.flatnonzero(one.forms >= 0)
        _spread(here[decided], one.forms[decided], seen)
        first_word = one.base // WORD
        counts[:, first_word : first_word + one.n_words] = _packed(seen)
        second = _second_goes_on(one, words, zeros)
        size = int(max(one.first.max(initial=0), one.second.max(initial=0))) + 1
        reached = np.zeros((size, n_cells), np.bool_)
        _spread(here & ~second, one.first, reached)
        _spread(here & second, one.second, reached)


def _second_goes_on(one: Round, words: Words, zeros: Words) -> Flags:
    """For each entry of the round, ``(n, cells)``: a tie goes to the first."""
    decided = np.flatnonzero(one.forms >= 0)
    marks = one.base + one.forms[decided]
    positive = read_marks(words, marks).T
    negative = ~positive & ~read_marks(zeros, marks).T
    found = np.repeat((one.orientation > 0)[:, None], len(words), axis=1)
    found[decided] = np.where(found[decided], positive, negative)
    return found


def _spread(rows: Flags, targets: Numbers, into: Flags) -> None:
    """Or each row into the row of ``into`` that its target names."""
    if not len(rows):
        return
    order = np.argsort(targets, kind="stable")
    begins = np.flatnonzero(np.diff(targets[order], prepend=-1))
    into[targets[order][begins]] |= np.logical_or.reduceat(rows[order], begins, axis=0)


def _packed(seen: Flags) -> Words:
    octets = np.packbits(np.ascontiguousarray(seen.T), axis=1, bitorder="little")
    return octets.view("<u8").astype(np.uint64)
