"""Functions with a formula: formula, derivative and joints are declared, the facts follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hinge.activations.arrays import Array, Namespace
from hinge.activations.form import Parameters, Side

Formula = Callable[..., Any]
"""``f(xp, x, **parameters)`` on arrays of the library whose functions are ``xp``."""


@dataclass(frozen=True)
class Smooth:
    """A function given by ``f`` and its derivative ``df``, smooth but for its breaks.

    Between neighbouring points of ``breaks_at``, ``stationary`` (where f' changes sign) and
    ``inflections`` (where f'' does) it is monotone, and convex or concave. The derivative
    is declared beside the formula because automatic differentiation of a formula
    overflows where the formula does not.
    """

    formula: str
    f: Formula
    df: Formula
    breaks_at: tuple[float, ...] = ()
    at_break: tuple[Side, ...] = ()
    stationary: tuple[float, ...] = ()
    inflections: tuple[float, ...] = ()

    @property
    def piecewise_linear(self) -> bool:
        """False."""
        return False

    def value(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f(x)."""
        return self.f(xp, x, **parameters)

    def derivative(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f'(x)."""
        return self.df(xp, x, **parameters)

    def breaks(self, parameters: Parameters) -> tuple[float, ...]:  # noqa: ARG002  fixed so far
        """Where one branch of the formula follows another."""
        return self.breaks_at

    def joints(self, parameters: Parameters) -> tuple[float, ...]:  # noqa: ARG002  fixed so far
        """Breaks, stationary points and points of inflection."""
        return tuple(sorted({*self.breaks_at, *self.stationary, *self.inflections}))
