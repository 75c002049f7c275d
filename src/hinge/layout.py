"""Where an index (a unit, an example) lies in a tensor, followed through changes of shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod


@dataclass(frozen=True, slots=True)
class Place:
    """An index of ``size`` values that lies in one axis of a tensor.

    The axis may hold more than the index: it has length ``outer * size * inner``, and
    position ``i`` of the axis belongs to value ``(i // inner) % size``. A plain axis has
    ``outer == inner == 1``. So the 8 channels of a flattened ``(B, 8, 4, 4)`` tensor are
    ``Place(axis=1, size=8, inner=16)`` of a ``(B, 128)`` one.
    """

    axis: int
    size: int
    inner: int = 1

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether a tensor of this shape can hold the index here."""
        if not 0 <= self.axis < len(shape):
            return False
        return self.size > 0 and shape[self.axis] % (self.size * self.inner) == 0

    def reshaped(self, old: Sequence[int], new: Sequence[int]) -> Place | None:
        """The place after a reshape from ``old`` to ``new``; None if it was torn apart."""
        right = self.inner * prod(old[self.axis + 1 :])
        for axis, length in enumerate(new):
            beyond = prod(new[axis + 1 :])
            if beyond == 0 or right % beyond:
                continue
            inner = right // beyond
            if length % (inner * self.size) == 0:
                return Place(axis, self.size, inner)
        return None

    def permuted(self, order: Sequence[int]) -> Place:
        """The place after a permute whose result axis ``i`` is the old axis ``order[i]``."""
        rank = len(order)
        return replace(self, axis=[axis % rank for axis in order].index(self.axis))

    def aligned(self, old: Sequence[int], new: Sequence[int]) -> Place | None:
        """The place after broadcasting ``old`` to ``new``, whose last axes correspond."""
        axis = self.axis + len(new) - len(old)
        moved = replace(self, axis=axis)
        return moved if axis >= 0 and old[self.axis] == new[axis] else None

    def reduced(self, axes: Sequence[int], rank: int, *, keepdim: bool) -> Place | None:
        """The place after the axes were summed away; None if its own axis was."""
        gone = {axis % rank for axis in axes}
        if self.axis in gone:
            return None
        if keepdim:
            return self
        return replace(self, axis=self.axis - sum(axis < self.axis for axis in gone))

    def split(self, shape: Sequence[int]) -> tuple[int, int, int]:
        """``(outer, size, inner)``: the lengths into which the axis of such a tensor unfolds."""
        return shape[self.axis] // (self.size * self.inner), self.size, self.inner
