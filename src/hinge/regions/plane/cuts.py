"""Where functions that are linear on each cell are zero inside the cells: from edge to edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.regions.cells.bits import Flags
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.topology import Numbers

ROUNDING = 2.0**-44
"""Over the largest value: what a network's float64 values at vertices may be off by."""


@dataclass(frozen=True, eq=False)
class Cuts:
    """The zero segments of some functions, one each, ``(n,)`` of them.

    Segment i belongs to function ``items[i]``. Its two ends lie on edges of the mesh between
    the vertices ``ends[i, k]``, at the share ``shares[i, k]`` of the way; an end at a vertex
    has that vertex twice and share 0. ``nodes[i, k]`` is the vertex's number, or the number
    of vertices plus that of the edge: the same for the cells on both sides.
    """

    items: Numbers
    nodes: Numbers
    ends: Numbers
    shares: Reals

    def at_ends(self, values: Reals) -> Reals:
        """Interpolate values at vertices, ``(V, ...)``, to the ends: ``(n, 2, ...)``."""
        first, second = values[self.ends[..., 0]], values[self.ends[..., 1]]
        shares = self.shares.reshape(self.shares.shape + (1,) * (values.ndim - 1))
        return np.asarray(first + shares * (second - first))


def corners_of(mesh: Mesh, cells: Numbers) -> tuple[Numbers, Numbers]:
    """The places in ``mesh.sides`` of the sides of these cells, and the offsets of each cell's."""
    counts = mesh.offsets[cells + 1] - mesh.offsets[cells]
    offsets = np.concatenate(([0], np.cumsum(counts)))
    shift = np.repeat(mesh.offsets[cells] - offsets[:-1], counts)
    return np.arange(offsets[-1]) + shift, offsets


def cut(mesh: Mesh, places: Numbers, offsets: Numbers, values: Reals, tolerance: float) -> Cuts:
    """Cut cells by one function each, linear on its cell, where it has both signs there.

    ``places`` and ``offsets`` are from `corners_of`; ``values`` ``(len(places),)`` are those
    at the corners, and count as 0 up to ``tolerance``. The zeros inside a convex cell are
    one segment, which enters where the signs turn from + to - and leaves where they turn
    back; a function without both signs has none.
    """
    signs = np.where(np.abs(values) > tolerance, np.sign(values), 0.0).astype(np.int8)
    begins = offsets[:-1]
    if not len(begins):
        nothing = np.empty((0, 2), np.int64)
        return Cuts(nothing[:, 0], nothing, nothing[:, :, None].repeat(2, 2), np.empty((0, 2)))
    both = (np.maximum.reduceat(signs, begins) > 0) & (np.minimum.reduceat(signs, begins) < 0)
    owner = np.repeat(np.arange(len(begins)), np.diff(offsets))
    following = np.arange(1, len(places) + 1)
    following[offsets[1:] - 1] = begins
    before = _sign_before(signs, offsets, owner)
    items = np.flatnonzero(both)
    turns = []
    for sign in (1, -1):
        turning = np.flatnonzero(both[owner] & (before == sign) & (signs[following] == -sign))
        _, first = np.unique(owner[turning], return_index=True)
        turns.append(turning[first])
    hits = np.column_stack(turns)
    here, there = values[hits], values[following[hits]]
    at_corner = np.equal(signs[hits], 0)
    return _located(mesh, items, places[hits], at_corner=at_corner, here=here, there=there)


def _sign_before(signs: npt.NDArray[np.int8], offsets: Numbers, owner: Numbers) -> Numbers:
    """At each corner the last sign that is not 0, its own included, round the cell."""
    numbers = np.where(signs != 0, np.arange(len(signs)), -1)
    latest = np.maximum.accumulate(numbers)
    round_the_cell = np.maximum.reduceat(numbers, offsets[:-1])[owner]
    latest = np.where(latest < offsets[:-1][owner], round_the_cell, latest)
    return np.where(latest < 0, 0, signs[latest]).astype(np.int64)


def _located(
    mesh: Mesh, items: Numbers, places: Numbers, *, at_corner: Flags, here: Reals, there: Reals
) -> Cuts:
    """Ends of segments at corners, or on the sides that begin there."""
    sides = mesh.sides[places]
    edges, backwards = sides >> 1, (sides & 1).astype(np.bool_)
    vertices = mesh.edges[edges, sides & 1].astype(np.int64)
    ends = np.where(at_corner[..., None], vertices[..., None], mesh.edges[edges])
    # Both cells beside an edge compute its point in the edge's own direction, bit by bit alike.
    first, second = np.where(backwards, there, here), np.where(backwards, here, there)
    gap = np.where(at_corner, 1.0, first - second)
    shares = np.where(at_corner, 0.0, first / gap)
    nodes = np.where(at_corner, vertices, len(mesh.vertices) + edges)
    return Cuts(items, nodes, ends, shares)
