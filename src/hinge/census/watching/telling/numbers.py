"""The numbers of each site that are written to a log while a network trains."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np

from hinge.census.watching.glimpse import Glimpse
from hinge.census.watching.telling.silence import (
    EXAMPLES,
    PATIENCE,
    Mask,
    ceased,
    improbable,
    never,
)
from hinge.units import RARE, Reals

DORMANT = 0.025
"""A unit is dormant from this ReDo score down (Sokar et al., 2023, who use 0.1 too)."""

_NAN = float("nan")


def _dead(glimpse: Glimpse, step: int) -> float:
    return _share(_gone(glimpse, step))


def _alive(glimpse: Glimpse, step: int) -> float:
    return _share(~_gone(glimpse, step))


def _rare(glimpse: Glimpse, step: int) -> float:
    return _share(~_gone(glimpse, step) & (glimpse.fired < RARE * glimpse.seen))


def _blocked(glimpse: Glimpse, step: int) -> float:
    if glimpse.last_gradient is None or step + 1 < PATIENCE:
        return _NAN
    fires = (glimpse.last_fired >= 0) & (step - glimpse.last_fired < PATIENCE)
    return _share(fires & (step - glimpse.last_gradient >= PATIENCE))


def _dormant(glimpse: Glimpse, _step: int) -> float:
    if glimpse.strength is None:
        return _NAN
    mean = float(np.nanmean(glimpse.strength))
    return _share(glimpse.strength <= DORMANT * mean)  # all of them where nothing is put out


def _mean_shift(glimpse: Glimpse, _step: int) -> float:
    if glimpse.mean is None or glimpse.var is None:
        return _NAN
    spread = float(np.sqrt(np.nansum(glimpse.var)))
    return float(np.sqrt(np.nansum(glimpse.mean**2))) / spread if spread > 0 else _NAN


def _sign_lock(glimpse: Glimpse, _step: int) -> float:
    return _NAN if glimpse.signs is None else float(np.nanmedian(glimpse.signs))


def _gradient_norm(glimpse: Glimpse, _step: int) -> float:
    return glimpse.gradient_norm


def _largest(glimpse: Glimpse, _step: int) -> float:
    return float(np.max(glimpse.top)) if glimpse.top.size else _NAN


NUMBERS: Mapping[str, tuple[str, Callable[[Glimpse, int], float]]] = {
    "dead": ("share of the units that are silent for longer than chance allows", _dead),
    "alive": ("share of the units that are not", _alive),
    "rare": ("share of the units that fire on less than 1 % of the examples and live", _rare),
    "blocked": ("share of the units that fired in the last 100 steps without gradient", _blocked),
    "dormant": ("share of the units whose ReDo score is at most 0.025", _dormant),
    "mean_shift": ("‖μ‖ / ‖σ‖ of the pre-activations", _mean_shift),
    "sign_lock": ("median of the larger share of one sign among a unit's gradients", _sign_lock),
    "gradient_norm": ("‖∂L/∂W‖ of the layer before", _gradient_norm),
    "largest": ("largest pre-activation of the latest step", _largest),
}
"""Every number by the last part of its name: what it says, and how it is made."""


def records(glimpses: Mapping[str, Glimpse], step: int) -> dict[str, float]:
    """The numbers of each site as ``"hinge/SITE/NAME"``, the names being those of `NUMBERS`.

    What is unknown, or says nothing for this activation, is left out; shares are 0 to 1.
    ``largest`` may be infinite or NaN where the pre-activations are, for that is the news.
    """
    found = {}
    for site, glimpse in glimpses.items():
        for name, (_, measure) in NUMBERS.items():
            if not glimpse.traits.has_kink and name in {"dead", "alive", "rare", "blocked"}:
                continue  # "fires" means nothing for a smooth activation
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN
                value = measure(glimpse, step)
            if not np.isnan(value) or (name == "largest" and (glimpse.seen > 0).any()):
                found[f"hinge/{site}/{name}"] = value
    return found


def _gone(glimpse: Glimpse, step: int) -> Mask:
    if not glimpse.traits.flat_below:
        return np.zeros(glimpse.seen.shape, dtype=np.bool_)
    silent = ceased(glimpse.last_fired, step, PATIENCE) & improbable(
        glimpse.fired, glimpse.seen - glimpse.silent, glimpse.silent
    )
    return silent | never(glimpse.fired, glimpse.seen, step, PATIENCE, EXAMPLES)


def _share(units: Reals | Mask) -> float:
    return float(np.mean(units)) if units.size else _NAN
