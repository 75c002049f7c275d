"""`rank`: which remedy helps with what was found, the one that goes to the root first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from hinge.diagnosis.evidence import (
    Silent,
    chance_born_dead,
    named_sites,
    number,
    silent_units,
    units,
)
from hinge.diagnosis.finding import Finding, percent
from hinge.events import Cause, Event, Kind
from hinge.units import RARE, Observed

SHALLOW = 1.0
"""Standard deviations below the kink within which a leaky slope's gradient can lead back."""
_DEEP = 3.0  # so far down, one large step pushed a unit, not many small ones
_SHIFTED = 1.0  # ‖mean‖ / ‖sd‖ above which the common part outweighs the differences
_MOST = 0.5
_SHARED = 0.25  # dead share of a site from which its capacity is missed
_HELD = "bias beyond reach"
_CHANCE = 0.01  # of a network of these widths being born with a dead layer


Preserves = Literal["everywhere", "data", "no"]
"""Where the model's function stays what it is."""

_NORM = "hinge.insert_batchnorm(model, sites, data, preserving=False)"


@dataclass(frozen=True)
class Advice:
    """A remedy that fits what was found.

    ``remedy`` is what to call or do, ``why`` a sentence with the numbers that speak for it,
    ``sites`` where. ``preserves`` says where the model's function stays what it is at that
    moment: "everywhere", on the "data", or "no".
    """

    remedy: str
    why: str
    sites: tuple[str, ...]
    preserves: Preserves


@dataclass(frozen=True)
class _Scene:
    """All that a rule may look at."""

    observed: Mapping[str, Observed]
    findings: Sequence[Finding]
    events: Sequence[Event]
    rare: float

    @cached_property
    def silent(self) -> dict[str, Silent]:
        """The dead units of each site that has some, by what they need."""
        found = silent_units(self.observed, self.findings, self.rare)
        return {name: one for name, one in found.items() if one.n_dead}

    @property
    def collapsed(self) -> tuple[str, ...]:
        """The sites all of whose units are dead."""
        return tuple(name for name, one in self.silent.items() if one.n_dead == one.of)

    @property
    def born_dead(self) -> tuple[str, ...]:
        """The sites at which all units were dead before the first step, as far as is known."""
        born: dict[str, set[int]] = {}
        for event in self.events:
            if event.kind is Kind.BORN_DEAD:
                born.setdefault(event.site, set()).update(event.units)
        known = {name: self.observed[name].site.n_units for name in born if name in self.observed}
        return tuple(name for name, of in known.items() if len(born[name]) == of)


def rank(
    observed: Mapping[str, Observed],
    findings: Sequence[Finding] = (),
    events: Sequence[Event] = (),
    rare: float = RARE,
) -> tuple[Advice, ...]:
    """Rank what would help with the dead units, best first; nothing if none is dead.

    What would kill them again comes before what brings them back, and of that what leaves the
    function as it is comes before what changes it.

    ``observed`` holds the sites in the order in which the network calls them, ``findings``
    what `diagnose` said of them, ``events`` what happened while training.
    """
    scene = _Scene(observed, findings, events, rare)
    if not scene.silent:
        return ()
    return tuple(advice for rule in _RULES for advice in rule(scene))


def _restart(scene: _Scene) -> list[Advice]:
    """Training again: a layer is gone, and most of the rest with it."""
    if _reinitialise(scene):
        return []  # the same call, for the deeper reason
    dead, of = _in_all(scene)
    if not scene.collapsed or dead <= _MOST * of:
        return []
    why = (
        f"Every unit of {named_sites(scene.collapsed)} is dead, and so are {percent(dead / of)} "
        f"of all {of:,} units: little is left to keep. Start again, with a lower learning rate."
    )
    return [Advice("hinge.reinit(model)", why, scene.collapsed, "no")]


def _reinitialise(scene: _Scene) -> list[Advice]:
    """Other initial weights: the units were dead before the first step."""
    born = scene.born_dead
    count = sum(len(event.units) for event in scene.events if event.kind is Kind.BORN_DEAD)
    widths = [o.site.n_units for o in scene.observed.values() if o.traits.flat_below]
    chance = chance_born_dead(widths)
    if not count or not (born or chance > _CHANCE):
        return []
    sites = born or tuple(
        dict.fromkeys(event.site for event in scene.events if event.kind is Kind.BORN_DEAD)
    )
    what = f"All units of {named_sites(born)}" if born else units(count)
    why = (
        f"{what} {'were' if born or count > 1 else 'was'} dead before the first step. Of "
        f"networks with {len(widths)} such layers, the narrowest {min(widths)} units wide, "
        f"{percent(chance)} are born with a layer that is dead at a given input: "
        "draw again, or make them wider."
    )
    return [Advice("hinge.reinit(model)", why, sites, "no")]


def _slower(scene: _Scene) -> list[Advice]:
    """Smaller steps: what killed the units was one that was too large."""
    remedy = "a lower learning rate, a warm-up or gradient clipping"
    causes = (Cause.LEARNING_RATE, Cause.GRADIENT)
    killed = [e for e in scene.events if e.kind is Kind.DIED and e.cause in causes]
    if killed:
        worst = max(killed, key=lambda event: len(event.units))
        why = (
            f"{units(sum(len(event.units) for event in killed))} died of a step that was too "
            f"large, most of them at step {worst.step:,} ({worst.cause}): {worst.evidence}"
        )
        sites = tuple(dict.fromkeys(event.site for event in killed))
        return [Advice(remedy, why, sites, "everywhere")]
    deep = {n: one for n, one in scene.silent.items() if one.depths.size and one.depth > _DEEP}
    if not deep:
        return []
    depth = float(np.median(np.concatenate([one.depths for one in deep.values()])))
    why = (
        f"{units(sum(one.depths.size for one in deep.values()))} lie {number(depth)} standard "
        "deviations below the kink (median): one step that was too large leads there, many "
        "small ones hardly."
    )
    return [Advice(remedy, why, tuple(deep), "everywhere")]


