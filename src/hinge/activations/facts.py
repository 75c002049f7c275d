"""What follows from a form: range, traits, interval images, relaxations, gain.

Between neighbouring joints a form is monotone, and so is its derivative. Whatever has to
be known of a stretch therefore shows at its ends. All of it is computed in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from hinge.activations.arrays import Array
from hinge.activations.form import Form, Parameters
from hinge.errors import DataError

Line = tuple[Array, Array]
"""Slope and intercept."""

TINY = math.ulp(0.0)
"""The least magnitude that is not zero."""


def value(form: Form, x: Array, parameters: Parameters) -> Array:
    """f(x) in float64."""
    with np.errstate(all="ignore"):
        return form.value(np, np.asarray(x, dtype=np.float64), parameters)


def slope(form: Form, x: Array, parameters: Parameters) -> Array:
    """f'(x) in float64."""
    with np.errstate(all="ignore"):
        return form.derivative(np, np.asarray(x, dtype=np.float64), parameters)


def kinks(form: Form, parameters: Parameters) -> tuple[float, ...]:
    """The breaks at which the slope jumps."""
    breaks = form.breaks(parameters)
    return tuple(at for at in breaks if np.any(np.diff(_one_sided(form, at, parameters), axis=0)))


def image(form: Form, parameters: Parameters) -> tuple[float, float]:
    """Find the smallest interval that contains all values."""
    values = [value(form, at, parameters) for at in _ends(form, parameters)]
    return float(min(map(np.min, values))), float(max(map(np.max, values)))


def monotone(form: Form, parameters: Parameters) -> bool:
    """Whether the function never decreases."""
    values = [value(form, at, parameters) for at in _ends(form, parameters)]
    return all(bool(np.all(left <= right)) for left, right in pairwise(values))


def convex(form: Form, parameters: Parameters) -> bool:
    """Whether the slope never decreases."""
    return all(bool(np.all(a <= b)) for a, b in pairwise(_slopes(form, parameters)))


def lipschitz(form: Form, parameters: Parameters) -> float:
    """Find the least L with |f(x) - f(y)| ≤ L |x - y|: the largest |f'|."""
    return float(max(np.max(np.abs(at)) for at in _slopes(form, parameters)))


def live(form: Form, epsilon: float, parameters: Parameters) -> tuple[float, float]:
    """Find the smallest open interval outside which |f'| is below ``epsilon``."""

    def excess(x: float) -> float:
        return float(np.max(np.abs(slope(form, x, parameters)))) - epsilon

    alive = [
        (left, right)
        for left, right in pairwise(_ends(form, parameters))
        if max(excess(_after(left)), excess(_before(right))) >= 0
    ]
    if not alive:
        return 0.0, 0.0
    (first, after_first), (before_last, last) = alive[0], alive[-1]
    start = first if excess(_after(first)) >= 0 else _crossing(excess, first, _before(after_first))
    end = last if excess(_before(last)) >= 0 else _crossing(excess, last, _after(before_last))
    return start, end


def interval(form: Form, lower: Array, upper: Array, parameters: Parameters) -> tuple[Array, Array]:
    """Find the smallest and the largest value on [lower, upper], elementwise."""
    ends = value(form, lower, parameters), value(form, upper, parameters)
    low, high = np.minimum(*ends), np.maximum(*ends)
    for at in form.joints(parameters):
        inside = (lower < at) & (at < upper)
        height = value(form, at, parameters)
        low = np.where(inside, np.minimum(low, height), low)
        high = np.where(inside, np.maximum(high, height), high)
    return low, high


