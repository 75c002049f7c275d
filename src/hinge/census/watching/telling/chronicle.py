"""The chronicle: what the watch sees becomes events, each with its cause and evidence."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Mapping
from operator import attrgetter

import numpy as np

from hinge.census.watching.glimpse import Glimpse, Pulse
from hinge.census.watching.telling import causes
from hinge.census.watching.telling.alarms import Activations, Gradients, Skips
from hinge.census.watching.telling.history import History
from hinge.census.watching.telling.pulses import Pulses, Spikes
from hinge.census.watching.telling.scene import Scene
from hinge.census.watching.telling.silence import EXAMPLES, PATIENCE
from hinge.census.watching.telling.unbroken import Unbroken
from hinge.census.watching.telling.vanishing import Vanishing
from hinge.census.watching.telling.words import many, middle, number
from hinge.errors import DataError, OptionError
from hinge.events import Cause, Event, Kind
from hinge.units import Counts, Site

_LEAST_WINDOW = 16
_HALF, _ALL = 1, 2  # how far a site has collapsed
_SHARES = {_HALF: 0.5, _ALL: 1.0}
_RECOVERED = 0.25  # below a mark by this share, and passing it is news again


class Chronicle:
    """What happened to the units of some sites while a network trains.

    Its memory does not grow with the run, but for the events themselves: a few arrays per
    site, and the latest ``window`` steps. When a silent unit counts as dead is said in
    `hinge.census.watching.telling.silence`, how causes are told apart in
    `hinge.census.watching.telling.causes`.

    Parameters
    ----------
    sites
        The sites by name, in the order of the forward pass; the gradients of a pulse are in
        this order.
    patience
        Steps of silence (and of vanished gradients) after which they count.
    examples
        Examples without one firing after which a unit is born dead.
    window
        Steps that are kept; looks must not be further apart.

    Raises
    ------
    OptionError
        A number is too small.
    """

    def __init__(
        self,
        sites: Mapping[str, Site],
        *,
        patience: int = PATIENCE,
        examples: int = EXAMPLES,
        window: int = 512,
    ) -> None:
        given = (("patience", patience, 1), ("examples", examples, 1))
        for name, value, least in (*given, ("window", window, _LEAST_WINDOW)):
            if value < least:
                raise OptionError(
                    f"the {name} of a chronicle is too small",
                    where=name,
                    found=str(value),
                    do=f"give a whole number of at least {least}",
                )
        self._sites = dict(sites)
        self._columns = {name: column for column, name in enumerate(self._sites)}
        self._patience, self._examples = patience, examples
        self._pulses = Pulses(len(self._sites), window)
        self._spikes = Spikes(len(self._sites))
        self._histories = {name: History(site.n_units) for name, site in self._sites.items()}
        self._unbroken = {name: Unbroken(site.n_units) for name, site in self._sites.items()}
        self._collapsed = dict.fromkeys(self._sites, 0)
        self._alarms = (Gradients(len(self._sites)), Activations(), Skips(), Vanishing())
        self._looked = -1
        self._events: list[Event] = []

    @property
    def events(self) -> tuple[Event, ...]:
        """All events so far, in the order of their steps."""
        return tuple(self._events)

    def dead(self) -> dict[str, tuple[int, ...]]:
        """The units that were reported dead and have not fired since, by site, where any are."""
        found = {name: np.flatnonzero(h.dead) for name, h in self._histories.items()}
        return {name: tuple(units.tolist()) for name, units in found.items() if units.size}

    def pulse(self, pulse: Pulse) -> None:
        """Take in the few numbers of one step; it costs microseconds.

        Raises
        ------
        DataError
            The step is not after the one before, or there is not one gradient per site.
        """
        self._pulses.add(pulse)

    def look(self, step: int, glimpses: Mapping[str, Glimpse]) -> list[Event]:
        """Say what is new at a step, in the order of the steps at which it happened.

        Sites that have not run yet may be left out. A second look at the same step finds
        nothing new.

        Raises
        ------
        DataError
            A step before the last one, a site that is not among those of the chronicle, or
            one with another number of units.
        """
        self._check(step, glimpses)
        if step == self._looked:
            return []
        self._looked = step
        stretch = self._pulses.stretch()
        self._spikes.read(stretch)
        seen = {
            name: self._unbroken[name](glimpses[name]) for name in self._sites if name in glimpses
        }
        scene = Scene(
            step, seen, self._histories, self._columns, self._spikes, stretch, self._patience
        )
        with np.errstate(all="ignore"):  # what training yields may be NaN or infinite: that is news
            found = self._units(scene)
            for alarm in self._alarms:
                found += alarm.look(scene)
        found.sort(key=attrgetter("step"))
        for event in found:
            insort(self._events, event, key=attrgetter("step"))
        return found

    def _check(self, step: int, glimpses: Mapping[str, Glimpse]) -> None:
        if step < self._looked:
            raise DataError(
                "the steps of a training run go on",
                where="the step of a look",
                found=f"step {step} after step {self._looked}",
                do="look in the order of the steps",
            )
        for name, glimpse in glimpses.items():
            site = self._sites.get(name)
            if site is None or glimpse.seen.shape != (site.n_units,):
                raise DataError(
                    "a glimpse is of a site of the chronicle",
                    where=name,
                    found="no such site" if site is None else f"shape {glimpse.seen.shape}",
                    do=f"give glimpses of {', '.join(self._sites)}, one entry per unit",
                )

    def _units(self, scene: Scene) -> list[Event]:
        """Units that came back or died, and the sites that collapse by it."""
        found: list[Event] = []
        fallen = {}
        for name, glimpse in scene.glimpses.items():
            history = self._histories[name]
            back = history.returned(glimpse)
            if back.size:
                found.append(_back(scene, name, back))
            history.remember(scene.step, glimpse)
            fallen[name] = history.fallen(scene.step, glimpse, self._patience, self._examples)
        for name, (born, died) in fallen.items():
            deaths = causes.born(scene, name, born) + causes.died(scene, name, died)
            for event in deaths:
                for unit in event.units:
                    self._histories[name].causes[unit] = event.cause
            found += deaths + self._collapse(scene, name)
        return found

    def _collapse(self, scene: Scene, name: str) -> list[Event]:
        """Whether more than half of a site, or all of it, is dead now and was not before."""
        history = self._histories[name]
        dead = np.flatnonzero(history.dead)
        n = history.dead.size
        share = dead.size / n if n else 0.0
        level = _ALL if share == 1 else (_HALF if share > _SHARES[_HALF] else 0)
        before = self._collapsed[name]
        if level <= before:
            while before and share < _SHARES[before] - _RECOVERED:
                before -= 1
            self._collapsed[name] = before
            return []
        self._collapsed[name] = level
        steps = np.sort(history.died_at[dead])
        step = int(steps[-1] if level == _ALL else steps[n // 2])
        cause, most = Counter(history.causes[unit] for unit in dead).most_common(1)[0]
        born = int(history.born[dead].sum())
        told = (
            f"{dead.size:,} of {many(n, 'unit')} dead: {born:,} never fired, {dead.size - born:,} "
            f"died since, the last of them at step {int(steps[-1])}. Of {most:,} the cause is: "
            f"{cause}."
        )
        return [scene.event(Kind.COLLAPSING, step, name, dead, cause=cause, evidence=told)]


def _back(scene: Scene, name: str, units: Counts) -> Event:
    """One event for the units of a site that fire again."""
    glimpse, history = scene.glimpses[name], scene.histories[name]
    top, then = middle(glimpse.top[units]), middle(history.then[1, units])
    told = (
        f"{many(units.size, 'unit')} reported dead fired again, the first seen at step "
        f"{int(glimpse.last_fired[units].min())}. The largest pre-activation of the step was "
        f"{number(then)} at the report and is {number(top)} now."
    )
    cause = Cause.UNKNOWN
    if glimpse.bias is not None:
        old, new = middle(history.then[0, units]), middle(glimpse.bias[units])
        told += f" The bias went from {number(old)} to {number(new)}."
        if new - old >= (top - then) / 2 > 0:
            cause = Cause.BIAS
    step = int(glimpse.last_fired[units].min())
    return scene.event(Kind.CAME_BACK, step, name, units, cause=cause, evidence=told)
