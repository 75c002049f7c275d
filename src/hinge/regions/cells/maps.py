"""The affine map of each cell, in the domain's coordinates, with bounds on its rounding errors.

The bounds follow N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 2002:
a sum of k products, in any order, is off by at most gamma_k = k u / (1 - k u) times the sum
of the products' magnitudes (section 3.1); what every operation adds is carried along through
the magnitudes |W| of those that follow (running error analysis, section 3.3). The bounds are
themselves rounded upwards, and hold with underflow (eq. 2.8); where numbers overflow they are
infinite or NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.propagation import (
    BUDGET,
    bytes_per_cell,
    chosen,
    constants,
    forward,
    picked,
    row_length,
    times,
)
from hinge.regions.cells.signs import Bools, Cells, States, chunks
from hinge.regions.programs.program import Bend, Larger, Linear, Reals

_TINY = float(np.finfo(np.float64).smallest_subnormal)


def gamma(n: int) -> float:
    """``n u / (1 - n u)`` with ``u = 2 ** -53`` (Higham, lemma 3.1), rounded upwards."""
    rounding = n * 2.0**-53
    return rounding / (1 - rounding) * (1 + 2.0**-50)


@dataclass(frozen=True, eq=False)
class Maps:
    """The maps ``matrices[i] @ c + shifts[i]`` of n cells on the domain's coordinates c.

    ``matrices`` ``(n, n_out, d)`` and ``shifts`` ``(n, n_out)``, float64. The exact numbers
    are off by at most ``matrix_errors`` and ``shift_errors``, of the same shapes.
    """

    matrices: Reals
    shifts: Reals
    matrix_errors: Reals
    shift_errors: Reals


def affine_maps(patterns: Patterns, cells: Cells, buffer: int | None = None) -> Maps:
    """The maps of ``cells`` ``(n,)`` to the output, or to another buffer of the program."""
    program = patterns.program
    target = program.output if buffer is None else buffer
    shape = (len(cells), program.widths[target], program.widths[0] + 1)
    values, errors = np.empty(shape), np.empty(shape)
    rules, done = Rounded(), 0
    for some in chunks(cells, bytes_per_cell(patterns, arrays=2), BUDGET):
        with np.errstate(over="ignore", invalid="ignore"):
            value, error = forward(patterns, some, rules, target)
        values[done : done + len(some)] = value.transpose(2, 0, 1)
        errors[done : done + len(some)] = error.transpose(2, 0, 1)
        done += len(some)
    return Maps(values[..., :-1], values[..., -1], errors[..., :-1], errors[..., -1])


def slopes_and_shifts(patterns: Patterns, cells: Cells, buffer: int | None = None) -> Reals:
    """The numbers of `affine_maps` alone, in half the time: ``(n, n_out, d + 1)``, shifts last."""
    program = patterns.program
    target = program.output if buffer is None else buffer
    values = np.empty((len(cells), program.widths[target], program.widths[0] + 1))
    rules, done = Plain(), 0
    for some in chunks(cells, bytes_per_cell(patterns, arrays=1), BUDGET):
        with np.errstate(over="ignore", invalid="ignore"):
            values[done : done + len(some)] = forward(patterns, some, rules, target).transpose(
                2, 0, 1
            )
        done += len(some)
    return values


def coordinates(dimension: int, n_cells: int) -> Reals:
    """The map of the coordinates onto themselves in every cell."""
    value = np.zeros((dimension, dimension + 1, n_cells))
    value[range(dimension), range(dimension)] = 1.0
    return value


class Plain:
    """Float64 without bounds."""

    def __init__(self) -> None:
        self._constants: dict[int, Reals | None] = {}

    def start(self, dimension: int, n_cells: int) -> Reals:
        """The coordinates themselves."""
        return coordinates(dimension, n_cells)

    def linear(self, number: int, operation: Linear, value: Reals) -> Reals:  # noqa: ARG002
        """``matrix @ value + bias``."""
        result = times(operation.matrix, value)
        result[:, -1] += operation.bias[:, None]
        return result

    def total(self, values: Sequence[Reals]) -> Reals:
        """The sum."""
        result = values[0]
        for value in values[1:]:
            result = result + value
        return result

    def join(self, values: Sequence[Reals]) -> Reals:
        """One after the other."""
        return np.concatenate(values)

    def bend(self, number: int, operation: Bend, value: Reals, pieces: States) -> Reals:
        """Slope times value plus the constant of the piece."""
        result = chosen(operation.slopes, pieces)[:, None] * value
        shift = self.constants(number, operation)
        if shift is not None:
            result[:, -1] += chosen(shift, pieces)
        return result

    def larger(self, operation: Larger, value: Reals, second: Bools) -> Reals:
        """One of each pair."""
        return picked(value, operation.first, operation.second, second)

    def constants(self, number: int, operation: Bend) -> Reals | None:
        """The constants of the pieces; None where all are 0."""
        if number not in self._constants:
            found = constants(operation)
            self._constants[number] = found if found.any() else None
        return self._constants[number]


Bounded = tuple[Reals, Reals]
"""A value and how far it may be off."""


@dataclass
class Rounded:
    """Float64 with a bound on the error of every number."""

    plain: Plain = field(default_factory=Plain)
    _magnitudes: dict[int, Any] = field(default_factory=dict)

    def start(self, dimension: int, n_cells: int) -> Bounded:
        """The coordinates themselves, exactly."""
        value = self.plain.start(dimension, n_cells)
        return value, np.zeros_like(value)

    def linear(self, number: int, operation: Linear, value: Bounded) -> Bounded:
        """``matrix @ value + bias``: a sum of one term more than a row has."""
        rounded, error = value
        terms = row_length(operation.matrix) + 1
        if number not in self._magnitudes:
            self._magnitudes[number] = abs(operation.matrix)
        error = times(self._magnitudes[number], error + gamma(terms) * abs(rounded))
        error[:, -1] += gamma(terms) * abs(operation.bias)[:, None]
        return self.plain.linear(number, operation, rounded), _upwards(error, terms)

    def total(self, values: Sequence[Bounded]) -> Bounded:
        """The sum."""
        result = self.plain.total([value for value, _ in values])
        sums = [error + gamma(len(values)) * abs(value) for value, error in values]
        return result, _upwards(self.plain.total(sums), len(values))

    def join(self, values: Sequence[Bounded]) -> Bounded:
        """One after the other."""
        return np.concatenate([v for v, _ in values]), np.concatenate([e for _, e in values])

    def bend(self, number: int, operation: Bend, value: Bounded, pieces: States) -> Bounded:
        """Slope times value plus a constant that is itself rounded: up to three roundings."""
        rounded, error = value
        result = self.plain.bend(number, operation, rounded, pieces)
        slopes = abs(chosen(operation.slopes, pieces))[:, None]
        shift = self.plain.constants(number, operation)
        error = slopes * error
        if shift is None and np.isin(operation.slopes, (-1.0, 0.0, 1.0)).all():
            return result, error  # nothing was rounded
        error += gamma(3) * slopes * abs(rounded)
        if shift is not None:
            error[:, -1] += gamma(3) * abs(chosen(shift, pieces))
        return result, _upwards(error, 3)

    def larger(self, operation: Larger, value: Bounded, second: Bools) -> Bounded:
        """One of each pair."""
        return (
            self.plain.larger(operation, value[0], second),
            self.plain.larger(operation, value[1], second),
        )


def _upwards(error: Reals, terms: int) -> Reals:
    """A bound computed with ``terms`` terms, made to hold whatever its own rounding was."""
    return error * (1 + 2 * gamma(terms + 8)) + 2 * (terms + 1) * _TINY
