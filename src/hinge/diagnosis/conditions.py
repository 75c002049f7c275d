"""Conditions short of death: blocked, saturated, rare, always on, shifted, sparse, not finite."""

from __future__ import annotations

import numpy as np

from hinge.diagnosis.finding import Case, Finding, counted, percent, sentence
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
            f"They fire, also among the {case.observed.watched:,} examples on which gradients "
            "were watched, but none of any output reached them: their outgoing weights are "
            "zero, or all that they feed is dead there.",
            "Look at the layer behind: revive what is dead there, or give these units "
            "outgoing weights again.",
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
            f"On every example their derivative is (nearly) zero; mean pre-activations reach "
            f"{largest:.3g} in magnitude.",
            "Scale the weights before them down, or put a batch norm between.",
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
            f"They never fire, but {case.observed.site.activation} lets gradient through "
            "below its kink: they can come back by training, and are linear until then.",
            "Train on; if they stay silent, raise their bias.",
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
            f"They fire on fewer than {percent(case.rare)} of the examples: on data like "
            f"these on {percent(float(low[units].min()))} to {percent(float(high[units].max()))} "
            "(95 % confidence). Rare is not dead: they may detect something rare.",
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
            "They fire on every example and position: there the activation is the identity, "
            "and this part of the network is linear on the data.",
            "They cost as much as folding units; lower their bias if the fold is wanted.",
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
            "examples. Networks do well with 50 to 85 % zeros.",
        )
    ]
