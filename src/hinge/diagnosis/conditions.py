"""Conditions short of death: blocked, saturated, rare, always on, shifted, sparse, not finite."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hinge.diagnosis.finding import NARROW, Case, Finding, Mask, counted, percent, sentence
from hinge.page import Tone
from hinge.units import Verdict

_SHIFTED = 1.0  # ‖mean‖ / ‖sd‖ above which the common part outweighs the differences
_FAR_SHIFTED = 3.0
_SPARSE = 0.85  # Glorot et al. (2011): accuracy holds up to about 85 % zeros
_MOSTLY = 0.5


def not_finite(case: Case) -> list[Finding]:
    """NaN or infinity that arises inside the network on finite inputs."""
    units = case.observed.nonfinite > 0
    if not units.any():
        return []
    examples = int(case.observed.nonfinite.max())
    return [
        case.finding(
            "not finite",
            units,
            "bad",
            sentence(counted(int(units.sum()), case.n_units, "NaN or infinite on some example")),
            f"The inputs were finite, the pre-activations were not, on up to {examples:,} "
            "examples; these are left out of the unit's counts.",
            "Look for NaN in the weights, overflow in half precision, or a division by zero.",
        )
    ]


def blocked(case: Case) -> list[Finding]:
    """Units that fire while nothing behind them depends on it."""
    return _about(
        case,
        Verdict.BLOCKED,
        "bad",
        lambda _: (
            f"Firing was seen among the {case.observed.watched:,} examples on which gradients "
            "were watched, but no gradient of any output arrived: the outgoing weights are "
            "zero, or all that they lead to is dead there."
        ),
        "Look at the layer behind: revive what is dead there, or give outgoing weights again.",
    )


def saturated(case: Case) -> list[Finding]:
    """Units on a flat part of their activation on every example."""
    return _about(
        case,
        Verdict.SATURATED,
        "warning",
        lambda units: (
            "On every example the derivative is zero or nearly so; the mean pre-activation is "
            f"up to {np.abs(case.observed.mean[units]).max():.3g} in magnitude."
        ),
        "Scale the weights of the layer before down, or put a batch norm between.",
    )


def silent(case: Case) -> list[Finding]:
    """Units that never fire although gradient flows."""
    return _about(
        case,
        Verdict.SILENT,
        "warning",
        lambda _: (
            f"No example lies above the kink, but {case.observed.site.activation} lets gradient "
            "through below it: training can change that; until then it is linear."
        ),
        "Train on; if the silence lasts, raise the bias.",
    )


def rare(case: Case) -> list[Finding]:
    """Units that fire on very few examples, with what is known of the rate."""
    low, high = case.observed.fire_bounds
    return _about(
        case,
        Verdict.RARE,
        "info",
        lambda units: (
            f"Firing on fewer than {percent(case.rare)} of the examples: on data like these on "
            f"{percent(float(low[units].min()))} to {percent(float(high[units].max()))} "
            f"(95{NARROW}% confidence). Rare is not dead: what is detected may be rare."
        ),
    )


def always_on(case: Case) -> list[Finding]:
    """Sites most of whose units never fold the data."""
    if case.having(Verdict.ALWAYS_ON).mean() <= _MOSTLY:
        return []
    return _about(
        case,
        Verdict.ALWAYS_ON,
        "info",
        lambda _: (
            "Firing on every example and position: there the activation is the identity, and "
            "this part of the network is linear on the data."
        ),
        "It costs as much as with folds; lower the bias where a fold is wanted.",
    )


def _about(
    case: Case, verdict: Verdict, tone: Tone, evidence: Callable[[Mask], str], *helps: str
) -> list[Finding]:
    """One finding about the units of a verdict, if there are any."""
    units = case.having(verdict)
    if not units.any():
        return []
    title = sentence(counted(int(units.sum()), case.n_units, str(verdict)))
    return [case.finding(str(verdict), units, tone, title, evidence(units), *helps)]


def shifted(case: Case) -> list[Finding]:
    """Pre-activations whose common mean outweighs their differences."""
    shift = case.observed.mean_shift
    if not shift > _SHIFTED:
        return []
    share = float(case.having(Verdict.DEAD).mean())
    return [
        case.finding(
            "mean shift",
            np.zeros(case.n_units, dtype=np.bool_),
            "warning" if shift > _FAR_SHIFTED and share > 0 else "info",
            f"The pre-activations are shifted: mean over spread is {shift:.2g}.",
            "Most of each pre-activation is the same for all examples, so units tend to be "
            f"off for all or on for all; {percent(share)} of the units here are dead.",
            "Subtract the mean of the inputs, or put a batch norm before the activation.",
        )
    ]


def sparse(case: Case) -> list[Finding]:
    """Outputs that are almost all zero although the units live."""
    sparsity = case.observed.sparsity
    alive = ~case.having(Verdict.DEAD)
    if not alive.any():
        return []
    zeros = float(case.observed.zeros[alive].sum() / max(1, case.observed.values[alive].sum()))
    if not zeros > _SPARSE:
        return []
    return [
        case.finding(
            "sparse",
            np.zeros(case.n_units, dtype=np.bool_),
            "info",
            f"{percent(sparsity)} of the outputs are zero.",
            "That is sparsity, not death: the units that are not dead fire, each on few "
            f"examples. Networks do well with 50 to 85{NARROW}% zeros.",
        )
    ]
