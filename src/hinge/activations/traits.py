"""What the verdicts need of an activation with the parameters of one call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hinge.activations.arrays import to_numpy
from hinge.activations.joint import JointActivation
from hinge.activations.record import Activation
from hinge.units import SATURATION, Traits

_OF_OUTPUT = Traits(fires_above=0.0, live=(0.0, math.inf), by_output=True)


def traits_of(activation: Activation | JointActivation, parameters: Mapping[str, Any]) -> Traits:
    """Describe one call of an activation as `hinge.units.Traits`.

    Where a parameter differs from channel to channel: each channel's kink if the function is 0
    up to there and positive above (JumpReLU), else the kink that all have, else none, and the
    interval that holds every channel's. A function of several numbers is one that selects.

    >>> from hinge.activations import relu6
    >>> traits_of(relu6, {})
    Traits(fires_above=0.0, live=(0.0, 6.0), by_output=False, kinks=())
    """
    if isinstance(activation, JointActivation):
        return _OF_OUTPUT
    different, which = _each_channel(parameters)
    every = [one for one in different if activation.accepts(one)] or [{}]
    kinks = [activation.fires_above(**one) for one in every]
    lows, highs = zip(*(activation.live(SATURATION, **one) for one in every), strict=True)
    if all(kink == kinks[0] for kink in kinks):
        return Traits(fires_above=kinks[0], live=(min(lows), max(highs)))
    if len(every) == len(different) and all(_rises_from_zero(activation, one) for one in every):
        return replace(_OF_OUTPUT, kinks=tuple(kinks[i] for i in which))
    return Traits(fires_above=math.nan, live=(min(lows), max(highs)))


def _rises_from_zero(activation: Activation, one: dict[str, float]) -> bool:
    """Whether the output is 0 up to the kink and positive above it, for these parameters."""
    kink = activation.fires_above(**one)
    flat = activation.live(SATURATION, **one) == (kink, math.inf)
    return flat and activation.monotone and activation.range(**one)[0] == 0


def _each_channel(parameters: Mapping[str, Any]) -> tuple[list[dict[str, float]], list[int]]:
    """The different sets of numbers among parameters that may be arrays of one size.

    Then which of them each channel has.
    """
    if not parameters:
        return [{}], [0]
    arrays = np.broadcast_arrays(*(to_numpy(one).ravel() for one in parameters.values()))
    rows, which = np.unique(np.stack(arrays, 1), axis=0, return_inverse=True)
    different = [dict(zip(parameters, map(float, row), strict=True)) for row in rows]
    return different, which.ravel().tolist()
