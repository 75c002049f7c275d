"""What follows from a form: range, traits, moments and the live interval.

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

TINY = math.ulp(0.0)
"""The least magnitude that is not zero."""

EQUAL = 1e-12
"""Relative distance below which computed values and slopes count as the same."""


def value(form: Form, x: Array, parameters: Parameters) -> Array:
    """f(x) in float64."""
    with np.errstate(all="ignore"):
        return form.value(np, np.asarray(x, dtype=np.float64), parameters)


def slope(form: Form, x: Array, parameters: Parameters) -> Array:
    """f'(x) in float64."""
    with np.errstate(all="ignore"):
        return form.derivative(np, np.asarray(x, dtype=np.float64), parameters)


def kinks(form: Form, parameters: Parameters) -> tuple[float, ...]:
    """The breaks at which the slope or the value jumps."""
    places = set(jumps(form, parameters))
    for at in form.breaks(parameters):
        before, after = one_sided(form, at, parameters)
        rounding = 0.0 if form.piecewise_linear else EQUAL * (1 + np.abs(before))
        if np.any(np.abs(after - before) > rounding):
            places.add(at)
    return tuple(sorted(places))


def jumps(form: Form, parameters: Parameters) -> tuple[float, ...]:
    """The breaks at which the value jumps."""
    return tuple(at for at, left, right in form.jumps(parameters) if np.any(left != right))


def fires_above(form: Form, parameters: Parameters) -> float:
    """The first break; NaN where there is none or a flat branch lies between two sloped ones."""
    breaks = form.breaks(parameters)
    if not breaks:
        return math.nan
    middles = [(left + right) / 2 for left, right in pairwise(breaks)]
    inner = [bool(np.all(slope(form, at, parameters) == 0)) for at in middles]
    outer = [bool(np.any(slope(form, at, parameters))) for at in (-math.inf, math.inf)]
    return math.nan if any(inner) and all(outer) else float(breaks[0])


def image(form: Form, parameters: Parameters) -> tuple[float, float]:
    """Find the smallest interval that contains all values."""
    values = _levels(form, parameters)
    return float(min(map(np.min, values))) + 0.0, float(max(map(np.max, values))) + 0.0


def monotone(form: Form, parameters: Parameters) -> bool:
    """Whether the function never decreases."""
    values = _levels(form, parameters)
    return all(bool(np.all(left <= right)) for left, right in pairwise(values))


def convex(form: Form, parameters: Parameters) -> bool:
    """Whether the slope never decreases, and the value never jumps."""
    if jumps(form, parameters):
        return False
    return all(bool(np.all(a <= b)) for a, b in pairwise(slopes(form, parameters)))


def lipschitz(form: Form, parameters: Parameters) -> float:
    """Find the least L with |f(x) - f(y)| ≤ L |x - y|: the largest |f'|, infinite with a jump."""
    if jumps(form, parameters):
        return math.inf
    return float(max(np.max(np.abs(at)) for at in slopes(form, parameters)))


def odd(form: Form, parameters: Parameters) -> bool:
    """Whether f(-x) = -f(x)."""
    x = _probes(form, parameters)
    return _same(value(form, -x, parameters), -value(form, x, parameters))


def even(form: Form, parameters: Parameters) -> bool:
    """Whether f(-x) = f(x)."""
    x = _probes(form, parameters)
    return _same(value(form, -x, parameters), value(form, x, parameters))


def homogeneous(form: Form, parameters: Parameters) -> bool:
    """Whether f(c·x) = c·f(x) for every c > 0: one line on each side of 0."""
    x = _probes(form, parameters)
    units = (value(form, sign, parameters) for sign in (-1.0, 1.0))
    pairs = zip((-x, x), units, strict=True)
    return all(_same(value(form, at, parameters), x * unit) for at, unit in pairs)


def saturates(form: Form, parameters: Parameters) -> tuple[bool, bool]:
    """Whether the function comes to a finite limit at -∞, and at +∞."""
    left, right = (np.isfinite(value(form, at, parameters)) for at in (-math.inf, math.inf))
    return bool(np.all(left)), bool(np.all(right))


