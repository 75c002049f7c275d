"""The few numbers of every step, kept for the latest steps, and the steps that stand out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from hinge.census.watching.glimpse import Pulse
from hinge.errors import DataError
from hinge.units import Counts, Reals

Mask = npt.NDArray[np.bool_]

SPAN = 100
"""A step is compared with the median of at most so many steps before it."""

FEWEST = 8
"""Steps before: with fewer there is nothing to compare with."""

_RATE_SPIKE = 3.0  # a linear warm-up is at twice its median at every step
_GRADIENT_SPIKE = 5.0
_TAIL = 2.0  # times the 90th percentile: where gradients vary widely, more is needed
_CARRIED = 0.9  # the part of a gradient that usual momentum carries into the next update
_CARRY_STEPS = 10
_KEPT_SPIKES = 128  # of the rate and of each site


@dataclass(frozen=True, eq=False)
class Stretch:
    """Steps one after another, oldest first; those from ``new`` on were not read before.

    Shapes: ``steps, rates, scales, skipped (T,)``, ``gradients (T, n_sites)``. A scale is NaN
    where there is none.
    """

    steps: Counts
    rates: Reals
    scales: Reals
    skipped: Mask
    gradients: Reals
    new: int


class Pulses:
    """A ring of the latest ``window`` steps: room is taken once, and adding a step is cheap."""

    def __init__(self, n_sites: int, window: int) -> None:
        self._n = n_sites
        self._window = window
        self._steps: Counts = np.full(window, -1, dtype=np.int64)
        self._rates = np.full(window, np.nan)
        self._scales = np.full(window, np.nan)
        self._skipped: Mask = np.zeros(window, dtype=np.bool_)
        self._gradients = np.full((window, n_sites), np.nan)
        self._count = 0
        self._read = 0
        self.latest = -1

    def add(self, pulse: Pulse) -> None:
        """Keep one step; the oldest makes room.

        Raises
        ------
        DataError
            The step is not after the one before, or there is not one gradient per site.
        """
        if pulse.step <= self.latest or pulse.gradients.shape != (self._n,):
            raise _misfit(pulse, self.latest, self._n)
        place = self._count % self._window
        self._steps[place] = self.latest = pulse.step
        self._rates[place] = pulse.rate
        self._scales[place] = np.nan if pulse.scale is None else pulse.scale
        self._skipped[place] = pulse.skipped
        self._gradients[place] = pulse.gradients
        self._count += 1

    def stretch(self) -> Stretch:
        """All steps that are kept; those added from now on are new to the next call."""
        kept = min(self._count, self._window)
        order = np.arange(self._count - kept, self._count) % self._window
        new = max(kept - (self._count - self._read), 0)
        self._read = self._count
        return Stretch(
            self._steps[order],
            self._rates[order],
            self._scales[order],
            self._skipped[order],
            self._gradients[order],
            new,
        )


@dataclass(frozen=True)
class Spike:
    """A step at which the learning rate or a gradient was a multiple of its usual value.

    ``usual`` is the median of up to `SPAN` steps before.
    """

    step: int
    value: float
    usual: float

    @property
    def ratio(self) -> float:
        """How many times the usual value."""
        return self.value / self.usual

    def weight(self, step: int) -> float:
        """Its ratio, less what momentum of 0.9 has lost of it at a later ``step``."""
        return self.ratio * float(_CARRIED ** max(step - self.step, 0))


class Spikes:
    """The latest spikes of the learning rate and of each site's gradient.

    A step whose update was skipped changed nothing and is no spike. A rate is a spike from 3
    times its median on; a gradient norm from 5 times its median on if it is also twice the
    90th percentile of the steps before.
    """

    def __init__(self, n_sites: int) -> None:
        self._found: list[deque[Spike]] = [deque(maxlen=_KEPT_SPIKES) for _ in range(n_sites + 1)]

    def read(self, stretch: Stretch) -> None:
        """Note the spikes among the new steps: the rate in column 0, then the gradients."""
        values = np.column_stack([stretch.rates, stretch.gradients])
        values[stretch.skipped] = np.nan
        usual, high = medians_before(values, stretch.new)
        fresh = values[stretch.new :]
        out = (usual > 0) & (fresh >= _GRADIENT_SPIKE * usual) & (fresh >= _TAIL * high)
        out[:, 0] = (usual[:, 0] > 0) & (fresh[:, 0] >= _RATE_SPIKE * usual[:, 0])
        out &= np.isfinite(fresh)
        for row, column in np.argwhere(out):
            self._found[column].append(
                Spike(
                    int(stretch.steps[stretch.new + row]),
                    float(fresh[row, column]),
                    float(usual[row, column]),
                )
            )

    def rate(self, step: int, reach: int = 0) -> Spike | None:
        """The spike of the learning rate that weighs most on the updates from ``step`` on."""
        return _heaviest(self._found[0], step, reach, _RATE_SPIKE)

    def rate_onset(self, step: int) -> Spike | None:
        """The first of the steps in a row up to this one at which the rate was a spike."""
        spikes = {spike.step: spike for spike in self._found[0]}
        onset = None
        while step in spikes:
            onset, step = spikes[step], step - 1
        return onset

    def gradient(self, site: int, step: int, reach: int = 0) -> Spike | None:
        """The spike of a site's gradient that weighs most on the updates from ``step`` on."""
        return _heaviest(self._found[site + 1], step, reach, _GRADIENT_SPIKE)

    def gradients_since(self, site: int, step: int, ratio: float) -> list[Spike]:
        """The spikes of a site's gradient at ``step`` or later, ``ratio`` times the usual."""
        return [x for x in self._found[site + 1] if x.step >= step and x.ratio > ratio]


