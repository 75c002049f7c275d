"""Where two outputs are equal and no other is larger: inside the cells, and along edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hinge.regions.cells.bits import Flags
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.cuts import Cuts, corners_of, cut
from hinge.regions.plane.rivals import Rivals
from hinge.regions.plane.topology import NONE, Numbers, neighbours, starts_of_sides

_SHORTEST = 2.0**-40
"""Of a segment, what is left where three outputs meet at its end is rounding below this."""


@dataclass(frozen=True, eq=False)
class Contests:
    """Segments on which the outputs ``classes`` ``(n, 2)`` are equal and the largest.

    ``points`` ``(n, 2, 2)`` are their ends, ``cells`` ``(n,)`` where they lie. ``nodes``
    ``(n, 2)`` name ends on the mesh as in `Cuts`; -1 where a third output ends a segment.
    """

    points: Reals
    nodes: Numbers
    cells: Numbers
    classes: Numbers


def inside_cells(mesh: Mesh, values: Reals, found: Rivals, tolerance: float) -> Contests:
    """The segments inside the contested cells, one for each pair that meets there."""
    rows, pairs = _pairs(found.classes)
    cells = found.contested[rows]
    places, offsets = corners_of(mesh, cells)
    at = starts_of_sides(mesh)[places]
    counts = np.diff(offsets)
    one, other = (np.repeat(pairs[:, k], counts) for k in (0, 1))
    cuts = cut(mesh, places, offsets, values[at, one] - values[at, other], tolerance)
    rows, pairs = rows[cuts.items], pairs[cuts.items]
    return _clipped(
        mesh,
        values,
        cuts,
        pairs=pairs,
        cells=cells[cuts.items],
        classes=found.classes[rows],
        tolerance=tolerance,
    )


def along_edges(mesh: Mesh, values: Reals, found: Rivals, tolerance: float) -> Contests:
    """The stretches of edges with one largest output on the left and another on the right."""
    beside, edges = neighbours(mesh)
    winners = found.winners[beside]
    open_ = (winners == NONE).any(axis=1) | (winners[:, 0] != winners[:, 1])
    beside, edges = beside[open_], edges[open_]
    classes = found.of_cells(beside[:, 0]) | found.of_cells(beside[:, 1])
    rows, pairs = _pairs(classes)
    ends = mesh.edges[edges].astype(np.int64)
    gaps = values[ends[rows], pairs[:, :1]] - values[ends[rows], pairs[:, 1:]]
    equal = np.flatnonzero((np.abs(gaps) <= tolerance).all(axis=1))
    rows, pairs = rows[equal], pairs[equal]
    nodes = ends[rows]
    whole = Cuts(
        np.arange(len(rows)), nodes, nodes[..., None].repeat(2, axis=2), np.zeros(nodes.shape)
    )
    parts = _clipped(
        mesh, values, whole, pairs=pairs, cells=rows, classes=classes[rows], tolerance=tolerance
    )
    rows = parts.cells
    middles = _at_middles(mesh, values, ends[rows], parts.points)
    sides = [_just_inside(mesh, values, beside[rows, k], middles, tolerance) for k in (0, 1)]
    changes = np.sort(np.column_stack(sides), axis=1)
    chosen = np.flatnonzero((changes == parts.classes).all(axis=1))
    return Contests(
        parts.points[chosen],
        parts.nodes[chosen],
        beside[rows[chosen], 0],
        parts.classes[chosen],
    )


def _pairs(classes: Flags) -> tuple[Numbers, Numbers]:
    """All pairs a < b of the outputs of each row: the row ``(n,)`` and the pair ``(n, 2)``."""
    rows, held = np.nonzero(classes)
    counts = np.bincount(rows, minlength=len(classes))
    ends = np.cumsum(counts)[rows]
    later = ends - np.arange(len(rows)) - 1
    first = np.repeat(np.arange(len(rows)), later)
    begins = np.cumsum(later) - later
    second = np.arange(len(first)) - begins[first] + first + 1
    return rows[first], np.column_stack((held[first], held[second]))


def _clipped(
    mesh: Mesh,
    values: Reals,
    cuts: Cuts,
    *,
    pairs: Numbers,
    cells: Numbers,
    classes: Flags,
    tolerance: float,
) -> Contests:
    """Segments cut down to where no third output in question is larger than the pair."""
    at = cuts.at_ends(values)
    lead = np.take_along_axis(at, pairs[:, None, :1], axis=2) - at
    third = classes.copy()
    np.put_along_axis(third, pairs, values=False, axis=1)
    lead = np.where(third[:, None] & (np.abs(lead) > tolerance), lead, 0.0)
    begin, end = lead[:, 0], lead[:, 1]
    turns = np.divide(begin, begin - end, out=np.zeros_like(begin), where=begin * end < 0)
    low = np.where((begin < 0) & (end > 0), turns, 0.0).max(axis=1, initial=0.0)
    high = np.where((begin > 0) & (end < 0), turns, 1.0).min(axis=1, initial=1.0)
    lost = ((begin < 0) & (end <= 0) | (begin <= 0) & (end < 0)).any(axis=1)
    left = np.flatnonzero(~lost & (high - low > _SHORTEST))
    low, high = low[left], high[left]
    start, stop = np.moveaxis(cuts.at_ends(mesh.vertices)[left], 1, 0)
    points = np.stack([start + (stop - start) * share[:, None] for share in (low, high)], axis=1)
    points[:, 1] = np.where((high == 1)[:, None], stop, points[:, 1])
    whole = np.column_stack((low == 0, high == 1))
    nodes = np.where(whole, cuts.nodes[left], NONE)
    return Contests(points, nodes, cells[left], pairs[left])


def _at_middles(mesh: Mesh, values: Reals, ends: Numbers, points: Reals) -> Reals:
    """The outputs ``(n, classes)`` at the middles of stretches of edges."""
    first, second = mesh.vertices[ends[:, 0]], mesh.vertices[ends[:, 1]]
    along = second - first
    way = ((points.mean(axis=1) - first) * along).sum(axis=1) / (along**2).sum(axis=1)
    start, stop = values[ends[:, 0]], values[ends[:, 1]]
    return np.asarray(start + way[:, None] * (stop - start))


def _just_inside(
    mesh: Mesh, values: Reals, cells: Numbers, middles: Reals, tolerance: float
) -> Numbers:
    """The first output that is largest beside an edge: of those equal there, towards the cell."""
    places, offsets = corners_of(mesh, cells)
    if not len(cells):
        return cells
    at = values[starts_of_sides(mesh)[places]]
    mean = np.add.reduceat(at, offsets[:-1]) / np.diff(offsets)[:, None]
    top = middles >= middles.max(axis=1, keepdims=True) - 2 * tolerance
    inner = np.where(top, mean, -np.inf)
    return np.asarray((inner >= inner.max(axis=1, keepdims=True) - tolerance).argmax(axis=1))