def live(form: Form, epsilon: float, parameters: Parameters) -> tuple[float, float]:
    """Find the smallest open interval outside which |f'| is below ``epsilon``."""

    def excess(x: float) -> float:
        return float(np.max(np.abs(slope(form, x, parameters)))) - epsilon

    alive = [
        (left, right)
        for left, right in pairwise(ends(form, parameters))
        if max(excess(_after(left)), excess(_before(right))) >= 0
    ]
    if not alive:
        return 0.0, 0.0
    (first, after_first), (before_last, last) = alive[0], alive[-1]
    start = first if excess(_after(first)) >= 0 else _crossing(excess, first, _before(after_first))
    end = last if excess(_before(last)) >= 0 else _crossing(excess, last, _after(before_last))
    return float(start), float(end)


def moments(form: Form, parameters: Parameters) -> tuple[float, float]:
    """E[f(z)] and E[f(z)²], z standard normal: Gauss-Legendre quadrature between the joints."""
    reach = 12.0  # the normal density beyond is below 1e-32
    nodes, weights = np.polynomial.legendre.leggauss(100)
    inner = [at for at in form.joints(parameters) if abs(at) < reach]
    first = second = 0.0
    for left, right in pairwise([-reach, *inner, reach]):
        z = (left + right) / 2 + (right - left) / 2 * nodes
        density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        y = value(form, z, parameters)
        first += float((right - left) / 2 * np.sum(weights * density * y))
        second += float((right - left) / 2 * np.sum(weights * density * y**2))
    return first, second


def ends(form: Form, parameters: Parameters) -> list[float]:
    """The ends of the stretches between which the form keeps its shape."""
    return [-math.inf, *form.joints(parameters), math.inf]


def slopes(form: Form, parameters: Parameters) -> list[Array]:
    """The slopes at the ends of the stretches, from left to right."""
    inner = [at for joint in form.joints(parameters) for at in one_sided(form, joint, parameters)]
    outer = [slope(form, at, parameters) for at in (-math.inf, math.inf)]
    return [outer[0], *inner, outer[1]]


def one_sided(form: Form, at: float, parameters: Parameters) -> list[Array]:
    """The slopes next to a point, on its left and on its right."""
    return [slope(form, _before(at), parameters), slope(form, _after(at), parameters)]


def _levels(form: Form, parameters: Parameters) -> list[Array]:
    """The values at the ends of the stretches, from left to right; two of them at a jump."""
    jumping = form.jumps(parameters)
    levels = []
    for at in ends(form, parameters):
        limits = [side for jump in jumping if np.array_equal(jump.at, at) for side in jump[1:]]
        levels += limits or [value(form, at, parameters)]
    return levels


def _probes(form: Form, parameters: Parameters) -> Array:
    """Positive points, of every magnitude that matters and beside every joint."""
    known = [abs(at) for at in form.joints(parameters) if math.isfinite(at)]
    beside = [factor * at for at in known if at for factor in (0.99, 1.01)]
    return np.array([*np.geomspace(1e-3, 1e3, 61), *beside])


def _same(left: Array, right: Array) -> bool:
    return bool(np.all(np.abs(left - right) <= EQUAL * np.maximum(np.abs(left), np.abs(right))))


def _before(x: Array) -> Array:
    return x if np.all(np.isinf(x)) else np.nextafter(x, -math.inf)


def _after(x: Array) -> Array:
    return x if np.all(np.isinf(x)) else np.nextafter(x, math.inf)


def _crossing(excess: Callable[[float], float], outer: float, inner: float) -> float:
    """Find where |f'| falls below epsilon on a stretch on which it falls towards ``outer``."""
    if math.isinf(inner):
        start = 0.0 if math.isinf(outer) else outer
        inner = _walked(start, inner, lambda at: excess(at) >= 0)
    if math.isinf(outer):
        outer = _walked(inner, outer, lambda at: excess(at) < 0)
    while (middle := (outer + inner) / 2) not in (outer, inner):
        outer, inner = (outer, middle) if excess(middle) >= 0 else (middle, inner)
    return outer


def _walked(start: float, towards: float, arrived: Callable[[float], bool]) -> float:
    """Go from ``start`` in steps that double, until ``arrived``."""
    step = math.copysign(1.0, towards)
    while not arrived(start + step):
        step *= 2
    return start + step
