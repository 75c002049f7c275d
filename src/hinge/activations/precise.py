"""Arithmetic that keeps what rounding would lose: exponents, and zero times infinity."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from hinge.activations.arrays import Array, Namespace

FAR = 1000.0
"""From here on exp(-x) is 0 in every dtype; going on would give 0·∞."""


class Constant(NamedTuple):
    """A number in twice the digits of a float: the nearest float, and what is left of it."""

    nearest: float
    rest: float


def product(xp: Namespace, x: Array, factor: float | Constant) -> tuple[Array, Array]:
    """``x * factor``, rounded, and what rounding took away (Dekker, 1971).

    In an exponent near 700 half a unit in the last place would cost the result nine bits.
    ``x`` is an array far from overflow.
    """
    held, left = _held(xp, x, factor)
    value, rest = _exact_product(xp, x, held + xp.zeros_like(x))
    return value, rest + x * left


def cubic(xp: Namespace, x: Array, first: Constant, third: Constant) -> tuple[Array, Array]:
    """``first * x + third * x**3``, likewise."""
    square, square_rest = _exact_product(xp, x, x)
    bent, bent_rest = product(xp, square, third)
    held, left = _held(xp, x, first)
    total = bent + held
    grown = total - bent
    total_rest = (held - grown) + (bent - (total - grown)) + left
    value, rest = _exact_product(xp, x, total)
    return value, rest + x * (total_rest + bent_rest + third.nearest * square_rest)


def size(xp: Namespace, x: Array) -> Array:
    """The magnitude abs(x), whose derivative at 0 is that of its right half, and not torch's 0.

    A formula of abs(x) that chooses by x < 0 then has the right second derivative at 0.
    """
    return xp.where(x < 0, -x, x) + 0.0  # and no zero has a sign


def scaled(xp: Namespace, x: Array, factor: Array) -> Array:
    """``factor * x``, where 0 times infinity is 0."""
    largest = float(xp.finfo(x.dtype).max)
    if isinstance(factor, float):
        return factor * x if factor else factor * xp.clip(x, -largest, largest)
    return factor * xp.where(factor == 0, xp.clip(x, -largest, largest), x)


def _digits(xp: Namespace, x: Array) -> int:
    """How many binary digits a number of this dtype has: 53 in float64."""
    return 1 - round(math.log2(float(xp.finfo(x.dtype).eps)))


def _held(xp: Namespace, x: Array, constant: float | Constant) -> tuple[float, float]:
    """The constant as the dtype of ``x`` holds it, and what is left of it."""
    nearest, rest = constant if isinstance(constant, Constant) else (constant, 0.0)
    wide = _digits(xp, x) > np.finfo(np.float32).nmant + 1
    held = nearest if wide else float(np.float32(nearest))
    return held, nearest - held + rest


def _exact_product(xp: Namespace, x: Array, y: Array) -> tuple[Array, Array]:
    """``x * y``, rounded, and the rounding error, which is a number of the same dtype."""
    value = x * y
    (x_high, x_low), (y_high, y_low) = (_split(xp, one) for one in (x, y))
    rest = x_high * y_high - value + x_high * y_low + x_low * y_high + x_low * y_low
    return value, rest


def _split(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """Two halves of the digits of ``x``, whose products are exact."""
    spread = x * (2.0 ** math.ceil(_digits(xp, x) / 2) + 1)
    high = spread - (spread - x)
    return high, x - high
