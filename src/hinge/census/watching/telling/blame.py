"""Which of two spikes is to blame for what followed, and what is said of it."""

from __future__ import annotations

from hinge.census.watching.telling.pulses import Spike
from hinge.census.watching.telling.words import number
from hinge.events import Cause


def blamed(rate: Spike | None, gradient: Spike | None) -> Cause | None:
    """What came first, for a large rate makes large gradients; at one step the larger multiple."""
    if rate is None or gradient is None:
        only = Cause.LEARNING_RATE if rate is not None else Cause.GRADIENT
        return None if rate is None and gradient is None else only
    if rate.step != gradient.step:
        return Cause.LEARNING_RATE if rate.step < gradient.step else Cause.GRADIENT
    return Cause.LEARNING_RATE if rate.ratio >= gradient.ratio else Cause.GRADIENT


def told(spike: Spike, name: str) -> str:
    """A sentence with the spike's numbers; ``name`` is what spiked."""
    return (
        f"At step {spike.step} {name} was {number(spike.ratio)} times its median of the steps "
        f"before ({number(spike.value)}, usually {number(spike.usual)})."
    )
