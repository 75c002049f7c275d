"""What a program is around points: every form as an affine function, with its rounding error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt
from scipy import sparse

from hinge.regions.programs.program import Bend, Fold, Join, Larger, Linear, Program, Total

Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_UNIT = 2.0**-53
_LEAST = 1e-150
"""No error, and no magnitude in the bound of one, is between 0 and this: products of two do not
vanish, so that an error of 0 says that nothing was rounded."""


@dataclass(frozen=True, eq=False)
class Values:
    """Affine functions around B points. ``rows`` ``(B, d + 1, n)``: d slopes, then the value.

    Slopes are per unit of `Around.reach`. ``error`` ``(B, n)`` bounds what rounding has done
    to a value, and to slopes wherever within reach of the middle of the box.
    """

    rows: Reals
    error: Reals

    @property
    def value(self) -> Reals:
        """The values at the points, ``(B, n)``."""
        return self.rows[:, -1]

    @property
    def size(self) -> Reals:
        """A bound of what each can be within the reach, ``(B, n)``; 0 only if it is 0."""
        return _at_least(np.abs(self.rows).sum(axis=1))

    def __getitem__(self, columns: Any) -> Values:
        return Values(self.rows[:, :, columns], self.error[:, columns])


@dataclass(frozen=True, eq=False)
class Around:
    """The forms of all folds and the outputs around B points, in the order of the program.

    ``positive`` and ``flat`` ``(B, m)``: the sign of each form, and whether it is 0 in the
    whole cell as far as rounding tells. ``decided`` ``(B,)``: all other signs are those of
    exact arithmetic. ``proven``: so is what is flat; a cell with this pattern exists then.
    """

    forms: Values
    output: Values

    @property
    def positive(self) -> Flags:
        """Where a form is above 0 and not flat."""
        return np.asarray((self.forms.value > 0) & ~self.flat)

    @property
    def flat(self) -> Flags:
        """Where value and slopes all drown in rounding errors."""
        return np.asarray(self.forms.size <= 2 * self.forms.error)

    @property
    def decided(self) -> Flags:
        """Whether the sign of every form that is not flat is certain."""
        return np.asarray((self._certain | self.flat).all(axis=1))

    @property
    def proven(self) -> Flags:
        """Whether the flat ones are certain too: 0 without any rounding, as behind dead units."""
        nothing = (self.forms.size == 0) & (self.forms.error == 0)
        return np.asarray((self._certain | nothing).all(axis=1))

    @property
    def _certain(self) -> Flags:
        return np.asarray(np.abs(self.forms.value) > self.forms.error)


def around(program: Program, points: Reals, reach: Reals) -> Around:
    """Follow a program around ``points`` ``(B, d)``; slopes are per ``reach`` ``(d,)``.

    Errors are carried along as a running bound (Higham, Accuracy and Stability of Numerical
    Algorithms, sections 3.1 and 3.3): every sum of n products adds at most n + 2 roundings
    of the sum of their magnitudes, in whatever order it is done.
    """
    count, dimension = points.shape
    slopes = np.broadcast_to(np.diag(reach), (count, dimension, dimension))
    rows = np.concatenate([slopes, points[:, None, :]], axis=1)
    buffers = [Values(rows, np.zeros((count, dimension)))]
    folded: list[Values] = []
    for operation in program.operations:
        match operation:
            case Linear():
                buffers.append(_linear(operation, buffers[operation.source]))
            case Total(several, _):
                buffers.append(_total([buffers[one] for one in several]))
            case Join(several, _):
                joined = [buffers[one] for one in several]
                buffers.append(_joined(joined))
            case Bend():
                buffers.append(_bend(operation, buffers[operation.source]))
            case Larger(source, _, first, second):
                buffers.append(_larger(buffers[source][first], buffers[source][second]))
            case Fold(source, columns, breaks):
                folded.append(_shifted(buffers[source][columns], breaks))
            case _:
                assert_never(operation)
    empty = Values(np.zeros((count, dimension + 1, 0)), np.zeros((count, 0)))
    return Around(_joined([empty, *folded]), buffers[program.output])


def _linear(step: Linear, source: Values) -> Values:
    matrix, bias = step.matrix, step.bias
    magnitude = _magnitude(matrix)
    count, rows, width = source.rows.shape
    flat = source.rows.reshape(-1, width)
    result = _times(matrix, flat).reshape(count, rows, len(bias))
    result[:, -1] += bias
    terms = _times(magnitude, source.size) + np.abs(bias)
    carried = _times(magnitude, source.error)
    return Values(result, _grown(carried + _gamma(width + 2) * terms))


def _total(several: list[Values]) -> Values:
    rows = np.sum([one.rows for one in several], axis=0)
    error = np.sum([one.error for one in several], axis=0)
    terms = np.sum([one.size for one in several], axis=0)
    return Values(rows, _grown(error + _gamma(len(several)) * terms))


def _joined(several: list[Values]) -> Values:
    return Values(
        np.concatenate([one.rows for one in several], axis=2),
        np.concatenate([one.error for one in several], axis=1),
    )


def _shifted(source: Values, by: Reals) -> Values:
    rows = source.rows.copy()
    rows[:, -1] -= by
    return Values(rows, _grown(source.error + _UNIT * np.abs(rows[:, -1])))


def _larger(first: Values, second: Values) -> Values:
    wins = first.value >= second.value
    rows = np.where(wins[:, None], first.rows, second.rows)
    return Values(rows, np.maximum(first.error, second.error))


def _bend(bend: Bend, source: Values) -> Values:
    """The piece that holds at the point; where that is not certain, the steepest bounds errors."""
    value, error = source.value, source.error
    pieces = _piece(bend, value)
    columns = np.arange(len(bend.heights))
    slope = bend.slopes[columns, pieces]
    anchor = np.concatenate([bend.breaks[:, :1], bend.breaks], axis=1)
    heights = np.cumsum(
        np.concatenate(
            [
                bend.heights[:, None],
                np.zeros((len(columns), 1)),
                bend.slopes[:, 1:-1] * np.diff(bend.breaks, axis=1),
            ],
            axis=1,
        ),
        axis=1,
    )
    at, height = anchor[columns, pieces], heights[columns, pieces]
    rows = source.rows * slope[:, None]
    rows[:, -1] = height + slope * (value - at)
    certain = _piece(bend, value - error) == _piece(bend, value + error)
    steepest = np.where(certain, np.abs(slope), np.abs(bend.slopes).max(axis=1))
    reached = np.abs(bend.heights) + (
        np.abs(bend.slopes[:, 1:-1]) * np.diff(bend.breaks, axis=1)
    ).sum(axis=1)
    terms = reached + np.abs(slope) * (source.size + np.abs(at))
    return Values(rows, _grown(steepest * error + _gamma(bend.breaks.shape[1] + 4) * terms))


def _piece(bend: Bend, value: Reals) -> npt.NDArray[np.int64]:
    return np.asarray((value[:, :, None] > bend.breaks).sum(axis=2))


def _gamma(count: int) -> float:
    return count * _UNIT / (1 - count * _UNIT)


def _grown(error: Reals) -> Reals:
    """An error bound that stays one although it was itself computed with rounding."""
    return _at_least(error * (1 + 1e-9))


def _at_least(size: Reals) -> Reals:
    return np.where(size > 0, size + _LEAST, 0.0)


def _times(matrix: Any, rows: Reals) -> Reals:
    """``matrix`` times each row; in C order, without which NumPy leaves BLAS aside."""
    if sparse.issparse(matrix):
        return np.ascontiguousarray(np.asarray(matrix @ rows.T).T)
    return np.asarray(np.ascontiguousarray(rows) @ matrix.T)


def _magnitude(matrix: Any) -> Any:
    found = abs(matrix)
    if sparse.issparse(found):
        found.data = _at_least(found.data)
        return found
    return _at_least(found)
