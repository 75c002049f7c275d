"""The cells that a decision boundary crosses, cut along it into a polygon for each class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.cuts import corners_of
from hinge.regions.plane.topology import Numbers, starts_of_sides


@dataclass(frozen=True, eq=False)
class Pieces:
    """Convex polygons: piece i is the part of ``cells[i]`` where ``classes[i]`` is largest.

    Its corners are ``points[offsets[i]:offsets[i + 1]]``, ``(n, 2)``, counter-clockwise.
    """

    cells: Numbers
    classes: Numbers
    points: Reals
    offsets: Numbers

    def polygons(self) -> list[Reals]:
        """The corners of each piece."""
        return np.split(self.points, self.offsets[1:-1]) if len(self.cells) else []

    @property
    def areas(self) -> Reals:
        """The area of each piece, ``(n,)``."""
        if not len(self.cells):
            return np.empty(0)
        begins = self.offsets[:-1]
        local = self.points - np.repeat(self.points[begins], np.diff(self.offsets), axis=0)
        following = np.arange(1, len(local) + 1)
        following[self.offsets[1:] - 1] = begins
        x, y = local.T
        return np.asarray(np.add.reduceat(x * y[following] - y * x[following], begins) / 2)


def pieces(
    mesh: Mesh,
    values: Reals,
    *,
    tolerance: float,
    segments: Reals,
    cells: Numbers,
    classes: Numbers,
) -> Pieces:
    """Put the polygons together from the ends of the segments inside the cells and the corners.

    A piece is convex, so its corners are met in the order of their directions from the middle.
    """
    owners = np.column_stack((np.repeat(cells, 2), classes.ravel()))
    kinds, kind = np.unique(owners, axis=0, return_inverse=True)
    places, offsets = corners_of(mesh, kinds[:, 0])
    vertices = starts_of_sides(mesh)[places]
    group = np.repeat(np.arange(len(kinds)), np.diff(offsets))
    at = values[vertices]
    won = at[np.arange(len(at)), kinds[group, 1]] >= at.max(axis=1, initial=-np.inf) - tolerance
    ends_of_both = np.repeat(segments, 2, axis=0).reshape(-1, 2)
    points = np.concatenate((ends_of_both, mesh.vertices[vertices[won]]))
    group = np.concatenate((np.repeat(kind.ravel(), 2), group[won]))
    counts = np.bincount(group, minlength=len(kinds))
    middle = [np.bincount(group, points[:, k], len(kinds)) / counts for k in (0, 1)]
    off = points - np.column_stack(middle)[group]
    order = np.lexsort((np.arctan2(off[:, 1], off[:, 0]), group))
    points, group = points[order], group[order]
    again = (points[1:] == points[:-1]).all(axis=1) & (group[1:] == group[:-1])
    new = np.concatenate((np.ones(min(len(points), 1), np.bool_), ~again))
    ends = np.cumsum(np.bincount(group[new], minlength=len(kinds)))
    return Pieces(kinds[:, 0], kinds[:, 1], points[new], np.append(0, ends))