def _recentre(scene: _Scene) -> list[Advice]:
    """Inputs around zero: the first layer already sees a shift."""
    first = next(iter(scene.observed))
    shift = scene.observed[first].mean_shift
    if first not in scene.silent or not shift > _SHIFTED:
        return []
    held = [len(f.units) for f in scene.findings if (f.kind, f.site) == (_HELD, first)]
    if sum(held) == scene.silent[first].n_dead:
        return []  # by their biases, which other inputs do not change
    why = (
        f"At {first}, the first site, mean over spread is {number(shift)}: what the inputs have "
        f"in common decides, and {_dead_share(scene, first)} dead there."
    )
    observed = scene.observed[first]
    dense = bool((observed.values == observed.seen).all())  # a convolution may pad with zeros
    preserves: Preserves = "everywhere" if dense else "no"
    return [Advice("hinge.recentre(model, data)", why, (first,), preserves)]


def _normalise(scene: _Scene) -> list[Advice]:
    """A batch norm where the common part of the pre-activations outweighs the differences."""
    ill = [name for name, one in scene.silent.items() if one.own]
    shifts = {name: scene.observed[name].mean_shift for name in ill}
    sites = tuple(name for name, shift in shifts.items() if shift > _SHIFTED)
    if not sites:
        return []
    worst = max(sites, key=shifts.__getitem__)
    why = (
        f"Mean over spread is {number(shifts[worst])} at {worst}, above {_SHIFTED:g}: units are "
        f"off for all examples or on for all, and {_dead_share(scene, worst)} dead there."
    )
    return [Advice(_NORM, why, sites, "no")]


def _lift(scene: _Scene) -> list[Advice]:
    """A higher bias: the units still tell examples apart."""
    found = {name: one for name, one in scene.silent.items() if one.liftable}
    if not found:
        return []
    lifts = np.concatenate([one.missing for one in found.values()])
    why = (
        f"{units(sum(one.liftable for one in found.values()))} dead on every example still "
        f"differ from one to the other: a bias higher by {number(float(np.median(lifts)))} "
        "(median) brings them to the kink, and what they learnt is kept."
    )
    return [Advice("hinge.revive(model, census, data, by=Lift())", why, tuple(found), "data")]


def _redraw(scene: _Scene) -> list[Advice]:
    """New weights: the units' own can make nothing of these inputs."""
    found = {name: one for name, one in scene.silent.items() if one.hopeless}
    if not found:
        return []
    reasons = (
        ("constant", sum(one.constant for one in found.values())),
        ("without a positive weight", sum(one.negative for one in found.values())),
        ("outdone by the others of their site", sum(one.outdone for one in found.values())),
    )
    said = ", ".join(f"{n:,} {reason}" for reason, n in reasons if n)
    why = (
        f"Of the dead units {said}: no bias makes them tell examples apart or win, new weights do."
    )
    return [Advice("hinge.revive(model, census, data, by=Redraw())", why, tuple(found), "data")]


def _split(scene: _Scene) -> list[Advice]:
    """Work shared with living units, where many are dead."""
    found = {
        name: one
        for name, one in scene.silent.items()
        if _SHARED * one.of <= one.own and one.n_dead < one.of and not one.outdone
    }
    if not found:
        return []
    worst = max(found, key=lambda name: found[name].n_dead / found[name].of)
    why = (
        f"At {worst} the work of {found[worst].of:,} units is done by "
        f"{found[worst].of - found[worst].n_dead:,}: the dead can take half of it over, "
        "whatever the data."
    )
    return [Advice("hinge.revive(model, census, data, by=Split())", why, tuple(found), "no")]


def _leaky(scene: _Scene) -> list[Advice]:
    """A slope below the kink, where it leads back: never for a deep death."""
    found = {
        name: one
        for name, one in scene.silent.items()
        if one.depths.size == one.n_dead and one.depths.max() < SHALLOW and not one.negative
    }
    if not found:
        return []
    deepest = max(float(one.depths.max()) for one in found.values())
    kinds = dict.fromkeys(scene.observed[name].site.activation for name in found)
    why = (
        f"All {units(sum(one.n_dead for one in found.values()))} dead there come within "
        f"{number(deepest)} standard deviations of the kink: the gradient that a small slope "
        "lets through can lead them back."
    )
    swaps = {kind: f'hinge.swap(model, "{kind}", "leaky_relu")' for kind in kinds}
    return [Advice(swap, why, _of_kind(scene, found, kind), "no") for kind, swap in swaps.items()]


_RULES: tuple[Callable[[_Scene], list[Advice]], ...] = (
    _restart,
    _reinitialise,
    _slower,
    _recentre,
    _lift,
    _redraw,
    _split,
    _normalise,
    _leaky,
)
"""In the order in which their advice is given."""


def _of_kind(scene: _Scene, names: Mapping[str, Silent], kind: str) -> tuple[str, ...]:
    return tuple(name for name in names if scene.observed[name].site.activation == kind)


def _in_all(scene: _Scene) -> tuple[int, int]:
    """How many units are dead, and how many there are."""
    dead = sum(one.n_dead for one in scene.silent.values())
    return dead, sum(observed.site.n_units for observed in scene.observed.values())


def _dead_share(scene: _Scene, site: str) -> str:
    one = scene.silent[site]
    return f"{percent(one.n_dead / one.of)} of the units are"
