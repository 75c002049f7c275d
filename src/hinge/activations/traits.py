"""What the verdicts need of an activation with the parameters of one call."""

from __future__ import annotations

from typing import Any

from hinge.activations.record import Activation
from hinge.units import SATURATION, Traits


def traits_of(activation: Activation, parameters: dict[str, Any]) -> Traits:
    """Describe one call of an activation as `hinge.units.Traits`.

    >>> from hinge.activations import relu6
    >>> traits_of(relu6, {})
    Traits(fires_above=0.0, live=(0.0, 6.0))
    """
    return Traits(
        fires_above=activation.fires_above(**parameters),
        live=activation.live(SATURATION, **parameters),
    )
