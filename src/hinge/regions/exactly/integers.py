"""Floats as integers over a power of two."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hinge.regions.programs.program import Reals

Integers = npt.NDArray[Any]
"""An array of Python integers (dtype object)."""

_MANTISSA = 53
_FITS = 62
"""Bits that an int64 holds beside its sign, with one to spare."""


def whole(values: Reals) -> tuple[Integers, int]:
    """Return integers and the least ``shift`` >= 0 with ``values == integers / 2**shift``."""
    fraction, exponent = np.frexp(values)
    mantissa = np.ldexp(fraction, _MANTISSA).astype(np.int64)
    trailing = np.frexp((mantissa & -mantissa).astype(np.float64))[1] - 1
    trailing = np.where(mantissa == 0, 0, trailing)
    odd = mantissa >> trailing
    exponent = np.where(mantissa == 0, 0, exponent - _MANTISSA + trailing)
    shift = max(0, -int(exponent.min(initial=0)))
    left = exponent + shift
    if left.max(initial=0) + _MANTISSA <= _FITS:
        return (odd << left).astype(object), shift
    return odd.astype(object) << left.astype(object), shift


def shifted(integers: Integers, left: int) -> Integers:
    """Return the integers times ``2**left``."""
    return integers << left if left else integers


def bits(integers: Integers) -> int:
    """Return the number of bits of the largest magnitude."""
    if not integers.size:
        return 0
    flat = integers.ravel()
    return int(max(flat.max(), -flat.min())).bit_length()


def as_int64(integers: Integers, spare: int) -> npt.NDArray[np.int64] | None:
    """Return them as int64 if ``spare`` more bits still fit, else None."""
    return integers.astype(np.int64) if bits(integers) + spare <= _FITS else None
