"""Dead units: how many, how deep below the kink, and what keeps them there."""

from __future__ import annotations

import numpy as np

from hinge.diagnosis.finding import NARROW, Case, Finding, Mask, counted, percent, sentence
from hinge.units import Reals, Verdict

_SHALLOW = 1.0  # standard deviations below the kink: within reach of an ordinary update


def dead(case: Case) -> list[Finding]:
    """The dead units of a site, then each cause with the units that it explains."""
    units = case.having(Verdict.DEAD)
    if not units.any():
        return []
    causes = (_upstream, _negative_weights, _bias_beyond_reach)
    found = [_headline(case, units)]
    left = units.copy()
    for cause in causes:
        explained, finding = cause(case, left)
        if finding is not None:
            found.append(finding)
            left &= ~explained
    return found


def _headline(case: Case, units: Mask) -> Finding:
    observed = case.observed
    n = int(units.sum())
    examples = int(observed.seen[units].min())
    bound = percent(float(observed.fire_bounds[1][units].max()))
    depth = observed.depth[units]
    how_far = _OUTDONE if observed.traits.selects else _depth_in_words(depth)
    evidence = (
        f"Silent on all {examples:,} examples: the share of such data on which one fires is "
        f"below {bound} (95{NARROW}% confidence). {how_far}"
    )
    if n == case.n_units:
        evidence += " The whole layer has collapsed: behind it the output is constant."
    return case.finding(
        "dead",
        units,
        "bad",
        sentence(counted(n, case.n_units, "dead")),
        evidence,
        *_revival(observed.missing[units], depth),
        "Train again with a lower learning rate, a warm-up or gradient clipping: "
        "units die when one update pushes the bias far down.",
    )


_OUTDONE = "Others are larger on every example, or what is selected is not above 0."


def _depth_in_words(depth: Reals) -> str:
    constant = np.isinf(depth)
    if constant.all():
        return "The pre-activation is constant."
    known = depth[~constant]
    shallow = int((known < _SHALLOW).sum())
    middle = float(np.median(known))
    return (
        f"The largest pre-activation seen lies {middle:.2g} standard deviations below the kink "
        f"(median); {shallow:,} of them come within {_SHALLOW:g}."
    )


def _revival(missing: Reals, depth: Reals) -> tuple[str, ...]:
    """What would bring them back, in numbers."""
    lift = float(np.median(missing))
    varying = np.isfinite(depth)
    if not varying.any():
        return ()
    lifting = f"Raise the bias: {lift:.3g} (median) reaches the kink."
    if float(np.median(depth[varying])) > _SHALLOW:
        return (
            lifting,
            "A leaky activation alone will hardly do: gradient arrives, but the way up is long.",
        )
    return (lifting, "The kink is close: a leaky activation would let gradient reach it.")


def _upstream(case: Case, units: Mask) -> tuple[Mask, Finding | None]:
    """Units all of whose inputs with weight are dead units themselves."""
    feed = case.feed
    starved = np.zeros_like(units)
    if feed is None or not feed.inputs:
        return starved, None
    gone = [_dead_of(case, name) for name in feed.inputs]
    if all(mask.all() for mask in gone):
        starved = units & np.equal(case.observed.min, case.observed.max)
    elif feed.weight is not None and feed.input_of is not None:
        lost = gone[0][feed.input_of]
        starved = units & ~np.any((feed.weight != 0) & ~lost, axis=1)
    if not starved.any():
        return starved, None
    title = counted(int(starved.sum()), case.n_units, "dead because the units before are dead")
    names = ", ".join(feed.inputs)
    return starved, case.finding(
        "upstream death",
        starved,
        "bad",
        sentence(title),
        f"Every input with a weight comes from a dead unit of {names}, so the "
        "pre-activation is constant.",
        f"Revive {names} first: no change here can help.",
    )


def _dead_of(case: Case, site: str) -> Mask:
    observed = case.others.get(site)
    if observed is None:
        return np.zeros(1, dtype=np.bool_)
    return np.asarray(observed.verdicts(case.rare) == str(Verdict.DEAD))


def _negative_weights(case: Case, units: Mask) -> tuple[Mask, Finding | None]:
    """Units without a positive weight whose inputs cannot be negative."""
    feed = case.feed
    none = np.zeros_like(units)
    if feed is None or feed.weight is None or feed.bias is None or not feed.nonnegative:
        return none, None
    stuck = units & np.all(feed.weight <= 0, axis=1) & (feed.bias <= 0)
    if not stuck.any():
        return none, None
    title = counted(int(stuck.sum()), case.n_units, "unable to fire: without a positive weight")
    whose = f"the outputs of {', '.join(feed.inputs)}" if feed.inputs else "the data"
    return stuck, case.finding(
        "negative weights",
        stuck,
        "bad",
        sentence(title),
        f"The inputs ({whose}) are never negative, weights and bias never positive: "
        "dead on every such input, not on these examples alone.",
        "Draw new weights, or centre the inputs so that both signs occur.",
    )


def _bias_beyond_reach(case: Case, units: Mask) -> tuple[Mask, Finding | None]:
    """Units that would fire if it were not for their bias."""
    feed = case.feed
    none = np.zeros_like(units)
    if feed is None or feed.bias is None or not case.observed.traits.has_kink:
        return none, None
    reach = -case.observed.missing - feed.bias
    held = units & (feed.bias < 0) & (reach > 0)
    if not held.any():
        return none, None
    ratio = float(np.median(-feed.bias[held] / reach[held]))
    title = counted(int(held.sum()), case.n_units, "held down by a bias beyond reach")
    return held, case.finding(
        "bias beyond reach",
        held,
        "bad",
        sentence(title),
        f"Without the bias there would be firing; the bias is {ratio:.3g} times (median) "
        "what the weighted inputs reach on any example.",
        "Raise the bias, and keep weight decay on it, which pulls it up again: a single "
        "update with too large a step is the usual cause.",
    )
