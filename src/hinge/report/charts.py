"""What the HTML template draws of a curve: bars, axes and marks as numbers.

Across, places are percent of the plot's width, so that it fits every screen while its text
keeps its size; downwards they are pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hinge.page import Curve
from hinge.report.axes import Mark, Plot, plot, ticks
from hinge.report.text import number, one_line, plural, round_number

_MOST_BARS = 256
_HEIGHT = 168
_X_TICKS, _Y_TICKS = 7, 5
_LABEL_STEP = 18
_LONGEST_LABEL = 48
_MIDDLE = 55
"""Beyond this place, in percent, a mark's label is set to its left."""


@dataclass(frozen=True)
class Bar:
    """A bar or a stretch of a line: x in percent of the width, y in pixels from the top."""

    x1: float
    x2: float
    y1: float
    y2: float
    title: str


@dataclass(frozen=True)
class Tick:
    """A place on an axis, in percent or pixels, its text and which end of it lies there."""

    at: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class CurveView:
    """A curve as bars or stretches of a line, with axes and marks."""

    curve: Curve
    top: int
    height: int
    bars: list[Bar]
    baseline: float
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    marks: list[Tick]
    labels: list[str]
    remarks: list[str]
    values: list[tuple[str, str]]


def curve_view(curve: Curve) -> CurveView | None:
    """Lay out a curve; None when nothing in it is finite."""
    drawn = plot(curve, _MOST_BARS)
    if drawn is None:
        return None
    return CurveView(
        curve=curve,
        top=_LABEL_STEP * len(drawn.marks) + 8,
        height=_HEIGHT,
        bars=_stretches(drawn) if curve.style == "line" else _bars(drawn),
        baseline=_down(drawn, 0.0),
        x_ticks=[
            Tick(_percent(drawn, x), round_number(x)) for x in ticks(*drawn.x_range, _X_TICKS)
        ],
        y_ticks=[Tick(_down(drawn, y), round_number(y)) for y in ticks(*drawn.y_range, _Y_TICKS)],
        marks=[_mark(drawn, mark) for mark in drawn.marks],
        labels=[f"{number(x)}: {label}" for x, label in drawn.marks],
        remarks=_remarks(drawn),
        values=[
            (_extent(left, right), number(value))
            for left, right, value in zip(drawn.left, drawn.right, drawn.value, strict=True)
        ],
    )


def _bars(drawn: Plot) -> list[Bar]:
    base = _down(drawn, 0.0)
    bars = []
    for left, right, value in zip(drawn.left, drawn.right, drawn.value, strict=True):
        end = _down(drawn, value)
        title = f"{_extent(left, right)}: {number(value)}"
        x1, x2 = _percent(drawn, left), _percent(drawn, right)
        bars.append(Bar(x1, x2, min(base, end), max(base, end), title))
    return bars


def _stretches(drawn: Plot) -> list[Bar]:
    order = np.argsort(drawn.left, kind="stable")
    points = [
        (
            _percent(drawn, drawn.left[i]),
            _down(drawn, drawn.value[i]),
            drawn.left[i],
            drawn.value[i],
        )
        for i in order
    ]
    starts = points[:-1] or points
    ends = points[1:] or points
    return [
        Bar(x1, x2, y1, y2, f"{number(x)}: {number(y)}")
        for (x1, y1, _, _), (x2, y2, x, y) in zip(starts, ends, strict=True)
    ]


def _mark(drawn: Plot, mark: Mark) -> Tick:
    at = _percent(drawn, mark[0])
    label = one_line(mark[1])
    short = label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
    return Tick(at, short, "end" if at > _MIDDLE else "start")


def _remarks(drawn: Plot) -> list[str]:
    remarks = [f"{label}: at {number(x)}, beyond the axis." for x, label in drawn.beyond]
    if drawn.merged > 1:
        remarks.append(f"Each bar shows the largest of {plural(drawn.merged, 'value')}.")
    if drawn.dropped:
        remarks.append(f"Left out because not finite: {plural(drawn.dropped, 'value')}.")
    return remarks


def _extent(left: float, right: float) -> str:
    return number(left) if left == right else f"{number(left)} to {number(right)}"


def _percent(drawn: Plot, x: float) -> float:
    return round(100 * float(drawn.across(x)), 3)


def _down(drawn: Plot, y: float) -> float:
    return round(_HEIGHT * (1 - float(drawn.up(y))), 2)
