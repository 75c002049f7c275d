"""Turns lines into finite strokes within a frame that holds them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.page import Line
from hinge.report.axes import LARGEST, Mark, Reals, share, widened

Stroke = tuple[Reals, Reals]
"""The x and the y of points that are joined, from left to right."""

Pair = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """The ends of the axes."""

    x_range: Pair
    y_range: Pair

    def across(self, x: npt.ArrayLike) -> Reals:
        """Where values of x lie on their axis, 0 to 1."""
        return share(x, self.x_range)

    def up(self, y: npt.ArrayLike) -> Reals:
        """Where values of y lie on their axis, 0 (bottom) to 1 (top)."""
        return share(y, self.y_range)

    def holds(self, x: float) -> bool:
        """Whether a place lies on the x axis."""
        return self.x_range[0] <= x <= self.x_range[1]


def strokes(line: Line) -> list[Stroke]:
    """Cut a line where the pen is lifted.

    >>> [x.tolist() for x, _ in strokes(Line("f'", (-1.0, 0.0, 0.0, 1.0), (0, float("nan"), 1, 1)))]
    [[-1.0], [0.0, 1.0]]
    """
    x, y = _finite(line.x), _finite(line.y)
    drawn = np.isfinite(x) & np.isfinite(y)
    edges = np.flatnonzero(np.diff(drawn, prepend=False, append=False))
    return [(x[start:end], y[start:end]) for start, end in edges.reshape(-1, 2)]


def dots(line: Line) -> list[Pair]:
    """The dots of a line that can be drawn."""
    x, y = _finite([at for at, _ in line.dots]), _finite([height for _, height in line.dots])
    drawn = np.isfinite(x) & np.isfinite(y)
    return [(float(at), float(height)) for at, height in zip(x[drawn], y[drawn], strict=True)]


def frame(lines: Iterable[Line]) -> Frame | None:
    """Find axes that hold all lines, with 0 on the y axis; None when there is nothing to draw."""
    given = list(lines)
    pieces = [stroke for line in given for stroke in strokes(line)]
    points = [dot for line in given for dot in dots(line)]
    if not pieces and not points:
        return None
    x = np.concatenate([*(x for x, _ in pieces), [at for at, _ in points]])
    y = np.concatenate([*(y for _, y in pieces), [height for _, height in points]])
    return Frame(
        widened(float(x.min()), float(x.max())),
        widened(min(0.0, float(y.min())), max(0.0, float(y.max()))),
    )


def apart(marks: Iterable[Mark], held: Frame) -> tuple[list[Mark], list[Mark]]:
    """Tell the marks within a frame from those beyond it."""
    given = list(marks)
    return [m for m in given if held.holds(m[0])], [m for m in given if not held.holds(m[0])]


def _finite(values: npt.ArrayLike) -> Reals:
    """Numbers clipped to where no difference overflows; what is not finite becomes NaN."""
    array = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(array), np.clip(array, -LARGEST, LARGEST), np.nan)
