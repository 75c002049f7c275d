"""The sizes and the middles of a mesh's cells, kept precise where the cells are tiny."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hinge.regions.cutting.mesh import Mesh
from hinge.regions.plane.topology import NONE, cells_of_edges, next_sides, starts_of_sides

Reals = npt.NDArray[np.float64]


def areas(mesh: Mesh) -> Reals:
    """The area of each cell, ``(F,)``, in the domain's own coordinates.

    The shoelace formula about each cell's first corner, so that a small cell far from the
    origin loses nothing. 0 where the rounding of its corners leaves a cell no area.
    """
    return np.maximum(_doubled(mesh)[0], 0.0) / 2


def centroids(mesh: Mesh) -> Reals:
    """The centre of mass of each cell, ``(F, 2)``: a point inside it.

    Where rounding leaves a cell no area it is the mean of its corners.
    """
    doubled, moments, first = _doubled(mesh)
    shifts = np.add.reduceat(_local(mesh, first), mesh.offsets[:-1])
    means = shifts / np.diff(mesh.offsets)[:, None]
    solid = doubled > 0
    centres = np.divide(moments, 3 * doubled[:, None], out=means, where=solid[:, None])
    return mesh.vertices[first] + centres


def area_of_domain(mesh: Mesh) -> float:
    """The area of the whole polygon, from its border alone."""
    beside = cells_of_edges(mesh)
    right = beside[:, 0] == NONE
    border = right | (beside[:, 1] == NONE)
    ends = np.where(right[:, None], mesh.edges[:, ::-1], mesh.edges)[border]
    start, end = (mesh.vertices[ends[:, i]] - mesh.vertices[ends[0, 0]] for i in (0, 1))
    return float(_cross(start, end).sum()) / 2


def _doubled(mesh: Mesh) -> tuple[Reals, Reals, npt.NDArray[np.int64]]:
    """Twice the signed areas, six times the first moments, and each cell's first corner."""
    first = starts_of_sides(mesh)[mesh.offsets[:-1]]
    start = _local(mesh, first)
    end = start[next_sides(mesh)]
    cross = _cross(start, end)
    begin = mesh.offsets[:-1]
    moments = np.add.reduceat((start + end) * cross[:, None], begin)
    return np.add.reduceat(cross, begin), moments, first


def _local(mesh: Mesh, first: npt.NDArray[np.int64]) -> Reals:
    """The corner at which each side begins, seen from its cell's first corner."""
    origins = np.repeat(mesh.vertices[first], np.diff(mesh.offsets), axis=0)
    return mesh.vertices[starts_of_sides(mesh)] - origins


def _cross(one: Reals, other: Reals) -> Reals:
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
