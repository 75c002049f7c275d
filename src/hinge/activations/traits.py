"""What the verdicts need of an activation with the parameters of one call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hinge.activations.arrays import to_numpy
from hinge.activations.record import Activation
from hinge.units import SATURATION, Traits


def traits_of(activation: Activation, parameters: Mapping[str, Any]) -> Traits:
    """Describe one call of an activation as `hinge.units.Traits`.

    Where a parameter differs from channel to channel: the kink that all have, else none, and
    the interval that holds every channel's.

    >>> from hinge.activations import relu6
    >>> traits_of(relu6, {})
    Traits(fires_above=0.0, live=(0.0, 6.0))
    """
    every = [one for one in _each_channel(parameters) if activation.accepts(one)] or [{}]
    kinks = [activation.fires_above(**one) for one in every]
    lows, highs = zip(*(activation.live(SATURATION, **one) for one in every), strict=True)
    common = kinks[0] if all(kink == kinks[0] for kink in kinks) else math.nan
    return Traits(fires_above=common, live=(min(lows), max(highs)))


def _each_channel(parameters: Mapping[str, Any]) -> list[dict[str, float]]:
    """The different sets of numbers among parameters that may be arrays of one size."""
    if not parameters:
        return [{}]
    arrays = np.broadcast_arrays(*(to_numpy(one).ravel() for one in parameters.values()))
    rows = np.unique(np.stack(arrays, 1), axis=0)
    return [dict(zip(parameters, map(float, row), strict=True)) for row in rows]