def medians_before(values: Reals, first: int) -> tuple[Reals, Reals]:
    """Median and 90th percentile of the up to `SPAN` finite values before each row.

    For the rows from ``first`` on, by column: shapes ``(T - first, n)``. NaN where fewer than
    8 are finite.
    """
    n = values.shape[1]
    if first >= values.shape[0]:
        return np.empty((0, n)), np.empty((0, n))
    begin = max(first - SPAN, 0)
    padding = np.full((SPAN - (first - begin), n), np.nan)
    known = np.concatenate([padding, values[begin:]])
    known[~np.isfinite(known)] = np.nan
    before = np.sort(sliding_window_view(known[:-1], SPAN, axis=0), axis=2)  # NaN comes last
    count = np.isfinite(before).sum(axis=2)

    def ranked(place: Counts) -> Reals:
        there = np.maximum(place, 0)[..., None]
        return np.asarray(np.take_along_axis(before, there, axis=2)[..., 0])

    median = (ranked((count - 1) // 2) + ranked(count // 2)) / 2
    high = ranked((count * 9) // 10)
    few = count < FEWEST
    return np.where(few, np.nan, median), np.where(few, np.nan, high)


def _heaviest(found: deque[Spike], step: int, reach: int, least: float) -> Spike | None:
    near = [x for x in found if step - _CARRY_STEPS <= x.step <= step + reach]
    best = max(near, key=lambda spike: spike.weight(step), default=None)
    return best if best is not None and best.weight(step) >= least else None


def _misfit(pulse: Pulse, latest: int, n_sites: int) -> DataError:
    if pulse.step <= latest:
        return DataError(
            "the steps of a training run go on",
            where="the step of a pulse",
            found=f"step {pulse.step} after step {latest}",
            do="give each step once, in order",
        )
    return DataError(
        "a pulse has one gradient per site",
        where=f"the gradients of step {pulse.step}",
        found=f"an array of shape {pulse.gradients.shape} for {n_sites} sites",
        do="give one number per site, NaN where there is none",
    )
