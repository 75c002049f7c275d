"""What domains are made of: numbers checked and kept, and exact questions about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from hinge.errors import DataError

Reals = npt.NDArray[np.float64]
Numbers = Any
"""A NumPy array, nested lists, or a torch tensor (which this room does not import)."""


def refused(what: str, where: str, found: str, do: str) -> DataError:
    """Return the error that says why there is no such domain."""
    return DataError(what, where=where, found=found, do=do)


def as_reals(values: Numbers, where: str, name: str) -> Reals:
    """Return numbers as a float64 array of their own. Raises `DataError` if they are none."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().double().numpy()
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        found = f"{name}: {type(values).__name__}"
        do = "give an array, nested lists of one length, or a tensor of real numbers"
        raise refused("these are no numbers", where, found, do)
    return array.astype(np.float64)


def finite(values: Numbers, where: str, name: str) -> Reals:
    """Return numbers as float64. Raises `DataError` for NaN and infinity."""
    array = as_reals(values, where, name)
    odd = np.argwhere(~np.isfinite(array))
    if len(odd):
        place = tuple(odd[0].tolist())
        found = f"{name}: {array[place]} at {place}"
        raise refused("the numbers are not all finite", where, found, "give finite float64 numbers")
    return array


def kept(where: str, **named: Numbers) -> tuple[Reals, ...]:
    """Return finite arrays of one shape, which nobody can write to. Raises `DataError`."""
    arrays = {name: finite(values, where, name) for name, values in named.items()}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) > 1:
        found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise refused("the shapes differ", where, found, "give them all the shape of one input")
    for array in arrays.values():
        array.flags.writeable = False
    return tuple(arrays.values())


def difference(where: str, end: Reals, start: Reals) -> Reals:
    """Return ``end - start``, rounded. Raises `DataError` where float64 cannot hold it."""
    with np.errstate(over="ignore"):
        between = end - start
    if not np.isfinite(between).all():
        found = "a difference beyond the largest float64"
        raise refused("the points lie too far apart", where, found, "bring them closer together")
    return between


def ordered(where: str, lower: Reals, upper: Reals) -> None:
    """Raise `DataError` unless there are bounds, and each lower one is below its upper one."""
    wrong = np.argwhere(~(lower < upper))
    if not lower.size:
        raise refused("there are no bounds", where, f"shape {lower.shape}", "give some")
    if len(wrong):
        place = tuple(wrong[0].tolist())
        found = f"{lower[place]} and {upper[place]} at {place}"
        if len(wrong) > 1:
            found += f", and {len(wrong) - 1} more"
        do = "give lower < upper everywhere"
        raise refused("a lower bound is not below its upper bound", where, found, do)


def fitting(where: str, shape: Sequence[int], input_shape: Sequence[int]) -> None:
    """Raise `DataError` unless points of ``shape`` can be inputs of ``input_shape``.

    Axes of length 1 do not matter, and either may be flat.
    """
    own, other = ([n for n in sizes if n != 1] for sizes in (shape, input_shape))
    flat = len(own) <= 1 or len(other) <= 1
    if own != other and not (flat and prod(own) == prod(other)):
        found = f"points of shape {tuple(shape)}, inputs of shape {tuple(input_shape)}"
        do = f"give points of shape {tuple(input_shape)}"
        raise refused("the domain does not fit the network", where, found, do)


def coordinates(where: str, c: Numbers, dimension: int) -> Reals:
    """Return coordinates ``(..., dimension)`` as float64. Raises `DataError` if they are none."""
    values = as_reals(c, where, "c")
    if values.shape[-1:] != (dimension,):
        do = f"give an array whose last axis has length {dimension}"
        raise refused("the coordinates do not fit", where, f"shape {values.shape}", do)
    return values


def combined(coordinates: Reals, origin: Reals, directions: Sequence[Reals]) -> Reals:
    """Return ``origin`` plus the directions, each times its coordinate (on the last axis)."""
    spread = coordinates.reshape(*coordinates.shape[:-1], *(1,) * origin.ndim, len(directions))
    result = origin + spread[..., 0] * directions[0]
    for i, direction in enumerate(directions[1:], 1):
        result = result + spread[..., i] * direction
    return np.asarray(result)


def parallel(pairs: Iterable[tuple[float | Fraction, float | Fraction]]) -> bool:
    """Whether two vectors, given as pairs of their entries, span less than a plane."""
    first: tuple[Fraction, Fraction] | None = None
    for pair in pairs:
        a, b = Fraction(pair[0]), Fraction(pair[1])
        if first is None:
            first = (a, b) if a or b else None
        elif a * first[1] != b * first[0]:
            return False
    return True
