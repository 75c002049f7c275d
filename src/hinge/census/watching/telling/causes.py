"""Why units died: the causes that fit are ranked, and the first one is given its numbers.

The ranking, and its reasons:

1. *upstream death*, where every unit that the layer reads was silent by then: its input is
   constant, so that nothing else can have mattered;
2. *learning-rate spike* and *gradient spike*: they fit one step out of many, so a coincidence
   is improbable. The update of step s changes the forward pass of step s + 1: a unit that
   fired last at step s was killed by the update of s, which momentum makes of the gradients
   of the steps before too (each weighs 0.9 of the next). If both fit, what came first is
   blamed, for a large rate makes large gradients: a rate that was large since before the
   gradient, and still is. At the same step it is the larger multiple;
3. *bias drift*: the bias fell from look to look, in no leap, and its fall is at least half
   the fall of the largest pre-activation;
4. *mean shift*: the mean fell by as much, and more than half of it without the bias;
5. *upstream death*, where three quarters of the units before were silent;
6. *loss scale*: it changed, or steps were skipped, just then; this is a coincidence without
   a mechanism in sight;
7. *mean shift*, where the site's living units too are far off centre (‖μ‖ / ‖σ‖ above 3);
8. *unknown*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.census.watching.telling.blame import blamed
from hinge.census.watching.telling.blame import told as told_of
from hinge.census.watching.telling.history import Move
from hinge.census.watching.telling.pulses import FEWEST, Spike
from hinge.census.watching.telling.scene import Scene
from hinge.census.watching.telling.words import middle, number
from hinge.events import Cause, Event, Kind
from hinge.units import Counts

Mask = npt.NDArray[np.bool_]

_BIAS, _TOP, _MEAN = range(3)  # the rows of a Move
_SHARE = 0.5  # of the fall of the largest pre-activation that a cause must explain
_STILL = 0.5  # of the fall of the mean: a bias that fell by less does not explain it
_MOST = 0.75
_OFF_CENTRE = 3.0


@dataclass(frozen=True, eq=False)
class _Case:
    """The units of one site that died, and what is known of the time."""

    scene: Scene
    site: str
    units: Counts
    last: Counts  # the last step at which each of these fired
    reach: Counts
    move: Move

    @property
    def column(self) -> int:
        return self.scene.columns[self.site]


_Finding = tuple[Mask, Callable[[npt.NDArray[np.intp]], str]]
"""Which of the units a cause fits, and a sentence about some of them."""


def born(scene: Scene, site: str, units: Counts) -> list[Event]:
    """One event for the units that never fired."""
    if not units.size:
        return []
    glimpse = scene.glimpses[site]
    inputs = _inputs(scene, site)
    told = (
        f"No firing on {number(middle(glimpse.seen[units]))} examples since the start; the largest "
        f"pre-activation of step {scene.step} was {number(middle(glimpse.top[units]))} (median)."
    )
    if inputs and all((scene.glimpses[name].fired == 0).all() for name in inputs):
        told += f" No unit of {', '.join(inputs)}, which the layer reads, ever fired either."
        return [scene.event(Kind.BORN_DEAD, 0, site, units, cause=Cause.UPSTREAM, evidence=told)]
    if glimpse.mean is not None and glimpse.var is not None:
        mean = middle(glimpse.mean[units])
        sd = middle(np.sqrt(glimpse.var[units]))
        told += f" Mean {number(mean)}, standard deviation {number(sd)}."
    return [scene.event(Kind.BORN_DEAD, 0, site, units, cause=Cause.INITIALISATION, evidence=told)]


def died(scene: Scene, site: str, units: Counts) -> list[Event]:
    """The events of the units that died: one for each step and cause."""
    if not units.size:
        return []
    glimpse, history = scene.glimpses[site], scene.histories[site]
    reach = history.reach(scene.step, glimpse, scene.patience)
    case = _Case(
        scene, site, units, glimpse.last_fired[units], reach[units], history.moves(glimpse)
    )
    open_ = np.ones(units.size, dtype=np.bool_)
    groups: dict[tuple[int, Cause], tuple[list[int], str]] = {}
    for cause, rule in _RANKED:
        if not open_.any():
            break
        fits, tell = rule(case)
        for step in np.unique(case.last[fits & open_]).tolist():
            group = np.flatnonzero(fits & open_ & (case.last == step))
            others, said = groups.get((step, cause), ([], ""))
            told = f"{said} {tell(group)} {_fall(case, group)}".lstrip()
            groups[step, cause] = (others + group.tolist(), told)
        open_ &= ~fits
    return [
        scene.event(Kind.DIED, step + 1, site, units[sorted(group)], cause=cause, evidence=told)
        for (step, cause), (group, told) in groups.items()
    ]


def _inputs(scene: Scene, site: str) -> tuple[str, ...]:
    """The sites that the layer reads, if all of them are seen."""
    inputs = scene.glimpses[site].inputs
    return inputs if all(name in scene.glimpses for name in inputs) else ()


def _upstream(least: float) -> Callable[[_Case], _Finding]:
    def rule(case: _Case) -> _Finding:
        scene, inputs = case.scene, _inputs(case.scene, case.site)
        fits = np.zeros(case.units.size, dtype=np.bool_)
        shares = {}
        if inputs:
            for step in np.unique(case.last).tolist():
                here = case.last == step
                since = step + 1 + int(case.reach[here].max())
                gone = np.concatenate([scene.quiet(name, since) for name in inputs])
                shares[step] = (int(gone.sum()), gone.size, since)
                fits[here] = gone.mean() >= least

        def tell(group: npt.NDArray[np.intp]) -> str:
            n, of, since = shares[int(case.last[group[0]])]
            how = f"All {of:,}" if n == of else f"{n:,} of {of:,}"
            return (
                f"{how} units of {', '.join(inputs)}, which the layer reads, have been silent "
                f"from step {since} on or longer."
            )

        return fits, tell

    return rule


def _spike(kind: Cause) -> Callable[[_Case], _Finding]:
    def rule(case: _Case) -> _Finding:
        pairs = [_suspects(case, unit) for unit in range(case.units.size)]
        fits = np.array([blamed(*pair) is kind for pair in pairs], dtype=np.bool_)

        def tell(group: npt.NDArray[np.intp]) -> str:
            rate, gradient = pairs[group[0]]
            spikes = [(rate, "the learning rate"), (gradient, "the bias gradient of this site")]
            if kind is Cause.GRADIENT:
                spikes.reverse()
            said = [told_of(spike, name) for spike, name in spikes if spike is not None]
            if rate is None and gradient is not None:
                said.append(f"The learning rate was {number(case.scene.rate_at(gradient.step))}.")
            return " ".join([*said, f"The last firing was at step {case.last[group[0]]}."])

        return fits, tell

    return rule


def _suspects(case: _Case, unit: int) -> tuple[Spike | None, Spike | None]:
    last, reach = int(case.last[unit]), int(case.reach[unit])
    spikes = case.scene.spikes
    rate, gradient = spikes.rate(last, reach), spikes.gradient(case.column, last, reach)
    onset = None if gradient is None else spikes.rate_onset(gradient.step)
    return onset or rate, gradient


def _drift(case: _Case) -> _Finding:
    falls = case.move.falls[:, case.units]
    top = falls[_TOP]
    fits = case.move.steady[case.units] & (top > 0) & (falls[_BIAS] >= _SHARE * top)

    def tell(group: npt.NDArray[np.intp]) -> str:
        return f"{_moved(case, group, _BIAS, 'The bias')}, a little from look to look."

    return np.asarray(fits), tell


def _shift(case: _Case) -> _Finding:
    falls = case.move.falls[:, case.units]
    bias, top, mean = np.nan_to_num(falls[_BIAS]), falls[_TOP], falls[_MEAN]
    fits = (top > 0) & (mean >= _SHARE * top) & (bias <= _STILL * mean)

    def tell(group: npt.NDArray[np.intp]) -> str:
        fallen = _moved(case, group, _MEAN, "The mean of the pre-activations")
        still = middle(-bias[group])
        return f"{fallen}, while the bias moved by {number(still)} only."

    return np.asarray(fits), tell


def _scale(case: _Case) -> _Finding:
    changes = {
        step: case.scene.scale_change(step - 1, step) for step in np.unique(case.last).tolist()
    }
    fits = np.array([changes[step] is not None for step in case.last.tolist()], dtype=np.bool_)

    def tell(group: npt.NDArray[np.intp]) -> str:
        step = int(case.last[group[0]])
        before, after = changes[step] or (float("nan"), float("nan"))
        if before == after or np.isnan([before, after]).any():
            return f"An update was skipped just then, at step {step - 1} or {step}."
        return (
            f"The loss scale went from {number(before)} to {number(after)} just then, at step "
            f"{step}, and nothing else stood out."
        )

    return fits, tell


def _off_centre(case: _Case) -> _Finding:
    glimpse = case.scene.glimpses[case.site]
    alive = ~case.scene.histories[case.site].dead
    shift = float("nan")
    if glimpse.mean is not None and glimpse.var is not None and alive.any():
        shift = float(np.sqrt(np.sum(glimpse.mean[alive] ** 2) / np.sum(glimpse.var[alive])))
    fits = np.full(case.units.size, shift > _OFF_CENTRE)

    def tell(_group: npt.NDArray[np.intp]) -> str:
        return (
            "The pre-activations of the site's living units are far off centre: their means are "
            f"{number(shift)} times their standard deviations (‖μ‖ / ‖σ‖)."
        )

    return fits, tell


def _unknown(case: _Case) -> _Finding:
    def tell(group: npt.NDArray[np.intp]) -> str:
        step = int(case.last[group[0]])
        rate = case.scene.rate_at(step)
        seen = "" if np.isnan(rate) else f" ({number(rate)})"
        told = f"Neither the learning rate{seen} nor gradient, bias, mean or inputs show a cause."
        if step < FEWEST:
            told = "So early there is nothing to compare the learning rate and the gradient with."
        units = case.units[group]
        for what, name in ((_BIAS, "bias"), (_MEAN, "mean")):
            before, after = (middle(x[what, units]) for x in (case.move.first, case.move.after))
            if np.isfinite([before, after]).all():
                told += f" The {name} went from {number(before)} to {number(after)}."
        return told

    return np.ones(case.units.size, dtype=np.bool_), tell


_RANKED: tuple[tuple[Cause, Callable[[_Case], _Finding]], ...] = (
    (Cause.UPSTREAM, _upstream(1.0)),
    (Cause.LEARNING_RATE, _spike(Cause.LEARNING_RATE)),
    (Cause.GRADIENT, _spike(Cause.GRADIENT)),
    (Cause.BIAS, _drift),
    (Cause.SHIFT, _shift),
    (Cause.UPSTREAM, _upstream(_MOST)),
    (Cause.SCALE, _scale),
    (Cause.SHIFT, _off_centre),
    (Cause.UNKNOWN, _unknown),
)


def _moved(case: _Case, group: npt.NDArray[np.intp], what: int, name: str) -> str:
    units = case.units[group]
    move = case.move
    before, after = middle(move.first[what, units]), middle(move.after[what, units])
    return (
        f"{name} fell from {number(before)} to {number(after)} between steps "
        f"{int(move.first_step[units].min())} and {int(move.after_step[units].max())}"
    )


def _fall(case: _Case, group: npt.NDArray[np.intp]) -> str:
    """How the largest pre-activation changed around the last firing, if both sides were seen."""
    units = case.units[group]
    move = case.move
    before, after = middle(move.last[_TOP, units]), middle(move.after[_TOP, units])
    if np.isnan(before) or np.isnan(after):
        now = middle(case.scene.glimpses[case.site].top[units])
        return f"The largest pre-activation is now {number(now)}."
    return (
        f"The largest pre-activation went from {number(before)} (step "
        f"{int(move.last_step[units].max())}) to {number(after)} "
        f"(step {int(move.after_step[units].min())})."
    )
