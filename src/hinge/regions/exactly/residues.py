"""Decides exactly, and for many cells at a time, whether two of them have the same affine map.

Weights are dyadic rationals, so that the numbers of a map are integers over a power of two.
They are computed modulo a prime p, where a half exists: in float64, whose products and sums of
so small integers are exact. Maps that differ modulo a prime differ. Maps that agree modulo
primes whose product exceeds twice any difference that they could have, over the power of two,
are equal (the Chinese remainder theorem).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isqrt, log2
from typing import Any

import numpy as np
import numpy.typing as npt

from hinge.regions.cells.maps import coordinates
from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.propagation import (
    BUDGET,
    bytes_per_cell,
    chosen,
    forward,
    picked,
    row_length,
    times,
)
from hinge.regions.cells.signs import Bools, Cells, States, chunks
from hinge.regions.exactly.extent import Extent, extent
from hinge.regions.programs.program import Bend, Larger, Linear, Reals

_EXACT = 53
"""Integers of magnitude up to 2 ** 53 are exact in float64."""

_KEPT = 1 << 25
"""So many residues are kept at once."""


def same_maps(patterns: Patterns, first: Cells, second: Cells) -> Bools:
    """Whether cell ``first[i]`` has the map of cell ``second[i]`` on the domain, exactly."""
    same = np.ones(len(first), np.bool_)
    numbers = patterns.program.widths[patterns.program.output] * (patterns.program.widths[0] + 1)
    size = max(1, _KEPT // max(1, 2 * numbers))
    fields = _Fields(patterns)
    for start in range(0, len(first), size):
        part = slice(start, start + size)
        same[part] = fields.same(first[part], second[part])
    return same


class _Fields:
    """The fields of enough primes, made when they are first asked for."""

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        operations = patterns.program.operations
        linear = [one for one in operations if isinstance(one, Linear)]
        terms = 2 + max((row_length(one.matrix) for one in linear), default=0)
        bits = min(24, (_EXACT - terms.bit_length()) // 2)  # terms p^2 / 4 < 2^53
        self._needed = _bits(extent(patterns.program))
        self._primes = primes_below(1 << bits)
        self._made: list[Residues] = []

    def same(self, first: Cells, second: Cells) -> Bools:
        """Compare modulo one prime after the other those that agreed so far."""
        left = np.flatnonzero(first != second)
        known, number = 0.0, 0
        while len(left) and known < self._needed:
            rules = self._field(number)
            cells, places = np.unique([first[left], second[left]], return_inverse=True)
            found = _found(self._patterns, cells, rules)
            one, other = places.reshape(2, -1)
            left = left[(found[one] == found[other]).all(axis=1)]
            known += log2(rules.prime) - 1e-9
            number += 1
        same = np.asarray(first == second)
        same[left] = True
        return same

    def _field(self, number: int) -> Residues:
        while len(self._made) <= number:
            self._made.append(Residues(next(self._primes)))
        return self._made[number]


def _bits(size: Extent) -> float:
    """The bits of twice the largest difference of two maps, over the power of two, and one."""
    return size.below + size.above + 3


def _found(patterns: Patterns, cells: Cells, rules: Residues) -> npt.NDArray[np.float32]:
    """The residues of the maps of the cells, flat; below 2 ** 24 and so exact in float32."""
    program = patterns.program
    found = np.empty((len(cells), program.widths[program.output] * (program.widths[0] + 1)), "f4")
    done = 0
    for some in chunks(cells, bytes_per_cell(patterns, arrays=1), BUDGET):
        value = forward(patterns, some, rules, program.output)
        found[done : done + len(some)] = value.reshape(-1, len(some)).T
        done += len(some)
    return found


@dataclass
class Residues:
    """Arithmetic modulo a prime, by residues from -p / 2 to p / 2 in float64."""

    prime: int
    _reduced: dict[int, tuple[Any, Reals]] = field(default_factory=dict)

    def start(self, dimension: int, n_cells: int) -> Reals:
        """The coordinates themselves."""
        return coordinates(dimension, n_cells)

    def linear(self, number: int, operation: Linear, value: Reals) -> Reals:
        """``matrix @ value + bias``."""
        if number not in self._reduced:
            self._reduced[number] = self._of(operation.matrix), self._of(operation.bias)
        matrix, bias = self._reduced[number]
        result = times(matrix, value)
        result[:, -1] += bias[:, None]
        return self._rest(result)

    def total(self, values: Sequence[Reals]) -> Reals:
        """The sum."""
        result = values[0].copy()
        for value in values[1:]:
            result += value
        return self._rest(result)

    def join(self, values: Sequence[Reals]) -> Reals:
        """One after the other."""
        return np.concatenate(values)

    def bend(self, number: int, operation: Bend, value: Reals, pieces: States) -> Reals:
        """Slope times value plus the constant of the piece."""
        if number not in self._reduced:
            slopes = self._of(operation.slopes)
            self._reduced[number] = slopes, self._constants(operation, slopes)
        slopes, constants = self._reduced[number]
        result = chosen(slopes, pieces)[:, None] * value
        if constants.any():
            result[:, -1] += chosen(constants, pieces)
        elif np.isin(slopes, (-1.0, 0.0, 1.0)).all():
            return result
        return self._rest(result)

    def larger(self, operation: Larger, value: Reals, second: Bools) -> Reals:
        """One of each pair."""
        return picked(value, operation.first, operation.second, second)

    def _constants(self, bend: Bend, slopes: Reals) -> Reals:
        """The line of each piece at 0: neighbours meet at the break between them."""
        breaks, at = self._of(bend.breaks), self._of(bend.heights)
        at = self._rest(at - self._rest(slopes[:, 0] * breaks[:, 0]))
        found = [at]
        for i, place in enumerate(breaks.T):
            rise = self._rest(slopes[:, i] - slopes[:, i + 1])
            at = self._rest(at + self._rest(rise * place))
            found.append(at)
        return np.stack(found, axis=1)

    def _rest(self, value: Reals) -> Reals:
        """Integers below 2^52 to their residues, each to the one from -p / 2 to p / 2.

        A quotient is at least 1 / 2p from the middle between two integers. It is rounded by
        less than that, since it is below 2^52 / p.
        """
        value -= self.prime * np.rint(value / self.prime)
        return value

    def _of(self, numbers: Any) -> Any:
        """Stored floats to their residues."""
        if not isinstance(numbers, np.ndarray):
            reduced = numbers.copy()
            reduced.data = self._of(numbers.data)
            return reduced
        mantissas, exponents = np.frexp(numbers)
        whole = (mantissas * 2.0**_EXACT).astype(np.int64) % self.prime
        distinct, back = np.unique(exponents, return_inverse=True)
        powers = [pow(2, int(one) - _EXACT, self.prime) for one in distinct]
        factors = np.array(powers, np.int64)[back].reshape(whole.shape)
        return self._rest((whole * factors % self.prime).astype(np.float64))


def primes_below(limit: int) -> Iterator[int]:
    """Odd primes, from the largest below a limit of at most 2 ** 24 downwards.

    >>> primes = primes_below(32)
    >>> next(primes), next(primes), next(primes)
    (31, 29, 23)
    """
    small = [n for n in range(3, 1 << 12, 2) if all(n % m for m in range(3, isqrt(n) + 1, 2))]
    for number in range(limit - 1 - limit % 2, 2, -2):
        if all(number % one for one in small if one * one <= number):
            yield number
