"""A Linear in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from hinge.regions.exactly.integers import Integers, as_int64, bits, shifted, whole
from hinge.regions.programs.program import Indices, Linear


class ExactLinear:
    """A Linear; see `hinge.regions.exactly.rational_operations.Exact`."""

    def __init__(self, linear: Linear, shifts: Sequence[int]) -> None:
        self.source, source_shift = linear.source, shifts[linear.source]
        rows = sparse.csr_array(linear.matrix)
        entries, finer = whole(rows.data)
        bias, bias_shift = whole(linear.bias)
        self.shift = max(source_shift + finer, bias_shift)
        self._bias = shifted(bias, self.shift - bias_shift)
        self._entries = shifted(entries, self.shift - source_shift - finer)
        self._columns, self._starts = rows.indices, rows.indptr
        self._row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        self._dense = None if sparse.issparse(linear.matrix) else self._transposed(rows.shape)
        self._bits = bits(self._entries) + int(rows.shape[1]).bit_length()
        small = as_int64(self._entries, 0)
        self._small = None if small is None else _filled(rows, small)

    def apply(
        self,
        values: Sequence[Integers],
        ones: Integers,
        chosen: Indices | None,  # noqa: ARG002
    ) -> Integers:
        """The values; zeros of the source cost nothing."""
        return self._product(values[self.source]) + np.multiply.outer(self._bias, ones)

    def row(self, row: int, x: Integers, ones: Integers) -> Integers:
        """One row of the values."""
        inside = slice(self._starts[row], self._starts[row + 1])
        terms = self._entries[inside][:, None] * x[self._columns[inside]]
        found: Integers = np.sum(terms, axis=0) + self._bias[row] * ones
        return found

    def _product(self, x: Integers) -> Integers:
        if self._small is not None:
            small = as_int64(x, self._bits)
            if small is not None:
                return np.asarray(self._small @ small).astype(object)
        moving = x[:, 0] != 0 if x.shape[1] == 1 else (x != 0).any(axis=1)
        moving = moving.astype(bool)
        if self._dense is not None:
            used = np.flatnonzero(moving)
            product: Integers = x[used].T.dot(self._dense[used]).T
            return product
        kept = moving[self._columns]
        rows = self._row[kept]
        result = np.zeros((len(self._bias), x.shape[1]), object)
        if len(rows):
            starts = np.flatnonzero(np.diff(rows, prepend=-1))
            terms = self._entries[kept][:, None] * x[self._columns[kept]]
            result[rows[starts]] = np.add.reduceat(terms, starts, axis=0)
        return result

    def _transposed(self, shape: tuple[int, int]) -> Integers:
        found = np.zeros(shape[::-1], object)
        found[self._columns, self._row] = self._entries
        return found


def _filled(rows: sparse.csr_array, entries: Integers) -> sparse.csr_array:
    return sparse.csr_array((entries, rows.indices, rows.indptr), shape=rows.shape)
