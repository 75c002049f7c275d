"""The cell of a point: a walk over the mesh, from the nearest vertex across the sides passed."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from hinge.errors import DataError
from hinge.regions.cells.bits import Flags
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.border import inside_border
from hinge.regions.plane.topology import (
    NONE,
    Numbers,
    cells_of_edges,
    cells_of_sides,
    next_sides,
    starts_of_sides,
)

_STEPS = 64
"""So many cells a walk may cross; the few that are longer are searched for."""

_ROUNDING = 8 * np.finfo(np.float64).eps
"""Corners are exact to an ulp of the domain's coordinates, and so is "inside"."""

_AT_ONCE = 1 << 18
"""So many points walk together, which keeps them in the cache."""

NEAR = 1e-9
"""An input lies in the plane if it is no further off than this share of the domain's size."""


def coordinates(
    inputs: Reals, origin: Reals, directions: Reals, corners: Reals
) -> tuple[Reals, Flags]:
    """The coordinates in a plane of flat inputs ``(n, n_in)``, and whether each lies beside it.

    ``origin`` ``(n_in,)`` and ``directions`` ``(n_in, 2)`` embed the plane, of which the domain
    with these ``corners`` is a part.
    """
    off = inputs - origin
    places = np.asarray(np.linalg.lstsq(directions, off.T, rcond=None)[0].T, np.float64)
    size = float(np.abs(corners @ directions.T + origin).max())
    beside = np.abs(off - places @ directions.T).max(axis=1)
    return places, np.asarray(beside > NEAR * size)


class Locator:
    """Finds the cells of points, in the domain's own coordinates.

    Cells are convex, so a point is outside one exactly where it is beyond one of its sides,
    and the neighbour across that side is nearer. No network is run: the time depends on the
    number of cells alone.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def locate(self, points: npt.ArrayLike) -> Numbers:
        """The cell of each point, ``(n, 2)`` to ``(n,)`` int64; -1 outside the domain.

        The border belongs to the domain. A point on an edge, or within rounding of it,
        belongs to one of the cells there. Raises `DataError` for points of another shape.
        """
        places = _checked(points)
        found = np.full(len(places), NONE, dtype=np.int64)
        inner = np.flatnonzero(inside_border(self._mesh, places))
        inner = inner[_near_order(places[inner])]
        for begin in range(0, len(inner), _AT_ONCE):
            part = inner[begin : begin + _AT_ONCE]
            found[part] = self._walk(places[part])
        return found

    def _walk(self, places: Reals) -> Numbers:
        nearest = self._tree.query(places)[1]
        cells: Numbers = self._cell_at_vertex[nearest]
        walking = np.arange(len(places))
        for _ in range(_STEPS):
            side, beyond = self._farthest_side(places[walking], cells[walking])
            out = beyond > self._tolerance
            walking, side = walking[out], side[out]
            if not len(walking):
                return cells
            across = self._across[side]
            # At the border rounding alone puts a point outside: it stays in that cell.
            walking, across = walking[across != NONE], across[across != NONE]
            cells[walking] = across
        for i in walking.tolist():
            cells[i] = self._search(places[i])
        return cells

    def _farthest_side(self, places: Reals, cells: Numbers) -> tuple[Numbers, Reals]:
        """The side of its cell that each point is farthest beyond, and how far, in lengths."""
        mesh = self._mesh
        begins = mesh.offsets[cells]
        counts = mesh.offsets[cells + 1] - begins
        side = begins.copy()
        farthest = np.full(len(cells), -np.inf)
        for turn in range(int(counts.max(initial=0))):
            here = np.flatnonzero(counts > turn)
            if len(here) == len(cells):
                here = slice(None)  # type: ignore[assignment] # a view is faster
            at = begins[here] + turn
            beyond = self._beyond(places[here], at)
            farther = beyond > farthest[here]
            side[here] = np.where(farther, at, side[here])
            farthest[here] = np.where(farther, beyond, farthest[here])
        return side, farthest

    def _beyond(self, places: Reals, side: Numbers) -> Reals:
        """How far each point lies right of its side's line, the cell being on the left."""
        line = self._lines[side]
        gap = (places[:, 0] - line[:, 0]) * line[:, 3]
        return np.asarray(gap - (places[:, 1] - line[:, 1]) * line[:, 2])

    def _search(self, place: Reals) -> int:
        """The cell that a single point is in, or is beyond by the least."""
        beyond = self._beyond(np.broadcast_to(place, (len(self._lines), 2)), self._every_side)
        return int(np.maximum.reduceat(beyond, self._mesh.offsets[:-1]).argmin())

    @cached_property
    def _tolerance(self) -> float:
        return float(_ROUNDING * np.abs(self._mesh.vertices).max())

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self._mesh.vertices, balanced_tree=False, compact_nodes=False)

    @cached_property
    def _every_side(self) -> Numbers:
        return np.arange(len(self._mesh.sides))

    @cached_property
    def _cell_at_vertex(self) -> Numbers:
        found = np.zeros(len(self._mesh.vertices), dtype=np.int64)
        found[starts_of_sides(self._mesh)] = cells_of_sides(self._mesh)
        return found

    @cached_property
    def _across(self) -> Numbers:
        """The cell on the other side of each side."""
        sides = self._mesh.sides
        return np.asarray(cells_of_edges(self._mesh)[sides >> 1, 1 - (sides & 1)])

    @cached_property
    def _lines(self) -> Reals:
        """Each side's first corner and its direction of length 1, ``(S, 4)``."""
        start = self._mesh.vertices[starts_of_sides(self._mesh)]
        along = start[next_sides(self._mesh)] - start
        length = np.hypot(along[:, 0], along[:, 1])[:, None]
        direction = np.divide(along, length, out=np.zeros_like(along), where=length > 0)
        return np.hstack((start, direction))


def locate(mesh: Mesh, points: npt.ArrayLike) -> Numbers:
    """The cell of each point once; a `Locator` is kept where several calls follow."""
    return Locator(mesh).locate(points)


def _near_order(places: Reals) -> Numbers:
    """An order in which points that follow each other are near (Morton's Z): kinder to a cache."""
    if not len(places):
        return np.empty(0, dtype=np.int64)
    low = places.min(axis=0)
    extent = np.maximum(places.max(axis=0) - low, np.finfo(np.float64).tiny)
    rows = ((places - low) / extent * 1023).astype(np.int64)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        rows = (rows | (rows << shift)) & mask
    order: Numbers = np.argsort(rows[:, 0] | (rows[:, 1] << 1), kind="stable")
    return order


def _checked(points: npt.ArrayLike) -> Reals:
    places = np.asarray(points, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 2:  # noqa: PLR2004 - of the plane
        raise DataError(
            "the points to locate are not points of the plane",
            where="locate",
            found=f"an array of shape {places.shape}",
            do="pass coordinates in the domain, shape (n, 2)",
        )
    return places
