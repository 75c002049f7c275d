"""What a form does on an interval: the values it takes, and the lines that enclose it."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from hinge.activations.arrays import Array
from hinge.activations.facts import TINY, ends, slope, slopes, value
from hinge.activations.form import Form, Parameters
from hinge.errors import DataError

Line = tuple[Array, Array]
"""Slope and intercept."""

Point = tuple[Array, Array]
"""A place, and the value or the limit of the values there."""


def interval(form: Form, lower: Array, upper: Array, parameters: Parameters) -> tuple[Array, Array]:
    """Find the smallest interval that holds the values on [lower, upper], elementwise."""
    points = [(at, value(form, at, parameters)) for at in (lower, upper)]
    for at in form.joints(parameters):
        place = np.clip(at, lower, upper)
        points.append((place, value(form, place, parameters)))
    points += _limits(form, lower, upper, parameters)
    heights = np.broadcast_arrays(*(height for _, height in points))
    return np.min(heights, axis=0), np.max(heights, axis=0)


def relax(form: Form, lower: Array, upper: Array, parameters: Parameters) -> tuple[Line, Line]:
    """Find the two closest lines with the chord's slope that enclose f on [lower, upper].

    For a convex or concave stretch no pair of lines is closer in the largest gap. For
    ReLU this is Fast-Lin (Weng et al., Towards Fast Computation of Certified Robustness
    for ReLU Networks, 2018). The intercepts are widened by the rounding errors made here.
    """
    tilt = _chord(form, lower, upper, parameters)
    places = [lower, upper]
    for left, right in pairwise(ends(form, parameters)):
        start, end = np.clip(left, lower, upper), np.clip(right, lower, upper)
        places += [start, _touching(form, start, end, tilt, parameters)]
    points = [(at, value(form, at, parameters)) for at in places]
    points += _limits(form, lower, upper, parameters)
    gaps = np.broadcast_arrays(*(height - tilt * at for at, height in points))
    reached = np.broadcast_arrays(*(height for _, height in points), tilt * lower, tilt * upper)
    slack = 8 * np.finfo(np.float64).eps * np.max(np.abs(reached), axis=0) + TINY
    return (tilt, np.min(gaps, axis=0) - slack), (tilt, np.max(gaps, axis=0) + slack)


def ordered(lower: Array, upper: Array, where: str, *, finite: bool) -> tuple[Array, Array]:
    """Check bounds and give them one shape, in float64."""
    low, high = np.broadcast_arrays(np.asarray(lower, np.float64), np.asarray(upper, np.float64))
    sound = np.all(low <= high) and (not finite or np.all(np.isfinite(high - low)))
    if not sound:
        raise DataError(
            "these are no bounds",
            where=where,
            found=f"lower {lower}, upper {upper}",
            do=f"pass lower ≤ upper{', both finite' if finite else ''}, without NaN",
        )
    return low, high


def _limits(form: Form, lower: Array, upper: Array, parameters: Parameters) -> list[Point]:
    """The limits at jumps that are come to within [lower, upper]; elsewhere any value there."""
    points = []
    for at, left, right in form.jumps(parameters):
        place = np.clip(at, lower, upper)
        taken = value(form, place, parameters)
        from_left, from_right = (lower < at) & (at <= upper), (lower <= at) & (at < upper)
        points += [(place, np.where(from_left, left, taken))]
        points += [(place, np.where(from_right, right, taken))]
    return points


def _chord(form: Form, lower: Array, upper: Array, parameters: Parameters) -> Array:
    """Find the slope of the chord, or f' where the ends coincide; no slope beyond all f'."""
    run = upper - lower
    rise = value(form, upper, parameters) - value(form, lower, parameters)
    tilt = np.where(run > 0, rise / np.where(run > 0, run, 1), slope(form, lower, parameters))
    known = slopes(form, parameters)
    return np.clip(tilt, np.min(known, axis=0), np.max(known, axis=0))


def _touching(form: Form, start: Array, end: Array, tilt: Array, parameters: Parameters) -> Array:
    """Find where f' passes ``tilt`` within a stretch, by bisection; else one of its ends."""
    if form.piecewise_linear:
        return end
    first, last = np.nextafter(start, end), np.nextafter(end, start)  # at a break f' is one side's
    rising = slope(form, first, parameters) <= slope(form, last, parameters)
    widest = np.max(end - start, initial=1.0)
    for _ in range(30 + math.ceil(math.log2(widest))):  # f - tilt·x is flat there: 1e-9 is enough
        middle = start + (end - start) / 2
        left = (slope(form, middle, parameters) >= tilt) == rising
        start, end = np.where(left, start, middle), np.where(left, middle, end)
    return start + (end - start) / 2
