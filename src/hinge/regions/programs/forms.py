"""The forms of one fold: those of one sign everywhere and those that repeat others left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from hinge.regions.programs.constants import Constants
from hinge.regions.programs.program import Indices, Linear, Reals

_Key = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Forms:
    """The distinct forms ``source[columns] - breaks`` of several, and how those follow from them.

    The sign of the i-th given form is ``orientation[i]`` times that of form ``forms[i]``, or
    ``orientation[i]`` itself where ``forms[i]`` is -1.
    """

    columns: Indices
    breaks: Reals
    forms: Indices
    orientation: npt.NDArray[np.int8]


def distinct(linear: Linear | None, constants: Constants, entries: Indices, breaks: Reals) -> Forms:
    """Find which forms ``source[entries[i]] - breaks[i]`` differ, in exact arithmetic.

    ``constants`` are those of the source: forms on them have one sign. ``linear`` is the
    operation that yields the source. Without one all other forms count as different: no two
    have both entry and break in common.
    """
    forms = np.arange(len(entries))
    orientation = np.ones(len(entries), np.int8)
    flat = constants.known[entries]
    forms[flat] = -1
    if flat.any():
        orientation[flat] = constants.signs(entries[flat], breaks[flat])
    if linear is not None:
        moving = np.flatnonzero(~flat)
        for like, others in _alike(_Rows(linear), entries, breaks, moving):
            for other, same_way in others:
                forms[other], orientation[other] = like, 1 if same_way else -1
    kept = np.unique(forms[forms >= 0])
    number = np.full(len(entries) + 1, -1)
    number[kept] = np.arange(len(kept))
    return Forms(entries[kept], breaks[kept], number[forms], orientation)


def _alike(
    rows: _Rows, entries: Indices, breaks: Reals, moving: Indices
) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
    """Yield a form and those proportional to it, each with whether they have the same sign."""
    groups: dict[_Key, list[int]] = {}
    for form in moving.tolist():
        groups.setdefault(rows.direction(int(entries[form])), []).append(form)
    for members in groups.values():
        if len({int(entries[form]) for form in members}) == 1:
            continue  # one row with several breaks
        found: dict[_Key, tuple[int, bool]] = {}
        repeats: dict[int, list[tuple[int, bool]]] = {}
        for form in members:
            key, positive = rows.line(int(entries[form]), float(breaks[form]))
            like, as_like = found.setdefault(key, (form, positive))
            if like != form:
                repeats.setdefault(like, []).append((form, positive == as_like))
        yield from repeats.items()


class _Rows:
    """The rows of a Linear, compared by rounded quotients first and by integers then."""

    def __init__(self, linear: Linear) -> None:
        matrix = sparse.csr_array(linear.matrix)
        matrix.sort_indices()
        self.bias = linear.bias
        self.starts = matrix.indptr.tolist()
        lengths = np.diff(matrix.indptr)
        self.places, self.values = matrix.indices, matrix.data
        first = matrix.data[matrix.indptr[:-1][lengths > 0]]
        with np.errstate(all="ignore"):
            # Equal ratios round to equal numbers, so that unequal ones settle most pairs.
            self.quotients = matrix.data / np.repeat(first, lengths[lengths > 0])
        self._primitive: dict[bytes, tuple[Fraction, tuple[int, ...]]] = {}

    def direction(self, row: int) -> _Key:
        """What rows that are multiples of each other have in common, and hardly any others."""
        inside = slice(self.starts[row], self.starts[row + 1])
        return self.places[inside].tobytes(), self.quotients[inside].tobytes()

    def line(self, row: int, at: float) -> tuple[_Key, bool]:
        """Return where the form vanishes, the same for all its multiples, and a sign."""
        scale, whole = self._whole(self.values[self.starts[row] : self.starts[row + 1]])
        offset = (Fraction(float(self.bias[row])) - Fraction(at)) / scale
        return (whole, offset), scale > 0

    def _whole(self, values: Reals) -> tuple[Fraction, tuple[int, ...]]:
        key = values.tobytes()
        if key not in self._primitive:
            self._primitive[key] = primitive(values.tolist())
        return self._primitive[key]


def primitive(values: list[float]) -> tuple[Fraction, tuple[int, ...]]:
    """Return ``s`` and integers without a common factor, the first positive: values are s times."""
    ratios = [value.as_integer_ratio() for value in values]
    denominator = max(below for _, below in ratios)  # powers of two: it is a multiple of all
    whole = [above * (denominator // below) for above, below in ratios]
    factor = gcd(*whole) if whole[0] > 0 else -gcd(*whole)
    return Fraction(factor, denominator), tuple(one // factor for one in whole)
