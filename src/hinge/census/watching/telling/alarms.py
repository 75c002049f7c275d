"""What befalls a whole site or model: exploded gradients and activations, skipped steps."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median  # of a few numbers: several times as fast as NumPy's

import numpy as np

from hinge.census.watching.telling.scene import Scene
from hinge.census.watching.telling.words import many, number
from hinge.events import Cause, Event, Kind
from hinge.units import Counts, Reals

EXPLODED = 100.0
"""Times the usual value from which a gradient or an activation has exploded."""

_PAUSE = 100  # steps without one, after which an explosion is a new one
_GONE = 8  # steps on end without any gradient that is a number
_LOOKS = 32  # whose largest pre-activations are remembered
_FEWEST = 4  # looks before: with fewer there is nothing to compare with
_HALF = 65504.0  # the largest number of half precision


@dataclass(frozen=True)
class _Burst:
    """Where something exploded: a site, a step, and how many times its usual value it was."""

    site: str
    step: int
    ratio: float
    evidence: str


class Gradients:
    """Gradients that explode: infinite, lost for good, or 100 times their usual norm."""

    def __init__(self, n_sites: int) -> None:
        self._latest: Counts = np.full(n_sites, -_PAUSE - 1, dtype=np.int64)
        self._had = np.zeros(n_sites, dtype=np.bool_)
        self._gone_since = -1
        self._gone_for = 0

    def look(self, scene: Scene) -> list[Event]:
        """One event for all the sites whose gradients exploded since the last look."""
        stretch = scene.stretch
        new = slice(stretch.new, None)
        gradients, steps = stretch.gradients[new].copy(), stretch.steps[new]
        gradients[stretch.skipped[new]] = 0.0  # the loss scale's business
        bursts = [self._lost(scene, gradients, steps)]
        for site, column in scene.columns.items():
            bursts.append(self._burst(scene, site, steps, gradients[:, column]))
        return _joined(scene, Kind.GRADIENT_EXPLODED, [x for x in bursts if x is not None])

    def _burst(self, scene: Scene, site: str, steps: Counts, norms: Reals) -> _Burst | None:
        column = scene.columns[site]
        infinite = steps[np.isinf(norms)].tolist()
        first = int(steps[0]) if steps.size else 0
        high = scene.spikes.gradients_since(column, first, EXPLODED)
        at = sorted({*infinite, *(spike.step for spike in high)})
        if not at:
            return None
        again = at[0] - self._latest[column] <= _PAUSE
        self._latest[column] = at[-1]
        if again:
            return None
        if at[0] in infinite:
            return _Burst(site, at[0], np.inf, f"At step {at[0]} the bias gradient was infinite.")
        spike = next(spike for spike in high if spike.step == at[0])
        return _Burst(
            site,
            at[0],
            spike.ratio,
            f"At step {at[0]} the norm of the bias gradient was {number(spike.ratio)} times its "
            f"median of the steps before ({number(spike.value)}, usually {number(spike.usual)}).",
        )

    def _lost(self, scene: Scene, gradients: Reals, steps: Counts) -> _Burst | None:
        """Gradients that are no numbers any more, at all sites, for some steps on end.

        NaN may also say that a step brought no gradient, so that one such step says nothing.
        """
        report = None
        for norms, step in zip(gradients, steps.tolist(), strict=True):
            there = np.isfinite(norms)
            if there.any() or not self._had.any():
                self._had |= there
                self._gone_for = 0
                continue
            if self._gone_for == 0:
                self._gone_since = step
            self._gone_for += 1
            if self._gone_for == _GONE and self._gone_since > self._latest.max() + _PAUSE:
                site = [x for x, column in scene.columns.items() if self._had[column]][-1]
                told = f"From step {self._gone_since} on no site's bias gradient is a number."
                report = _Burst(site, self._gone_since, np.inf, told)
            if self._gone_for >= _GONE:
                self._latest[:] = step
        return report


class Activations:
    """Activations that explode: not finite, or 100 times the usual largest of their site."""

    def __init__(self) -> None:
        self._tops: dict[str, deque[float]] = {}
        self._seen: dict[str, Counts] = {}
        self._latest: dict[str, int] = {}

    def look(self, scene: Scene) -> list[Event]:
        """One event for all the sites whose activations exploded at this step."""
        bursts = [self._burst(scene, site) for site in scene.glimpses]
        return _joined(scene, Kind.ACTIVATION_EXPLODED, [x for x in bursts if x is not None])

    def _burst(self, scene: Scene, site: str) -> _Burst | None:
        glimpse = scene.glimpses[site]
        # A unit has no top where a step brought nothing finite: it is lost if that goes on.
        still = glimpse.seen == self._seen.get(site, -1)
        self._seen[site] = glimpse.seen.copy()
        lost = np.isneginf(glimpse.top)
        seen = (glimpse.seen > 0) & (still | ~lost)
        if not seen.any():
            return None
        tops = np.where(lost, np.nan, glimpse.top)[seen]
        top = float(np.max(tops))  # NaN if there is one
        before = self._tops.setdefault(site, deque(maxlen=_LOOKS))
        usual = median(before) if len(before) >= _FEWEST else float("nan")
        finite = np.isfinite(top)
        half = bool(np.isfinite(scene.stretch.scales[-1:]).any()) and top > _HALF
        if finite and top > 0:
            before.append(top)
        if finite and not half and not (usual > 0 and top > EXPLODED * usual):
            return None
        again = scene.step - self._latest.get(site, -_PAUSE - 1) <= _PAUSE
        self._latest[site] = scene.step
        if again:
            return None
        bad = int((~np.isfinite(tops)).sum())
        told = (
            f"At step {scene.step} the largest pre-activation was {number(top)}"
            if finite
            else f"At step {scene.step} the pre-activations of {many(bad, 'unit')} were not finite"
        )
        told += f", usually {number(usual)}." if np.isfinite(usual) else "."
        if finite and half:
            told += f" Half precision ends at {number(_HALF)}."
        ratio = top / usual if finite and usual > 0 else np.inf
        return _Burst(site, scene.step, ratio, told)


class Skips:
    """Steps that were left out because of infinite gradients: one event for a run of them."""

    def __init__(self) -> None:
        self._running = False

    def look(self, scene: Scene) -> list[Event]:
        """An event for each run that began since the last look, with its length so far."""
        stretch = scene.stretch
        places = np.arange(stretch.new, stretch.steps.size)
        skipped = stretch.skipped[places]
        began = np.diff(skipped, prepend=self._running) & skipped
        self._running = bool(skipped[-1]) if skipped.size else self._running
        return [_skip(scene, int(place)) for place in places[began]]


def _skip(scene: Scene, first: int) -> Event:
    stretch = scene.stretch
    ends = np.flatnonzero(~stretch.skipped[first:])
    length = int(ends[0]) if ends.size else stretch.steps.size - first
    last = first + length - 1
    names = [
        site
        for site, column in scene.columns.items()
        if not np.isfinite(stretch.gradients[first : last + 1, column]).all()
        and np.isfinite(stretch.gradients[:first, column]).any()
    ]
    told = f"{many(length, 'update')} left out from step {stretch.steps[first]} on."
    scales = stretch.scales[[max(first - 1, 0), min(last + 1, stretch.steps.size - 1)]]
    if np.isfinite(scales).all() and scales[0] != scales[1]:
        told += f" The loss scale went from {number(scales[0])} to {number(scales[1])}."
    if names:
        told += f" The gradients of {', '.join(names)} were not finite."
    step = int(stretch.steps[first])
    return scene.event(Kind.STEP_SKIPPED, step, "", None, cause=Cause.SCALE, evidence=told)


def _joined(scene: Scene, kind: Kind, bursts: list[_Burst]) -> list[Event]:
    """One event for what exploded together: where it was first, then where it was worst.

    Of sites alike the one nearest to where the trouble comes from is named: activations are
    carried forwards, gradients backwards.
    """
    if not bursts:
        return []
    if kind is Kind.GRADIENT_EXPLODED:
        bursts.reverse()
    first = min(bursts, key=lambda burst: (burst.step, -burst.ratio))
    told = first.evidence
    if len({burst.site for burst in bursts}) > 1:
        others = len({burst.site for burst in bursts}) - 1
        told += f" So it was at {many(others, 'other site')}."
    cause = Cause.UNKNOWN
    before = first.step - 1  # the update of a step follows its gradients
    rate = scene.spikes.rate(before)
    if rate is not None:
        cause = Cause.LEARNING_RATE
        told += f" At step {rate.step} the learning rate was {number(rate.ratio)} times its median."
    elif kind is Kind.ACTIVATION_EXPLODED:
        found = [(x, scene.spikes.gradient(i, before)) for x, i in scene.columns.items()]
        spikes = [(spike.ratio, name, spike) for name, spike in found if spike is not None]
        if spikes:
            ratio, name, spike = max(spikes, key=lambda x: x[0])
            cause = Cause.GRADIENT
            told += f" At step {spike.step} the bias gradient of {name} was {number(ratio)} times"
            told += " its median."
    return [scene.event(kind, first.step, first.site, None, cause=cause, evidence=told)]
