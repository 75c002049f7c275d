"""Functions with a formula: formula, derivative and joints are declared, the facts follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hinge.activations.arrays import Array, Namespace
from hinge.activations.form import Jump, Parameters, Side

Formula = Callable[..., Any]
"""``f(xp, x, **parameters)`` on arrays of the library whose functions are ``xp``."""


@dataclass(frozen=True)
class Smooth:
    """A continuous function given by ``f`` and its derivative ``df``, smooth but for its breaks.

    Between neighbouring points of ``breaks_at``, ``stationary`` (where f' changes sign) and
    ``inflections`` (where f'' does) it is monotone, and convex or concave. ``scale`` names
    the parameter by which x is multiplied first: these points are then divided by it. The
    derivative is declared beside the formula because automatic differentiation of a
    formula overflows where the formula does not; ``derivative_formula`` is its text.
    ``df_of_f`` is the derivative as a function of the value, where it is one:
    ``df_of_f(xp, f(x)) = df(x)``, but for rounding.
    """

    formula: str
    f: Formula
    df: Formula
    derivative_formula: str
    breaks_at: tuple[float, ...] = ()
    at_break: tuple[Side, ...] = ()
    stationary: tuple[float, ...] = ()
    inflections: tuple[float, ...] = ()
    scale: str = ""
    df_of_f: Formula | None = None

    @property
    def derivative_of_value(self) -> Formula | None:
        """``df_of_f``, as a function of the value and the parameters."""
        given = self.df_of_f
        return None if given is None else lambda xp, y, parameters: given(xp, y, **parameters)

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

    def breaks(self, parameters: Parameters) -> tuple[float, ...]:
        """Where one branch of the formula follows another."""
        return tuple(self._scaled(self.breaks_at, parameters))

    def joints(self, parameters: Parameters) -> tuple[float, ...]:
        """Breaks, stationary points and points of inflection."""
        points = sorted({*self.breaks_at, *self.stationary, *self.inflections})
        return tuple(self._scaled(points, parameters))

    def jumps(self, parameters: Parameters) -> tuple[Jump, ...]:  # noqa: ARG002  it is continuous
        """Nowhere."""
        return ()

    def _scaled(self, points: Any, parameters: Parameters) -> list[float]:
        factor = parameters[self.scale] if self.scale else 1.0
        return [point / factor for point in points]
