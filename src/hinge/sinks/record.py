"""What a watch told, as values: the numbers of a step, or an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hinge.events import Event


@dataclass(frozen=True)
class Numbers:
    """The numbers of one step of the optimizer, by names like ``hinge/SITE/dead``."""

    step: int
    values: Mapping[str, float]


Record = Numbers | Event
