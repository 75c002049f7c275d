"""Conditions short of death: blocked, saturated, rare, always on, shifted, sparse, not finite."""

from __future__ import annotations

import numpy as np

from hinge.diagnosis.finding import NARROW, Case, Finding, counted, percent, sentence
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
    units = case.having(Verdict.BLOCKED)
    if not units.any():
        return []
    return [
        case.finding(
            "blocked",
            units,
            "bad",
            sentence(counted(int(units.sum()), case.n_units, "blocked")),
            f"Firing was seen among the {case.observed.watched:,} examples on which gradients "
            "were watched, but no gradient of any output arrived: the outgoing weights are "
            "zero, or all that they lead to is dead there.",
            "Look at the layer behind: revive what is dead there, or give outgoing weights again.",
        )
    ]


def saturated(case: Case) -> list[Finding]:
    """Units on a flat part of their activation on every example."""
    units = case.having(Verdict.SATURATED)
    if not units.any():
        return []
    largest = float(np.abs(case.observed.mean[units]).max())
    return [
        case.finding(
            "saturated",
            units,
            "warning",
            sentence(counted(int(units.sum()), case.n_units, "saturated")),
            f"On every example the derivative is zero or nearly so; the mean pre-activation "
            f"is up to {largest:.3g} in magnitude.",
            "Scale the weights of the layer before down, or put a batch norm between.",
        )
    ]


def silent(case: Case) -> list[Finding]:
    """Units that never fire although gradient flows."""
    units = case.having(Verdict.SILENT)
    if not units.any():
        return []
    return [
        case.finding(
            "silent",
            units,
            "warning",
            sentence(counted(int(units.sum()), case.n_units, "silent")),
            f"No example lies above the kink, but {case.observed.site.activation} lets gradient "
            "through below it: training can change that; until then it is linear.",
            "Train on; if the silence lasts, raise the bias.",
        )
    ]


def rare(case: Case) -> list[Finding]:
    """Units that fire on very few examples, with what is known of the rate."""
    units = case.having(Verdict.RARE)
    if not units.any():
        return []
    low, high = case.observed.fire_bounds
    return [
        case.finding(
            "rare",
            units,
            "info",
            sentence(counted(int(units.sum()), case.n_units, "rare")),
            f"Firing on fewer than {percent(case.rare)} of the examples: on data like these on "
            f"{percent(float(low[units].min()))} to {percent(float(high[units].max()))} "
            f"(95{NARROW}% confidence). Rare is not dead: what is detected may be rare.",
        )
    ]


def always_on(case: Case) -> list[Finding]:
    """Sites most of whose units never fold the data."""
    units = case.having(Verdict.ALWAYS_ON)
    if units.mean() <= _MOSTLY:
        return []
    return [
        case.finding(
            "always on",
            units,
            "info",
            sentence(counted(int(units.sum()), case.n_units, "always on")),
            "Firing on every example and position: there the activation is the identity, and "
            "this part of the network is linear on the data.",
            "It costs as much as with folds; lower the bias where a fold is wanted.",
        )
    ]


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
