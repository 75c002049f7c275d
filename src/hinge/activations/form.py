"""What an activation's form has to answer; the facts in `facts.py` follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from hinge.activations.arrays import Array, Namespace

Parameters = Mapping[str, Any]
"""A value for every parameter: a float, or an array where it is given per channel."""


class Side(StrEnum):
    """The side of a break whose slope is the derivative at the break.

    ``MEAN``: half the sum of the two slopes.
    """

    LEFT = "left"
    RIGHT = "right"
    MEAN = "mean"


class Jump(NamedTuple):
    """A break where the value jumps, and the limits of the value on its two sides."""

    at: Array
    left: Array
    right: Array


class Form(Protocol):
    """A function of one real variable that bends or jumps at finitely many joints.

    Between two neighbouring joints it is continuous, monotone, and convex or concave.
    Values and slopes are right in the limits ±inf, NaN stays NaN, and the sign of zero is
    kept where the function rises through 0.
    """

    def __hash__(self) -> int:
        """Forms are values."""

    @property
    def formula(self) -> str:
        """The function, as text."""

    @property
    def derivative_formula(self) -> str:
        """The derivative, as text."""

    @property
    def piecewise_linear(self) -> bool:
        """Whether it is linear between its joints."""

    @property
    def at_break(self) -> tuple[Side, ...]:
        """At each break the side whose slope, and at a jump whose value, is taken there."""

    def value(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f(x), elementwise, in the precision of ``x``."""

    def derivative(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f'(x), elementwise, in the precision of ``x``."""

    @property
    def derivative_of_value(self) -> Callable[[Namespace, Array, Parameters], Array] | None:
        """The derivative as a function of the value, where it is one and not a constant."""

    def breaks(self, parameters: Parameters) -> tuple[float, ...]:
        """Where one branch of the formula follows another, ascending."""

    def joints(self, parameters: Parameters) -> tuple[float, ...]:
        """Breaks, stationary points and points of inflection, ascending."""

    def jumps(self, parameters: Parameters) -> tuple[Jump, ...]:
        """The breaks at which the value jumps, ascending."""
