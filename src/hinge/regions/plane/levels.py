"""The level sets of a function that is linear on each cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.cuts import ROUNDING, corners_of, cut
from hinge.regions.plane.paths import paths
from hinge.regions.plane.topology import NONE, Numbers, cells_of_edges, starts_of_sides


@dataclass(frozen=True, eq=False)
class LevelSet:
    """Where a function has one value: straight segments, and cells on which it has it all over.

    ``points`` ``(P, 2)``; ``segments`` ``(S, 2)`` numbers of points; ``cells`` ``(S,)`` the
    cell in which each segment lies, or left of it where it is an edge of the mesh.
    ``plateaus`` ``(K,)`` are the cells on which the function has the value everywhere: there
    the level set is an area, and only its outline is among the segments. A single point at
    which the level is touched is not listed.
    """

    points: Reals
    segments: Numbers
    cells: Numbers
    plateaus: Numbers

    def polylines(self) -> list[Reals]:
        """The segments joined: ``(n, 2)`` points each; the first is the last of a ring."""
        found = paths(self.segments)
        return [self.points[found.nodes(self.segments, k)] for k in range(len(found))]


def level_set(
    mesh: Mesh, values: npt.ArrayLike, level: float = 0.0, *, tolerance: float | None = None
) -> LevelSet:
    """Where a function takes the value ``level``.

    ``values`` ``(V,)`` are the function's at the vertices; it must be linear on each cell. A
    value counts as the level up to ``tolerance``, by default 2⁻⁴⁴ of the largest magnitude,
    which covers the rounding of a forward pass.
    """
    heights = np.asarray(values, dtype=np.float64) - level
    if tolerance is None:
        largest = max(abs(level), float(np.abs(np.asarray(values)).max(initial=0.0)))
        tolerance = ROUNDING * largest
    crossed, flat = _kinds(mesh, heights, tolerance)
    places, offsets = corners_of(mesh, crossed)
    at = starts_of_sides(mesh)[places]
    found = cut(mesh, places, offsets, heights[at], tolerance)
    along, beside = _level_edges(mesh, np.abs(heights) <= tolerance, flat)
    nodes = np.concatenate((found.nodes, along))
    places_of_nodes = np.concatenate((found.at_ends(mesh.vertices), mesh.vertices[along]))
    _, first, segments = np.unique(nodes, return_index=True, return_inverse=True)
    return LevelSet(
        places_of_nodes.reshape(-1, 2)[first],
        segments.reshape(-1, 2),
        np.concatenate((crossed[found.items], beside)),
        np.flatnonzero(flat),
    )


def _kinds(mesh: Mesh, heights: Reals, tolerance: float) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """The cells with values on both sides of the level, and whether a cell lies on it."""
    at_corners = heights[starts_of_sides(mesh)]
    highest = np.maximum.reduceat(at_corners, mesh.offsets[:-1])
    lowest = np.minimum.reduceat(at_corners, mesh.offsets[:-1])
    crossed = np.flatnonzero((highest > tolerance) & (lowest < -tolerance))
    return crossed, (highest <= tolerance) & (lowest >= -tolerance)


def _level_edges(
    mesh: Mesh, level: npt.NDArray[np.bool_], flat: npt.NDArray[np.bool_]
) -> tuple[Numbers, Numbers]:
    """The edges on the level that are not inside a plateau, and a cell beside each."""
    beside = cells_of_edges(mesh)
    inside = np.where(beside == NONE, beside[:, ::-1], beside)
    chosen = np.flatnonzero(level[mesh.edges].all(axis=1) & ~flat[inside].all(axis=1))
    return mesh.edges[chosen].astype(np.int64), inside[chosen, 0]
