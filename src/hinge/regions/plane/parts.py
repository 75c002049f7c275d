"""The polygons that a picture has: the cells, or these cut along a decision boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.boundary import DecisionBoundary
from hinge.regions.plane.topology import NONE, Numbers, n_cells, starts_of_sides


@dataclass(frozen=True, eq=False)
class Parts:
    """Polygon i lies in cell ``cells[i]``, and ``classes[i]`` is the class there.

    Its corners are the ``points`` ``(P, 2)`` with the numbers
    ``corners[offsets[i]:offsets[i + 1]]``, counter-clockwise. The mesh's vertices come first.
    """

    points: Reals
    corners: Numbers
    offsets: Numbers
    cells: Numbers
    classes: Numbers

    def polygons(self) -> list[Reals]:
        """The corners of each, ``(n, 2)``."""
        drawn = self.points[self.corners]
        return np.split(drawn, self.offsets[1:-1]) if len(self.cells) else []


def whole(mesh: Mesh) -> Parts:
    """The cells themselves, without classes."""
    cells = np.arange(n_cells(mesh))
    unknown = np.full(len(cells), NONE, dtype=np.int64)
    return Parts(mesh.vertices, starts_of_sides(mesh), mesh.offsets, cells, unknown)


def by_class(boundary: DecisionBoundary) -> Parts:
    """The cells of one class, then the parts of those that the boundary crosses."""
    mesh, crossed = boundary.mesh, boundary.pieces()
    kept = boundary.winners != NONE
    sizes = np.diff(mesh.offsets)
    new = len(mesh.vertices) + np.arange(len(crossed.points))
    all_sizes = np.concatenate((sizes[kept], np.diff(crossed.offsets)))
    return Parts(
        np.concatenate((mesh.vertices, crossed.points)),
        np.concatenate((starts_of_sides(mesh)[np.repeat(kept, sizes)], new)),
        np.append(0, np.cumsum(all_sizes)),
        np.concatenate((np.flatnonzero(kept), crossed.cells)),
        np.concatenate((boundary.winners[kept], crossed.classes)),
    )
