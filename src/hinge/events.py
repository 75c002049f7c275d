"""What happened to units while a network trained: events, each with its cause and evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happened."""

    BORN_DEAD = "born dead"
    DIED = "died"
    CAME_BACK = "came back"
    COLLAPSING = "layer collapsing"
    GRADIENT_VANISHED = "gradient vanished"
    GRADIENT_EXPLODED = "gradient exploded"
    ACTIVATION_EXPLODED = "activation exploded"
    STEP_SKIPPED = "step skipped"


class Cause(StrEnum):
    """What probably made it happen."""

    INITIALISATION = "initialisation"
    LEARNING_RATE = "learning-rate spike"
    GRADIENT = "gradient spike"
    BIAS = "bias drift"
    SHIFT = "mean shift"
    UPSTREAM = "upstream death"
    SCALE = "loss scale"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Event:
    """Something that happened at a site at one step of the optimizer, counted from 0.

    ``units`` are those that it happened to, none if it is about the whole site.
    ``evidence`` is a sentence with the numbers that speak for the cause. ``found_at`` is
    the step at which it was noticed.
    """

    kind: Kind
    step: int
    site: str
    units: tuple[int, ...]
    cause: Cause
    evidence: str
    found_at: int
