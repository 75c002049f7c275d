"""Who wins each maximum in a cell, and which matches on the way had a say in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.regions.cells.signs import Bools, Cells, Signs
from hinge.regions.programs.program import Fold, Indices, Larger, Meaning, Program


@dataclass(frozen=True, eq=False)
class Round:
    """One round of a max step: its fold, its `Larger`, and the fold's row of each match or -1."""

    fold: int
    larger: Larger
    row_of: Indices


@dataclass(frozen=True, eq=False)
class Knockout:
    """A max step. Entry e of its output is decided last in ``finals[e]``, a (round, match).

    An entry with a single value has the round -1: nothing is decided there.
    """

    step: str
    rounds: tuple[Round, ...]
    finals: Indices

    def walk(self, signs: Signs, cells: Cells) -> tuple[npt.NDArray[np.int32], list[Bools]]:
        """Go from the finals back to the winners.

        Returns the winners ``(n, n_entries)`` int32, each by its place in what the step
        reads (its inputs, flat, one after the other; -1 where there is but one value), and
        for each round which matches were met on the way, ``(n, n_matches)``. No other match
        has a say in what the step yields.
        """
        at = np.full((len(cells), len(self.finals)), -1, np.int32)
        cell = np.arange(len(cells))[:, None]
        met: list[Bools] = []
        for number in reversed(range(len(self.rounds))):
            played = self.rounds[number]
            starts = self.finals[:, 0] == number
            at[:, starts] = self.finals[starts, 1]
            seen = np.zeros((len(cells), len(played.row_of) + 1), np.bool_)
            seen[cell, at] = True
            met.append(seen[:, :-1])
            first, second = (
                np.append(one, -1) for one in (played.larger.first, played.larger.second)
            )
            at = np.where(self._won(played, signs, cells)[cell, at], second[at], first[at])
        return at.astype(np.int32), met[::-1]

    def _won(self, played: Round, signs: Signs, cells: Cells) -> Bools:
        """Whether the second of each match goes on, and False in a column of its own."""
        won = np.zeros((len(cells), len(played.row_of) + 1), np.bool_)
        matches = np.flatnonzero(played.row_of >= 0)
        won[:, matches] = signs.rows(played.fold, cells)[:, played.row_of[matches]] > 0
        return won


def knockouts(program: Program) -> list[Knockout]:
    """The max steps of a program, in order."""
    steps: dict[str, list[Round]] = {}
    for fold, larger in _matched(program):
        meaning = program.meanings[fold]
        row_of = np.full(len(larger.first), -1, np.int64)
        row_of[matches_of(meaning)] = np.arange(len(meaning.entries))
        steps.setdefault(meaning.step, []).append(Round(fold, larger, row_of))
    return [
        Knockout(step, tuple(rounds), _finals(program, rounds)) for step, rounds in steps.items()
    ]


def matches_of(meaning: Meaning) -> Indices:
    """The entries of the round's `Larger` that the rows of a max's meaning decide."""
    return np.arange(len(meaning.entries)) if meaning.matches is None else meaning.matches


def _matched(program: Program) -> list[tuple[int, Larger]]:
    """Each `Larger` with the number of the fold before it that speaks of its matches."""
    found: list[tuple[int, Larger]] = []
    folds = -1
    for operation in program.operations:
        if isinstance(operation, Fold):
            folds += 1
        elif isinstance(operation, Larger):
            found.append((folds, operation))
    return found


def _finals(program: Program, rounds: list[Round]) -> Indices:
    meanings = [program.meanings[one.fold] for one in rounds]
    n_entries = 1 + max(int(meaning.entries.max(initial=-1)) for meaning in meanings)
    finals = np.full((n_entries, 2), -1, np.int64)
    for number, meaning in enumerate(meanings):
        finals[meaning.entries, 0] = number
        finals[meaning.entries, 1] = matches_of(meaning)
    return finals
