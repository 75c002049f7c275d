"""Whether points lie in the domain, its border included: decided exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hinge.regions.cells.bits import Flags
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.topology import NONE, cells_of_edges

_UNSURE = 4 * np.finfo(np.float64).eps
"""The error of a float64 orientation over the sum of its two products is below this."""

_Corner = tuple[float, float]


def outline(mesh: Mesh) -> Reals:
    """The corners of the domain, ``(n, 2)``, counter-clockwise, without those on its sides."""
    right = cells_of_edges(mesh)[:, 0] == NONE
    ends = np.where(right[:, None], mesh.edges[:, ::-1], mesh.edges)
    named = np.array([min(marks, default=0) for marks in mesh.label_sets])[mesh.labels]
    border = np.flatnonzero(named < 0)
    by_side = border[np.argsort(-named[border], kind="stable")]
    first = np.flatnonzero(np.diff(-named[by_side], prepend=0))
    runs = np.split(by_side, first[1:])
    starts = [np.setdiff1d(ends[run, 0], ends[run, 1]) for run in runs]
    return np.asarray(mesh.vertices[np.concatenate(starts)])


def inside_border(mesh: Mesh, points: Reals) -> Flags:
    """Whether each point ``(n, 2)`` lies in the domain or on its border; NaN never does."""
    corners = outline(mesh)
    inside: Flags = np.asarray(np.isfinite(points).all(axis=1))
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        here = np.flatnonzero(inside)
        inside[here] = _left_of(start, end, points[here])
    return inside


def _left_of(start: Reals, end: Reals, points: Reals) -> Flags:
    """Whether points are left of a line or on it: in float64, and exactly where that is unsure.

    A product of two differences has the right sign unless it underflows, so a sum of two of
    one sign is sure (Shewchuk, 1997, section 4.3).
    """
    one = (end[0] - start[0]) * (points[:, 1] - start[1])
    other = (end[1] - start[1]) * (points[:, 0] - start[0])
    turn = one - other
    left: Flags = np.asarray(turn >= 0, dtype=np.bool_)
    size = np.abs(one) + np.abs(other)
    same_sign = (one > 0) == (other > 0)
    unsure = same_sign & (np.abs(turn) <= _UNSURE * size) & ((one != 0) & (other != 0))
    for i in np.flatnonzero(unsure).tolist():
        left[i] = _exactly_left(start.tolist(), end.tolist(), points[i].tolist())
    return left


def _exactly_left(start: _Corner, end: _Corner, point: _Corner) -> bool:
    (ax, ay), (bx, by), (px, py) = ((Fraction(x), Fraction(y)) for x, y in (start, end, point))
    return (bx - ax) * (py - ay) >= (by - ay) * (px - ax)