def relax(form: Form, lower: Array, upper: Array, parameters: Parameters) -> tuple[Line, Line]:
    """Find the two closest lines with the chord's slope that enclose f on [lower, upper].

    For a convex or concave stretch no pair of lines is closer in the largest gap. For
    ReLU this is Fast-Lin (Weng et al., Towards Fast Computation of Certified Robustness
    for ReLU Networks, 2018). The intercepts are widened by the rounding errors made here.
    """
    tilt = _chord(form, lower, upper, parameters)
    points = [lower, upper]
    for left, right in pairwise(_ends(form, parameters)):
        start, end = np.clip(left, lower, upper), np.clip(right, lower, upper)
        points += [start, _touching(form, start, end, tilt, parameters)]
    values = [value(form, at, parameters) for at in points]
    gaps = [height - tilt * at for height, at in zip(values, points, strict=True)]
    size = np.max(np.abs([*values, tilt * lower, tilt * upper]), axis=0)
    slack = 8 * np.finfo(np.float64).eps * size + TINY
    return (tilt, np.min(gaps, axis=0) - slack), (tilt, np.max(gaps, axis=0) + slack)


def gain(form: Form, parameters: Parameters) -> float:
    """1/√E[f(z)²] for standard normal z, by Gauss-Legendre quadrature between the joints."""
    reach = 12.0  # the normal density beyond is below 1e-32
    nodes, weights = np.polynomial.legendre.leggauss(100)
    inner = [at for at in form.joints(parameters) if abs(at) < reach]
    moment = 0.0
    for left, right in pairwise([-reach, *inner, reach]):
        z = (left + right) / 2 + (right - left) / 2 * nodes
        density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        squares = value(form, z, parameters) ** 2
        moment += float((right - left) / 2 * np.sum(weights * density * squares))
    return 1 / math.sqrt(moment)


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


def _ends(form: Form, parameters: Parameters) -> list[float]:
    return [-math.inf, *form.joints(parameters), math.inf]


def _slopes(form: Form, parameters: Parameters) -> list[Array]:
    """The slopes at the ends of the stretches, from left to right."""
    inner = [at for joint in form.joints(parameters) for at in _one_sided(form, joint, parameters)]
    outer = [slope(form, at, parameters) for at in (-math.inf, math.inf)]
    return [outer[0], *inner, outer[1]]


def _one_sided(form: Form, at: float, parameters: Parameters) -> list[Array]:
    return [slope(form, _before(at), parameters), slope(form, _after(at), parameters)]


def _before(x: float) -> float:
    return x if math.isinf(x) else math.nextafter(x, -math.inf)


def _after(x: float) -> float:
    return x if math.isinf(x) else math.nextafter(x, math.inf)


def _crossing(excess: Callable[[float], float], outer: float, inner: float) -> float:
    """Find where |f'| falls below epsilon on a stretch on which it falls towards ``outer``."""
    if math.isinf(outer):
        step = 1.0
        inner = math.copysign(1.0, outer) if math.isinf(inner) else inner
        while excess(inner + math.copysign(step, outer)) >= 0:
            step *= 2
        outer = inner + math.copysign(step, outer)
    while (middle := (outer + inner) / 2) not in (outer, inner):
        outer, inner = (outer, middle) if excess(middle) >= 0 else (middle, inner)
    return outer


def _chord(form: Form, lower: Array, upper: Array, parameters: Parameters) -> Array:
    """Find the slope of the chord, or f' where the ends coincide; no slope beyond all f'."""
    run = upper - lower
    rise = value(form, upper, parameters) - value(form, lower, parameters)
    tilt = np.where(run > 0, rise / np.where(run > 0, run, 1), slope(form, lower, parameters))
    slopes = _slopes(form, parameters)
    return np.clip(tilt, np.min(slopes, axis=0), np.max(slopes, axis=0))


def _touching(form: Form, start: Array, end: Array, tilt: Array, parameters: Parameters) -> Array:
    """Find where f' passes ``tilt`` within a stretch, by bisection; else one of its ends."""
    if form.piecewise_linear:
        return end
    rising = slope(form, start, parameters) <= slope(form, end, parameters)
    widest = np.max(end - start, initial=1.0)
    for _ in range(30 + math.ceil(math.log2(widest))):  # f - tilt·x is flat there: 1e-9 is enough
        middle = start + (end - start) / 2
        left = (slope(form, middle, parameters) >= tilt) == rising
        start, end = np.where(left, start, middle), np.where(left, middle, end)
    return start + (end - start) / 2
