"""Which entries of a program's buffers are the same on the whole domain, and their exact values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import numpy.typing as npt
from scipy import sparse

from hinge.regions.exactly.integers import Integers, shifted, whole
from hinge.regions.exactly.rational_linear import ExactLinear
from hinge.regions.exactly.rational_operations import ExactBend, ExactLarger, ExactUnion
from hinge.regions.programs.program import (
    Bend,
    Indices,
    Join,
    Larger,
    Linear,
    Reals,
    Total,
)

_ONES: Integers = np.ones(1, object)
"""A constant is one column: a point, in whole numbers over 1."""


@dataclass(frozen=True, eq=False)
class Constants:
    """The constant entries of a buffer: those that are ``known``, with ``values / 2**shift``.

    ``known`` is bool and ``values`` Python integers, both with an entry for each of the
    buffer; a value that is not known is 0.
    """

    known: npt.NDArray[np.bool_]
    values: Integers
    shift: int

    def signs(self, entries: Indices, breaks: Reals) -> npt.NDArray[np.int8]:
        """Return the sign of ``value - break`` for some of the known entries."""
        at, finer = whole(breaks)
        shift = max(self.shift, finer)
        values = shifted(self.values[entries], shift - self.shift)
        at = shifted(at, shift - finer)
        return (values > at).astype(np.int8) - (values < at).astype(np.int8)

    @property
    def column(self) -> Integers:
        """The values as the exact operations take them."""
        return self.values[:, None]


def no_constants(width: int) -> Constants:
    """A buffer without any."""
    return Constants(np.zeros(width, bool), np.zeros(width, object), 0)


def constants_after(
    operation: Linear | Total | Join | Bend | Larger, held: Sequence[Constants], width: int
) -> Constants:
    """Return the constants of the buffer that an operation fills.

    ``held`` are those of all buffers before it, ``width`` is the new one's length.
    """
    match operation:
        case Linear(source):
            return _after_linear(operation, held[source])
        case Total(sources) | Join(sources):
            if not any(held[one].known.any() for one in sources):
                return no_constants(width)
            return _after_union(operation, [held[one] for one in sources])
        case Bend(source) | Larger(source):
            if not held[source].known.any():
                return no_constants(width)
            if isinstance(operation, Bend):
                return _after_bend(operation, held[source])
            return _after_larger(operation, held[source])
        case _:
            assert_never(operation)


def _after_linear(linear: Linear, source: Constants) -> Constants:
    places = np.flatnonzero(_still(linear, source))
    if not len(places):
        return no_constants(len(linear.bias))
    rows = sparse.csr_array(linear.matrix[places])
    rows.data = np.where((source.values != 0)[rows.indices], rows.data, 0.0)
    rows.eliminate_zeros()
    bias = linear.bias[places]
    firsts, like = _repeats(rows, bias, source.values)
    exact = ExactLinear(Linear(0, 1, rows[firsts], bias[firsts]), [source.shift])
    found = exact.apply([source.column], _ONES, None)[:, 0]
    return _spread(len(linear.bias), places, found[like], exact.shift)


def _still(linear: Linear, source: Constants) -> npt.NDArray[np.bool_]:
    """Which rows have no weight on anything that moves."""
    matrix, moving = linear.matrix, ~source.known
    if not sparse.issparse(matrix):
        seen = matrix if moving.all() else matrix[:, moving]
        return np.asarray(~seen.any(axis=1))
    if moving.all():
        return np.asarray(np.diff(matrix.indptr) == 0)
    met = np.concatenate([[0], np.cumsum(moving[matrix.indices])])[matrix.indptr]
    return np.asarray(met[1:] == met[:-1])


def _repeats(rows: sparse.csr_array, bias: Reals, values: Integers) -> tuple[Indices, Indices]:
    """Return the first of each kind of row, and for each row which of these it is like.

    Rows with the same weights on the same values have the same sum. On the empty ground of an
    image these are all rows of a channel: the sums in long integers are then few.
    """
    numbers: dict[int, int] = {}
    number = np.array([numbers.setdefault(one, len(numbers)) for one in values.tolist()])
    met, starts = number[rows.indices], rows.indptr.tolist()
    kinds: dict[tuple[float, bytes, bytes], int] = {}
    firsts: list[int] = []
    like: list[int] = []
    for row, constant in enumerate(bias.tolist()):
        inside = slice(starts[row], starts[row + 1])
        key = (constant, met[inside].tobytes(), rows.data[inside].tobytes())
        kind = kinds.setdefault(key, len(kinds))
        if kind == len(firsts):
            firsts.append(row)
        like.append(kind)
    return np.array(firsts), np.array(like)


def _after_bend(bend: Bend, source: Constants) -> Constants:
    places = np.flatnonzero(source.known)
    small = Bend(0, 1, bend.breaks[places], bend.slopes[places], bend.heights[places])
    exact = ExactBend(small, [source.shift])
    found = exact.apply([source.column[places]], _ONES, None)[:, 0]
    return _spread(len(source.known), places, found, exact.shift)


def _after_larger(larger: Larger, source: Constants) -> Constants:
    both = source.known[larger.first] & source.known[larger.second]
    places = np.flatnonzero(both)
    small = Larger(0, 1, larger.first[places], larger.second[places])
    exact = ExactLarger(small, [source.shift])
    found = exact.apply([source.column], _ONES, None)[:, 0]
    return _spread(len(both), places, found, exact.shift)


def _after_union(union: Total | Join, parts: Sequence[Constants]) -> Constants:
    numbered = tuple(range(len(parts)))
    exact = ExactUnion(type(union)(numbered, len(parts)), [part.shift for part in parts])
    found = exact.apply([part.column for part in parts], _ONES, None)[:, 0]
    knowns = [part.known for part in parts]
    known = np.concatenate(knowns) if isinstance(union, Join) else np.logical_and.reduce(knowns)
    places = np.flatnonzero(known)
    return _spread(len(known), places, found[places], exact.shift)


def _spread(width: int, places: Indices, values: Integers, shift: int) -> Constants:
    found = no_constants(width)
    found.known[places] = True
    found.values[places] = values
    return Constants(found.known, found.values, shift)
