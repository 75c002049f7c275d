"""Whether two activations are one function, and which parameters make one of them the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt

from hinge.activations import Activation
from hinge.activations.arrays import to_numpy

Floats = Mapping[str, float]

_EQUAL = 1e-12
"""Relative difference of two float64 values that rounding explains."""

_TRIED = 4096  # combinations of parameters; the largest number that any pair of records needs


def same_function(old: Activation, given: Floats, new: Activation, chosen: Floats) -> bool:
    """Whether ``old`` with the parameters ``given`` equals ``new`` with those ``chosen``.

    For piecewise-linear functions the answer is exact but for rounding: they are compared at
    two points inside each piece of either, and at the breaks. Others are compared at a few
    thousand points of every magnitude. One that draws random numbers while training equals
    itself alone.
    """
    if old == new and dict(old.filled(given)) == dict(new.filled(chosen)):
        return True
    if old.training or new.training:
        return False
    points = _points(old, given, new, chosen)
    with np.errstate(all="ignore"):
        left, right = old(points, **given), new(points, **chosen)
    near = np.abs(left - right) <= _EQUAL * np.maximum(np.abs(left), np.abs(right))
    return bool(np.all(near | (left == right)))


def preserving(old: Activation, given: Floats, new: Activation, fixed: Floats) -> Floats | None:
    """Parameters with which ``new`` equals ``old``, those in ``fixed`` as they are; None: none.

    Tried are the numbers that ``old`` consists of: its slopes, breaks and parameters.
    """
    numbers = sorted({0.0, 1.0, *given.values(), *_numbers(old, given)})
    ranges = [
        (fixed[one.name],) if one.name in fixed else dict.fromkeys((one.default, *numbers))
        for one in new.parameters
    ]
    for tried, values in enumerate(product(*ranges)):
        chosen = dict(zip((one.name for one in new.parameters), values, strict=True))
        if tried >= _TRIED:
            break
        if new.accepts(chosen) and same_function(old, given, new, chosen):
            return chosen
    return None


def single(parameters: Mapping[str, Any]) -> dict[str, float] | None:
    """Parameters that are one number each, learned ones that are the same everywhere included."""
    found: dict[str, float] = {}
    for name, value in parameters.items():
        values = np.unique(to_numpy(value) if hasattr(value, "shape") else value)
        if values.size != 1:
            return None
        found[name] = float(values[0])
    return found


def _points(
    old: Activation, given: Floats, new: Activation, chosen: Floats
) -> npt.NDArray[np.float64]:
    breaks = {*old.form.joints(old.filled(given)), *new.form.joints(new.filled(chosen))}
    finite = sorted(float(at) for at in breaks if np.isfinite(at)) or [0.0]
    inner = [a + (b - a) * part for a, b in pairwise(finite) for part in (1 / 3, 2 / 3)]
    outer = [finite[0] - 3, finite[0] - 1, finite[-1] + 1, finite[-1] + 3]
    points = np.array([*finite, *inner, *outer])
    if old.is_piecewise_linear and new.is_piecewise_linear:
        return points
    sizes = np.geomspace(1e-3, 30.0, 1000)
    return np.concatenate([points, sizes, -sizes])


def _numbers(record: Activation, given: Floats) -> Iterator[float]:
    """The slopes and breaks of a piecewise-linear function."""
    if not record.is_piecewise_linear:
        return
    breaks = sorted(float(at) for at in record.form.breaks(record.filled(given)))
    yield from breaks
    first, last = (breaks[0], breaks[-1]) if breaks else (0.0, 0.0)
    for at in (first - 1, *((a + b) / 2 for a, b in pairwise(breaks)), last + 1):
        yield float(record.derivative(np.array(at), **given))
