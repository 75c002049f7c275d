"""What an activation's form has to answer; the facts in `facts.py` follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from hinge.activations.arrays import Array, Namespace

Parameters = Mapping[str, Any]
"""A value for every parameter: a float, or an array where it is given per channel."""


class Side(StrEnum):
    """The side of a kink whose slope is the derivative at the kink."""

    LEFT = "left"
    RIGHT = "right"


class Form(Protocol):
    """A continuous function of one real variable that bends at finitely many joints.

    Between two neighbouring joints it is monotone, and convex or concave. Values and
    slopes are right in the limits ±inf, NaN stays NaN, and the sign of zero is kept.
    """

    def __hash__(self) -> int:
        """Forms are values."""

    @property
    def formula(self) -> str:
        """The function, as text."""

    @property
    def piecewise_linear(self) -> bool:
        """Whether it is linear between its joints."""

    @property
    def at_break(self) -> tuple[Side, ...]:
        """At each break, the side whose slope is the derivative there."""

    def value(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f(x), elementwise, in the precision of ``x``."""

    def derivative(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f'(x), elementwise, in the precision of ``x``."""

    def breaks(self, parameters: Parameters) -> tuple[float, ...]:
        """Where one branch of the formula follows another, ascending."""

    def joints(self, parameters: Parameters) -> tuple[float, ...]:
        """Breaks, stationary points and points of inflection, ascending."""
