"""What could not be read, gathered into one error that names every place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hinge.errors import UnsupportedError

SHOWN = 20
"""Operations that an error names before it only counts the rest."""


UNKNOWN = "it is no affine map, activation, maximum, sum or concatenation"


@dataclass(frozen=True)
class Obstacle:
    """One operation that cannot be read: what, where in the model, why."""

    operation: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operation} in {self.place}: {self.reason}"


def unsupported(origin: str, obstacles: Sequence[Obstacle]) -> UnsupportedError:
    """Return the error for all obstacles of one model."""
    lines = [str(obstacle) for obstacle in obstacles[:SHOWN]]
    if len(obstacles) > SHOWN:
        lines.append(f"and {len(obstacles) - SHOWN} more")
    count = len(obstacles)
    return UnsupportedError(
        f"{count} operation{'s' * (count != 1)} of the model cannot be read as steps",
        where=origin,
        found="; ".join(lines),
        do="hinge.observe and hinge.examine still work: a census needs no steps. To read "
        "the model, take a part of it without these operations",
    )
