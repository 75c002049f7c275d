"""The operations of a program in integers, but for the Linear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from hinge.regions.exactly.integers import Integers, shifted, whole
from hinge.regions.programs.program import Bend, Indices, Join, Larger, Total


class Exact(Protocol):
    """An operation on columns of integers. Its result is over ``2**shift``."""

    shift: int

    def apply(self, values: Sequence[Integers], ones: Integers, chosen: Indices | None) -> Integers:
        """Compute the result from all earlier buffers.

        ``ones`` ``(k,)`` is the number 1 in each of the k columns. ``chosen`` has a choice for
        each entry of a Bend or Larger; None leaves it to the values.
        """


class Given:
    """Buffer 0, which no operation fills."""

    shift = 0

    def apply(
        self,
        values: Sequence[Integers],
        ones: Integers,  # noqa: ARG002
        chosen: Indices | None,  # noqa: ARG002
    ) -> Integers:
        """The coordinates as they are."""
        return values[0]


class ExactBend:
    """A Bend: piece i of a value x is ``slopes[i] * x + constants[i]``."""

    def __init__(self, bend: Bend, shifts: Sequence[int]) -> None:
        self._source, source_shift = bend.source, shifts[bend.source]
        breaks, break_shift = whole(bend.breaks)
        slopes, slope_shift = whole(bend.slopes)
        heights, height_shift = whole(bend.heights)
        constant_shift = max(height_shift, slope_shift + break_shift)
        moved = shifted(breaks, constant_shift - slope_shift - break_shift)
        constant = shifted(heights, constant_shift - height_shift) - slopes[:, 0] * moved[:, 0]
        constants = [constant]
        for i in range(breaks.shape[1]):
            constant = constant + (slopes[:, i] - slopes[:, i + 1]) * moved[:, i]
            constants.append(constant)
        self.shift = max(source_shift + slope_shift, constant_shift)
        self._slopes = shifted(slopes, self.shift - source_shift - slope_shift)
        self._constants = shifted(np.stack(constants, axis=1), self.shift - constant_shift)
        finest = max(source_shift, break_shift)
        self._finer = finest - source_shift
        self._breaks = shifted(breaks, finest - break_shift)
        self._through_zero = not self._constants.any()
        self._is_relu = (
            not bend.breaks.any()
            and self._through_zero
            and bend.slopes.shape[1] == len(_RELU)
            and bool((bend.slopes == _RELU).all())
        )

    def apply(self, values: Sequence[Integers], ones: Integers, chosen: Indices | None) -> Integers:
        """The values on the pieces ``chosen``, or on those where the one point lies."""
        x = values[self._source]
        if chosen is None:
            if self._is_relu:
                return np.maximum(x, 0)
            chosen = self._pieces(x, ones)
        entries = np.arange(len(x))
        result: Integers = self._slopes[entries, chosen][:, None] * x
        if not self._through_zero:
            result = result + np.multiply.outer(self._constants[entries, chosen], ones)
        return result

    def _pieces(self, x: Integers, ones: Integers) -> Indices:
        passed = shifted(x, self._finer) > self._breaks * ones[0]
        pieces: Indices = np.sum(passed.astype(bool), axis=1, dtype=np.int64)
        return pieces


_RELU = (0.0, 1.0)
"""Its slopes."""


class ExactLarger:
    """A Larger."""

    def __init__(self, larger: Larger, shifts: Sequence[int]) -> None:
        self._larger, self.shift = larger, shifts[larger.source]

    def apply(
        self,
        values: Sequence[Integers],
        ones: Integers,  # noqa: ARG002
        chosen: Indices | None,
    ) -> Integers:
        """The chosen ones of the two, or the larger ones at the one point."""
        x = values[self._larger.source]
        first, second = x[self._larger.first], x[self._larger.second]
        if chosen is None:
            return np.maximum(first, second)
        return np.where(chosen[:, None] == 1, second, first)


class ExactUnion:
    """A Total or a Join."""

    def __init__(self, union: Total | Join, shifts: Sequence[int]) -> None:
        self._union = union
        self.shift = max(shifts[one] for one in union.sources)
        self._finer = [self.shift - shifts[one] for one in union.sources]

    def apply(
        self,
        values: Sequence[Integers],
        ones: Integers,  # noqa: ARG002
        chosen: Indices | None,  # noqa: ARG002
    ) -> Integers:
        """The sum, or all one after the other."""
        terms = [
            shifted(values[one], finer)
            for one, finer in zip(self._union.sources, self._finer, strict=True)
        ]
        if isinstance(self._union, Join):
            return np.concatenate(terms)
        return sum(terms[1:], terms[0])
