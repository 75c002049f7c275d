"""The cells as polygons, made one by one when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.topology import n_cells


class Cells(Sequence[Reals]):
    """A read-only sequence of polygons: ``cells[i]`` is ``(n, 2)``, counter-clockwise.

    A corner may lie in the middle of a straight side, where a neighbour's corner is.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def loop(self, cell: int) -> npt.NDArray[np.int64]:
        """The numbers of the cell's vertices, ``(n,)``, counter-clockwise."""
        cell = range(len(self))[cell]
        begin, end = self._mesh.offsets[cell : cell + 2]
        sides = self._mesh.sides[begin:end]
        return np.asarray(self._mesh.edges[sides >> 1, sides & 1], dtype=np.int64)

    @override
    def __len__(self) -> int:
        return n_cells(self._mesh)

    @overload
    def __getitem__(self, index: int) -> Reals: ...

    @overload
    def __getitem__(self, index: slice) -> list[Reals]: ...

    @override
    def __getitem__(self, index: int | slice) -> Reals | list[Reals]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        return self._mesh.vertices[self.loop(index)]

    @override
    def __iter__(self) -> Iterator[Reals]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Cells({len(self):,} polygons)"
