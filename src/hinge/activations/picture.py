"""The graph of an activation and of its derivative, its kinks marked."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hinge.activations.record import Activation
from hinge.activations.words import defaults
from hinge.page import Line, Lines

_REACH = 4.0
"""Most functions do all that they do within ±4."""

_ROOM = 2.0
"""So far the graph goes on beyond the outermost kinks."""

_POINTS = 97
_SAME = 1e-9


def picture(record: Activation) -> Lines:
    """Draw f and f′ with the default parameters; a dot is the value at a jump of the line."""
    kinks = record.kinks()
    low = min([-_REACH, *(at - _ROOM for at in kinks)])
    high = max([_REACH, *(at + _ROOM for at in kinks)])
    breaks = [at for at in record.form.breaks(defaults(record)) if low < at < high]
    inner = [] if record.is_piecewise_linear else np.linspace(low, high, _POINTS)[1:-1].tolist()
    places = sorted({low, *inner, *breaks, high})
    return Lines(
        (
            _line("f(x)", lambda x: float(record(x)), places, breaks),
            _line("f′(x)", lambda x: float(record.derivative(x)), places, breaks),
        ),
        title=f"{record.title} and its derivative",
        x_label="x",
        marks=tuple((at, "jump" if at in record.jumps() else "kink") for at in kinks),
    )


def _line(
    name: str, function: Callable[[float], float], places: list[float], breaks: list[float]
) -> Line:
    """A line through the places that is interrupted where the function jumps."""
    points: list[tuple[float, float]] = []
    dots = []
    for at in places:
        here = function(at)
        left, right = (function(math.nextafter(at, end)) for end in (-math.inf, math.inf))
        if at not in breaks or max(left, here, right) - min(left, here, right) < _SAME:
            points.append((at, here))
            continue
        points += [(at, left), (at, math.nan), (at, right)]
        dots.append((at, here))
    return Line(name, tuple(x for x, _ in points), tuple(y for _, y in points), tuple(dots))
