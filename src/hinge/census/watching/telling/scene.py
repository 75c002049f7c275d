"""All that the rules of the chronicle may look at when the watch looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.census.watching.glimpse import Glimpse
from hinge.census.watching.telling.history import History
from hinge.census.watching.telling.pulses import Spikes, Stretch
from hinge.events import Cause, Event, Kind
from hinge.units import Counts

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Scene:
    """One look: the glimpses, what is remembered, and the steps before.

    ``columns`` has the place of each site in the order of the forward pass, which is that of
    the gradients. ``patience`` is the number of steps after which silence counts.
    """

    step: int
    glimpses: Mapping[str, Glimpse]
    histories: Mapping[str, History]
    columns: Mapping[str, int]
    spikes: Spikes
    stretch: Stretch
    patience: int

    def event(
        self,
        kind: Kind,
        step: int,
        site: str,
        units: Counts | None,
        *,
        cause: Cause,
        evidence: str,
    ) -> Event:
        """An event that was noticed at this look."""
        named = () if units is None else tuple(units.tolist())
        return Event(kind, step, site, named, cause, evidence, self.step)

    def quiet(self, site: str, since: int) -> Mask:
        """Which units of a site have not fired at ``since`` or later."""
        glimpse = self.glimpses[site]
        return np.asarray(glimpse.traits.flat_below & (glimpse.last_fired < since))

    def rate_at(self, step: int) -> float:
        """The learning rate at a step; NaN if it is not kept."""
        there = np.flatnonzero(self.stretch.steps == step)
        return float(self.stretch.rates[there[0]]) if there.size else float("nan")

    def scale_change(self, first: int, last: int) -> tuple[float, float] | None:
        """The loss scale before and after if it changed, or a step was skipped, between two."""
        stretch = self.stretch
        within = np.flatnonzero((stretch.steps >= first) & (stretch.steps <= last))
        if not within.size:
            return None
        before = float(stretch.scales[max(within[0] - 1, 0)])
        after = float(stretch.scales[min(within[-1] + 1, stretch.scales.size - 1)])
        if np.isfinite(before) and np.isfinite(after) and before != after:
            return before, after
        return (before, after) if stretch.skipped[within].any() else None
