"""What is remembered of one site: its units at the latest looks, and which of them are dead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.census.watching.glimpse import Glimpse
from hinge.census.watching.telling.silence import ceased, improbable, never
from hinge.events import Cause
from hinge.units import Counts, Reals

Mask = npt.NDArray[np.bool_]

_ROWS = 10  # looks that are remembered of a unit: eight before its last firing and two after
_KEPT = 7 / 8  # of the counts behind a recent rate at each look with a firing
_REACH = 3.0  # waits: a unit is silent that long by chance with a probability of 5 %
_STEADY = 0.8  # of the looks: the bias fell from each to the next
_LEAP = 0.5  # of the whole fall: a larger part between two looks is a leap, no drift
_FEWEST = 4  # falls from look to look


@dataclass(frozen=True, eq=False)
class Move:
    """How units moved from before their last firing to after it: arrays by unit.

    ``first`` and ``last`` are of the earliest and the latest look that is remembered from
    before, ``after`` of the first look behind it; NaN and step -1 where there is none. The
    rows of each are bias, largest pre-activation and mean. ``steady`` says that the bias fell
    step by step.
    """

    first: Reals
    last: Reals
    after: Reals
    first_step: Counts
    last_step: Counts
    after_step: Counts
    steady: Mask

    @property
    def falls(self) -> Reals:
        """How far bias, largest pre-activation and mean fell from first to after."""
        return self.first - self.after


class History:
    """The memory of one site: a few arrays per unit, however long the run.

    A unit that is silent is not written on: what is remembered of it is how it was around its
    last firing. Public arrays, one entry per unit: ``dead`` (reported dead and not back yet),
    ``died_at`` (the step of that event), ``causes``, ``born`` (dead from the start), and
    ``then``, bias and largest pre-activation when it was reported.
    """

    def __init__(self, n_units: int) -> None:
        self._values = np.full((3, _ROWS, n_units), np.nan)
        self._looked: Counts = np.full((_ROWS, n_units), -1, dtype=np.int64)
        self._fired: Counts = np.zeros(n_units, dtype=np.int64)
        self._until: Counts = np.zeros(n_units, dtype=np.int64)
        self._lately = np.zeros((2, n_units))  # firings and examples, the recent ones weigh more
        self._fresh: Mask = np.zeros(n_units, dtype=np.bool_)
        self._last_then: Counts = np.full(n_units, -1, dtype=np.int64)
        self.dead: Mask = np.zeros(n_units, dtype=np.bool_)
        self.born: Mask = np.zeros(n_units, dtype=np.bool_)
        self.died_at: Counts = np.full(n_units, -1, dtype=np.int64)
        self.causes: list[Cause] = [Cause.UNKNOWN] * n_units
        self.then = np.full((2, n_units), np.nan)

    def remember(self, step: int, glimpse: Glimpse) -> None:
        """Take in a look: the rows of all units that fired since the look before the last."""
        more = glimpse.fired - self._fired
        fresh = np.asarray(more > 0)
        self._write(step, glimpse, fresh | self._fresh)
        until = glimpse.seen - glimpse.silent
        counts = np.stack([more, until - self._until])
        self._lately = np.where(fresh, _KEPT * self._lately + counts, self._lately)
        self._until = np.where(fresh, until, self._until)
        self._fired = glimpse.fired.copy()
        self._fresh = fresh

    def _write(self, step: int, glimpse: Glimpse, units: Mask) -> None:
        row = np.stack([_or_nan(x, units) for x in (glimpse.bias, glimpse.top, glimpse.mean)])
        if units.all():  # the usual case, without the cost of a mask
            self._values[:, :-1] = self._values[:, 1:]
            self._looked[:-1] = self._looked[1:]
        else:
            self._values[:, :-1, units] = self._values[:, 1:, units]
            self._looked[:-1, units] = self._looked[1:, units]
        self._values[:, -1, units] = row[:, units]
        self._looked[-1, units] = step

    def returned(self, glimpse: Glimpse) -> Counts:
        """The units reported dead that fired since; they count as living again."""
        units = np.flatnonzero(self.dead & (glimpse.last_fired > self._last_then))
        self.dead[units] = self.born[units] = False
        return units

    def fallen(
        self, step: int, glimpse: Glimpse, patience: int, examples: int
    ) -> tuple[Counts, Counts]:
        """The units newly dead, born so and died since; from now on they count as dead.

        See `hinge.census.watching.telling.silence` for the rules. A unit must be improbably
        silent at its recent rate and at that of the whole run: who fires less and less is not
        dead yet.
        Nor is a unit whose pre-activations are no numbers.
        """
        if not glimpse.traits.flat_below:
            nobody = np.empty(0, dtype=np.int64)
            return nobody, nobody
        born = never(glimpse.fired, glimpse.seen, step, patience, examples) & ~self.dead
        gone = ceased(glimpse.last_fired, step, patience) & ~self.dead
        if gone.any():
            ever, silent = glimpse.fired, glimpse.silent
            gone &= improbable(ever, glimpse.seen - silent, silent)
            gone &= improbable(self._lately[0], self._lately[1], silent, ever)
        lost = np.isnan(glimpse.top) | np.isneginf(glimpse.top)  # nothing finite was seen lately
        born, gone = born & ~lost, gone & ~lost
        new = born | gone
        self.dead |= new
        self.born |= born
        self.died_at = np.where(new, glimpse.last_fired + 1, self.died_at)
        self._last_then = np.where(new, glimpse.last_fired, self._last_then)
        now = np.stack([_or_nan(glimpse.bias, new), glimpse.top])
        self.then = np.where(new, now, self.then)
        return np.flatnonzero(born), np.flatnonzero(gone)

    def reach(self, step: int, glimpse: Glimpse, limit: int) -> Counts:
        """How many steps after its last firing a unit may have been killed, by unit.

        0 for a unit that fired at every step; one that fired every tenth step may have lived
        on for thirty before anyone could tell.
        """
        per_step = np.maximum(glimpse.seen / (step + 1), 1e-9)
        steps = _REACH * self._lately[1] / (self._lately[0] * per_step)
        known = np.where(np.isfinite(steps), np.ceil(steps) - 1, limit)
        return np.asarray(np.clip(known, 0, limit), dtype=np.int64)

    def moves(self, glimpse: Glimpse) -> Move:
        """How each unit moved around its last firing."""
        before = (self._looked >= 0) & (self._looked <= glimpse.last_fired)
        later = self._looked > glimpse.last_fired
        places = (np.argmax(before, axis=0), _last_true(before), np.argmax(later, axis=0))
        any_of = (before.any(axis=0), before.any(axis=0), later.any(axis=0))
        units = np.arange(before.shape[1])
        first, last, after = (
            np.where(known, self._values[:, place, units], np.nan)
            for place, known in zip(places, any_of, strict=True)
        )
        steps = [
            np.where(known, self._looked[place, units], -1)
            for place, known in zip(places, any_of, strict=True)
        ]
        upto = before | (later & (np.arange(_ROWS)[:, None] == places[2]))
        steady = _steady(np.where(upto, self._values[0], np.nan))
        return Move(first, last, after, steps[0], steps[1], steps[2], steady)


def _or_nan(values: Reals | None, like: Mask) -> Reals:
    return np.full(like.shape, np.nan) if values is None else np.asarray(values, dtype=np.float64)


def _last_true(mask: Mask) -> Counts:
    return np.asarray(mask.shape[0] - 1 - np.argmax(mask[::-1], axis=0), dtype=np.int64)


def _steady(biases: Reals) -> Mask:
    """Which columns fell nearly all the time, in no single leap; NaN rows are no looks."""
    falls = -np.diff(biases, axis=0)
    known = np.isfinite(falls)
    falls = np.where(known, falls, 0.0)
    whole, n = falls.sum(axis=0), known.sum(axis=0)
    often = (falls > 0).sum(axis=0) >= _STEADY * n
    return np.asarray((n >= _FEWEST) & often & (whole > 0) & (falls.max(axis=0) <= _LEAP * whole))
