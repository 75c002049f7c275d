"""The kinks of a network along a segment: at which place which unit changes its piece."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hinge.regions.cells.layouts import Layouts
from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.signs import Numbers
from hinge.regions.cutting.mesh import Chain
from hinge.regions.programs.program import Reals

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Kinks:
    """One row for each unit that changes its piece at an inner point, in order of place.

    ``point`` int64 is the number of the point, ``t`` float64 its place from 0 to 1; ``step``
    names the site, or the max step whose winner changes; ``unit`` int64 (-1 where it is not
    known) and ``entry`` int64 (flat, of the pre-activation or of the maximum) say where;
    ``break_index`` int64 is the break passed (-1 for a max). ``before`` and ``after``
    ``(K, n_out)`` are the slopes of the outputs along t left and right of the point.
    """

    point: Numbers
    t: Reals
    step: npt.NDArray[np.str_]
    unit: Numbers
    entry: Numbers
    break_index: Numbers
    before: Reals
    after: Reals

    def __len__(self) -> int:
        return len(self.point)

    @property
    def jump(self) -> Reals:
        """The Euclidean length of the change of slope: ``(K,)``."""
        found: Reals = np.linalg.norm(self.after - self.before, axis=1)
        return found

    def to_pandas(self) -> pd.DataFrame:
        """One row per kink; with one output its slopes before and after. Needs pandas."""
        from hinge.regions.frames import pandas  # noqa: PLC0415 - optional

        columns = {
            "t": self.t,
            "site": self.step,
            "unit": self.unit,
            "entry": self.entry,
            "break": self.break_index,
            "jump": self.jump,
        }
        if self.before.shape[1] == 1:
            columns |= {"slope_before": self.before[:, 0], "slope_after": self.after[:, 0]}
        return pandas().DataFrame(columns)


@dataclass(frozen=True, eq=False)
class Passages:
    """What the marks of a chain's points say: (point, fold, row of the fold's meaning)."""

    patterns: Patterns
    chain: Chain

    @cached_property
    def rows(self) -> tuple[Numbers, Numbers, Numbers]:
        """Points, folds and rows, in order of points, all that are 0 there."""
        fold_of, row_of, mark_of = self._spoken
        order = np.argsort(mark_of, kind="stable")
        points, marks = self._marks
        start, end = (np.searchsorted(mark_of[order], marks, side) for side in ("left", "right"))
        point = np.repeat(points, end - start)
        shift = np.repeat(np.cumsum(end - start) - (end - start), end - start)
        found = order[np.arange(len(point)) - shift + np.repeat(start, end - start)]
        return point, fold_of[found], row_of[found]

    def changed(self) -> tuple[Numbers, Numbers, Numbers]:
        """Those of `rows` at inner points that are positive on one side of it only."""
        point, fold, row = self.rows
        inner = (point > 0) & (point < len(self.chain.points) - 1)
        point, fold, row = point[inner], fold[inner], row[inner]
        left, right = (self._positive(point - one, fold, row) for one in (1, 0))
        kept = left != right
        return point[kept], fold[kept], row[kept]

    @property
    def _spoken(self) -> tuple[Numbers, Numbers, Numbers]:
        """Of all rows with a form: the fold, the row in it, and the mark of the form."""
        folds, rows, marks = ([np.zeros(0, np.int64)] for _ in range(3))
        program = self.patterns.program
        for fold, meaning in enumerate(program.meanings):
            spoken = np.flatnonzero(meaning.forms >= 0)
            folds.append(np.full(len(spoken), fold, np.int64))
            rows.append(spoken)
            marks.append(64 * program.first_words[fold] + meaning.forms[spoken])
        return np.concatenate(folds), np.concatenate(rows), np.concatenate(marks)

    @property
    def _marks(self) -> tuple[Numbers, Numbers]:
        """Every point with each of its marks that is a form."""
        sets = [[mark for mark in one if mark >= 0] for one in self.chain.label_sets]
        lengths = np.array([len(one) for one in sets], np.int64)
        flat = np.array([mark for one in sets for mark in one], np.int64)
        starts = np.cumsum(lengths) - lengths
        count = lengths[self.chain.labels]
        points = np.repeat(np.arange(len(count)), count)
        within = np.arange(len(points)) - np.repeat(np.cumsum(count) - count, count)
        return points, flat[np.repeat(starts[self.chain.labels], count) + within]

    def _positive(self, cells: Numbers, fold: Numbers, row: Numbers) -> npt.NDArray[np.bool_]:
        positive = np.zeros(len(cells), np.bool_)
        for number in np.unique(fold):
            here = np.flatnonzero(fold == number)
            meaning = self.patterns.program.meanings[number]
            first = 64 * self.patterns.program.first_words[number]
            signs = self.patterns.sign_of(cells[here], first + meaning.forms[row[here]])
            positive[here] = signs * meaning.orientation[row[here]] > 0
        return positive


def kinks(passages: Passages, known: Layouts, slopes: Reals) -> Kinks:
    """The table of kinks; ``slopes`` ``(P - 1, n_out)`` are those of the pieces."""
    program, chain = passages.patterns.program, passages.chain
    point, fold, row = passages.changed()
    names = np.array([meaning.step for meaning in program.meanings] or [""])
    entry, index = np.zeros_like(point), np.full_like(point, -1)
    unit, kept = np.full_like(point, -1), np.ones(len(point), np.bool_)
    for number in np.unique(fold):
        here = np.flatnonzero(fold == number)
        meaning = program.meanings[number]
        entry[here] = meaning.entries[row[here]]
        if meaning.step in known:
            unit[here] = known[meaning.step].units[entry[here]]
        if meaning.winner:
            kept[here] = _other_winner(passages.patterns, meaning.step, point[here], entry[here])
        else:
            index[here] = meaning.break_index[row[here]]
    rows = np.stack([point, fold, entry, index], axis=1)[kept]
    # Several matches can change one winner at one place: that is one kink.
    steps = np.unique(names, return_inverse=True)[1][rows[:, 1]]
    told = np.stack([point[kept], steps, entry[kept], index[kept]], axis=1)
    _, first = np.unique(told, axis=0, return_index=True)
    point, fold, entry, index = rows[np.sort(first)].T
    return Kinks(
        point,
        chain.points[point],
        names[fold],
        unit[kept][np.sort(first)],
        entry,
        index,
        slopes[point - 1],
        slopes[point],
    )


def _other_winner(
    patterns: Patterns, step: str, point: Numbers, entry: Numbers
) -> npt.NDArray[np.bool_]:
    """Whether the winner left of each point is another than right of it."""
    knockout = next(one for one in patterns.knockouts if one.step == step)
    cells, places = np.unique([point - 1, point], return_inverse=True)
    left, right = places.reshape(2, -1)
    winners, _ = knockout.walk(patterns, cells)
    found: npt.NDArray[np.bool_] = winners[left, entry] != winners[right, entry]
    return found
