"""Gradients that vanish: a site that learns nothing any more while the others do."""

from __future__ import annotations

from collections import deque
from statistics import median  # of a few numbers: several times as fast as NumPy's

import numpy as np

from hinge.census.watching.telling.scene import Scene
from hinge.census.watching.telling.words import number
from hinge.events import Cause, Event, Kind
from hinge.units import Counts, Reals

VANISHED = 1e-7
"""Of its usual norm, or of that of the last site: below it a gradient has vanished."""

_LOOKS = 32  # whose medians make the usual norm


class Vanishing:
    """The sites whose gradients are zero, or next to it, and since when."""

    def __init__(self) -> None:
        self._usual: dict[str, deque[float]] = {}
        self._since: dict[str, int] = {}
        self._told: set[str] = set()

    def look(self, scene: Scene) -> list[Event]:
        """The sites whose gradients vanished, once they have been gone for the patience.

        A site that is silent itself is left out, for its death says it all; so are all sites
        where no gradient arrives anywhere and nothing explains it: such a network does not train.
        """
        seen = {site: _norms(scene, site) for site in scene.glimpses}
        sites = [site for site, (_, norms) in seen.items() if norms.size]
        if not sites:
            return []
        last = median(seen[sites[-1]][1].tolist())
        for site in sites:
            self._follow(site, *seen[site], last if np.isfinite(last) else 0.0)
        events = []
        for site in sites:
            since = self._since.get(site)
            if since is None or site in self._told or scene.step - since + 1 < scene.patience:
                continue
            others = [x for x in sites if x not in self._since]
            event = self._event(scene, site, since, others)
            if event is not None:
                self._told.add(site)
                events.append(event)
        return events

    def _follow(self, site: str, steps: Counts, norms: Reals, last: float) -> None:
        """Note since when a site's gradients are low without a break."""
        usual = self._usual.setdefault(site, deque(maxlen=_LOOKS))
        least = VANISHED * max(median(usual) if usual else 0.0, last)
        low = (norms == 0) | (norms < least)
        if not low[-1]:
            self._since.pop(site, None)
            self._told.discard(site)
            usual.append(median(norms[~low].tolist()))
        elif not low.all():
            self._since[site] = int(steps[np.flatnonzero(~low)[-1] + 1])
        else:
            self._since.setdefault(site, int(steps[0]))

    def _event(self, scene: Scene, site: str, since: int, others: list[str]) -> Event | None:
        if scene.quiet(site, since).all():
            return None
        cause, why = _why(scene, site, since)
        if cause is Cause.UNKNOWN and not others:
            return None
        usual = self._usual[site]
        before = f", usually {number(median(usual))}" if usual else " from the start"
        norms = _norms(scene, site)[1]
        told = (
            f"The gradient has been {number(float(norms[-1]))} since step {since}{before}; {why}."
        )
        return scene.event(Kind.GRADIENT_VANISHED, since, site, None, cause=cause, evidence=told)


def _norms(scene: Scene, site: str) -> tuple[Counts, Reals]:
    """The finite norms of the new steps; where no bias shows them, that of the weights."""
    stretch = scene.stretch
    new = slice(stretch.new, None)
    norms = stretch.gradients[new, scene.columns[site]]
    known = np.isfinite(norms) & ~stretch.skipped[new]
    if known.any() or np.isfinite(stretch.gradients[:, scene.columns[site]]).any():
        return stretch.steps[new][known], norms[known]
    norm = scene.glimpses[site].gradient_norm
    if not np.isfinite(norm):
        return np.empty(0, dtype=np.int64), np.empty(0)
    return np.array([scene.step]), np.array([norm])


def _why(scene: Scene, site: str, since: int) -> tuple[Cause, str]:
    """A dead site behind it, then the loss scale, then an honest word."""
    names = list(scene.glimpses)
    for name in names[names.index(site) + 1 :]:
        if scene.quiet(name, since).all():
            return Cause.UPSTREAM, f"all units of {name} behind it are silent and let none through"
    scales = scene.stretch.scales[np.isfinite(scene.stretch.scales)]
    if scales.size:
        high, now = float(scales.max()), float(scales[-1])
        if now < high or now < 1:
            return Cause.SCALE, (
                f"its units fire, and the loss scale is {number(now)} after {number(high)}: in "
                "half precision what is below 6e-8 becomes 0"
            )
    glimpse = scene.glimpses[site]
    blocked = glimpse.last_gradient is not None and bool((glimpse.last_gradient < since).all())
    fires = "all its units are blocked, they fire and get none" if blocked else "its units fire"
    return Cause.UNKNOWN, f"{fires}, and the sites behind it live"
