"""Turns a curve into finite coordinates, with round numbers for its axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.page import Curve

Reals = npt.NDArray[np.float64]
Mark = tuple[float, str]

LARGEST = 1e300
"""Coordinates are clipped here, so that no difference overflows."""

_FINEST = 1e-12
"""An axis shorter than this share of its numbers is lost in rounding."""

_MARGIN = 0.5
"""A mark this far outside, in widths of the data, still widens the axis."""

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Plot:
    """A curve that can be drawn: every number finite.

    ``left``, ``right`` and ``value`` have one entry per bar (or per point, where left and
    right are equal). ``x_range`` and ``y_range`` are the axes. ``marks`` lie on the axis,
    ``beyond`` holds those too far outside; ``dropped`` counts bars or points that were not finite,
    ``merged`` how many neighbours a bar joins at most.
    """

    left: Reals
    right: Reals
    value: Reals
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    marks: tuple[Mark, ...]
    beyond: tuple[Mark, ...]
    dropped: int
    merged: int

    def across(self, x: npt.ArrayLike) -> Reals:
        """Where values of x lie on their axis, 0 to 1."""
        return share(x, self.x_range)

    def up(self, y: npt.ArrayLike) -> Reals:
        """Where values of y lie on their axis, 0 (bottom) to 1 (top)."""
        return share(y, self.y_range)


def plot(curve: Curve, most: int) -> Plot | None:
    """Prepare a curve with at most ``most`` bars or points; None when nothing is finite.

    Beyond ``most``, neighbours are joined and the largest of their values is kept.
    """
    left, right, value = _coordinates(curve)
    usable = np.isfinite(left) & np.isfinite(right) & np.isfinite(value)
    if not usable.any():
        return None
    dropped = int(usable.size - usable.sum())
    left, right, value = (np.clip(part[usable], -LARGEST, LARGEST) for part in (left, right, value))
    left, right, value, merged = _joined(left, right, value, most)
    low, high = float(left.min()), float(right.max())
    inside, beyond = _near(curve.marks, low, high)
    places = [low, high, *(x for x, _ in inside)]
    base = [0.0] if curve.style == "bars" else []
    return Plot(
        left,
        right,
        value,
        widened(min(places), max(places)),
        widened(min([*base, float(value.min())]), max([*base, float(value.max())])),
        inside,
        beyond,
        dropped,
        merged,
    )


def ticks(low: float, high: float, most: int) -> list[float]:
    """Choose up to ``most`` round numbers from ``low`` to ``high``.

    >>> ticks(-0.3, 10.2, most=6)
    [0.0, 2.5, 5.0, 7.5, 10.0]
    """
    rough = (high - low) / max(1, most - 1)
    power = 10.0 ** np.floor(np.log10(rough)) if rough > 0 else 0.0
    if power == 0 or rough < _FINEST * max(abs(low), abs(high)):
        return [low]
    step = next(power * r for r in _ROUND if power * r >= rough * (1 - 1e-9))
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(step * i) + 0.0 for i in np.arange(first, last + 1)]


def _coordinates(curve: Curve) -> tuple[Reals, Reals, Reals]:
    x = np.asarray(curve.x, dtype=np.float64)
    y = np.asarray(curve.y, dtype=np.float64)
    if curve.style == "line":
        return x, x, y
    return np.minimum(x[:-1], x[1:]), np.maximum(x[:-1], x[1:]), y


def _joined(left: Reals, right: Reals, value: Reals, most: int) -> tuple[Reals, Reals, Reals, int]:
    per_group = max(1, -(-value.size // most))
    starts = np.arange(0, value.size, per_group)
    return (
        np.minimum.reduceat(left, starts),
        np.maximum.reduceat(right, starts),
        np.maximum.reduceat(value, starts),
        per_group,
    )


def _near(
    marks: tuple[Mark, ...], low: float, high: float
) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    reach = _MARGIN * ((high - low) or 1.0)
    near = tuple(mark for mark in marks if low - reach <= mark[0] <= high + reach)
    return near, tuple(mark for mark in marks if mark not in near)


def widened(low: float, high: float) -> tuple[float, float]:
    """Give an axis without extent one, so that a single value can be drawn in its middle."""
    if high - low > max(_FINEST * max(abs(low), abs(high)), 1 / LARGEST):
        return low, high
    room = 0.5 * abs(low) or 0.5
    return low - room, high + room


def share(x: npt.ArrayLike, axis: tuple[float, float]) -> Reals:
    """Where values lie between the ends of an axis, 0 to 1."""
    low, high = axis
    return (np.clip(np.asarray(x, dtype=np.float64), low, high) - low) / (high - low)
