"""The families of activations, under the titles by which lists and pages show them."""

from __future__ import annotations

from hinge.activations import (
    exponentials,
    gelus,
    hard,
    leaky,
    rectifiers,
    self_gated,
    shrinkers,
    sigmoids,
    smooth_rectifiers,
    squared,
    thresholds,
)
from hinge.activations.record import Activation


def families() -> dict[str, tuple[Activation, ...]]:
    """The records by the title of their family."""
    return {
        "Rectifiers": rectifiers.RECORDS,
        "Leaky rectifiers": leaky.RECORDS,
        "Thresholds": thresholds.RECORDS,
        "Exponential": exponentials.RECORDS,
        "Smooth rectifiers": smooth_rectifiers.RECORDS,
        "Squared": squared.RECORDS,
        "Gated by a logistic": self_gated.RECORDS,
        "GELU and its approximations": gelus.RECORDS,
        "Sigmoids": sigmoids.RECORDS,
        "Hard sigmoids": hard.RECORDS,
        "Shrinkers": shrinkers.RECORDS,
    }
