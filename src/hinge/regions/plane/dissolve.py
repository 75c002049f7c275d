"""Cells joined across edges that mean nothing, and the mesh written anew without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hinge.regions.cells.bits import Flags
from hinge.regions.cutting.mesh import Indices, Mesh
from hinge.regions.plane.ranking import ranked
from hinge.regions.plane.topology import (
    NONE,
    Numbers,
    cells_of_edges,
    cells_of_sides,
    n_cells,
)


def dissolve(mesh: Mesh, keep: Flags) -> tuple[Mesh, Numbers]:
    """Remove the edges that are not kept, and join the cells beside them.

    ``keep`` ``(E,)`` bool; an edge of the border stays in any case. The joined cells must be
    convex. A vertex goes where no edge is left, and where the removal left it in the middle
    of a straight edge of one label, whose two halves become one.

    Returns the new mesh and the new number of each old cell, ``(F,)`` int64. A joined cell
    has the number, the pattern and the flat forms of the first of its parts; what order
    cells, edges and vertices had they keep.
    """
    beside = cells_of_edges(mesh)
    inner = (beside != NONE).all(axis=1)
    cell_of = _components(beside[inner & ~keep], n_cells(mesh))
    stays = ~inner | (cell_of[beside[:, 0]] != cell_of[beside[:, 1]])
    if stays.all():
        return mesh, cell_of
    kept_vertices = _kept_vertices(mesh, stays)
    edge_of, edges = _joined_edges(mesh, stays, kept_vertices)
    offsets, sides = _joined_sides(mesh, stays, cell_of)
    begins = mesh.edges[sides >> 1, sides & 1]
    whole = kept_vertices[begins]
    kept_before = np.concatenate(([0], np.cumsum(whole)))
    first_edge, first_cell = _firsts(edge_of[stays]), _firsts(cell_of)
    number = np.cumsum(kept_vertices) - 1
    new_edge = edge_of[sides[whole] >> 1]
    backwards = edges[new_edge, 0] != begins[whole]
    joined = replace(
        mesh,
        vertices=mesh.vertices[kept_vertices],
        edges=number[edges].astype(np.int32),
        labels=mesh.labels[stays][first_edge],
        offsets=kept_before[offsets],
        sides=(2 * new_edge + backwards).astype(np.int32),
        patterns=mesh.patterns[first_cell],
        flat=_flat(mesh, cell_of, first_cell),
    )
    return joined, cell_of


def _components(links: Numbers, n: int) -> Numbers:
    """The component of each of n nodes, numbered in the order of their first nodes."""
    graph = coo_array((np.ones(len(links), np.bool_), (links[:, 0], links[:, 1])), shape=(n, n))
    found = connected_components(graph, directed=False)[1].astype(np.int64)
    order = np.empty(found.max(initial=NONE) + 1, dtype=np.int64)
    order[found[np.sort(_firsts(found))]] = np.arange(len(order))
    return np.asarray(order[found])


def _firsts(numbers: Numbers) -> Numbers:
    """Where each number stands first, of numbers that leave none out from 0 on."""
    first = np.empty(numbers.max(initial=NONE) + 1, dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]
    return first


def _kept_vertices(mesh: Mesh, stays: Flags) -> Flags:
    """Whether each vertex is still a corner or a crossing."""
    n = len(mesh.vertices)
    left = mesh.edges[stays]
    degree = np.bincount(left.ravel(), minlength=n)
    lost = np.bincount(mesh.edges[~stays].ravel(), minlength=n) > 0
    labels = np.repeat(mesh.labels[stays], 2)
    least, most = np.full(n, len(mesh.label_sets)), np.full(n, NONE)
    np.minimum.at(least, left.ravel(), labels)
    np.maximum.at(most, left.ravel(), labels)
    between = lost & (degree == 2) & (least == most)  # noqa: PLR2004 - the two halves
    return np.asarray((degree > 0) & ~between)


def _joined_edges(mesh: Mesh, stays: Flags, kept: Flags) -> tuple[Numbers, Numbers]:
    """The new number of each old edge, and the old vertices that each new edge joins.

    An edge that is left as it was keeps its direction.
    """
    left = np.flatnonzero(stays)
    ends = mesh.edges[left].ravel()
    owner = np.repeat(np.arange(len(left)), 2)
    halves = np.flatnonzero(~kept[ends])
    links = owner[halves[np.argsort(ends[halves], kind="stable")]].reshape(-1, 2)
    edge_of = np.full(len(mesh.edges), NONE, dtype=np.int64)
    edge_of[left] = component = _components(links, len(left))
    outer = np.flatnonzero(kept[ends])
    outer = outer[np.argsort(component[owner[outer]], kind="stable")]
    return edge_of, ends[outer].reshape(-1, 2).astype(np.int64)


def _joined_sides(mesh: Mesh, stays: Flags, cell_of: Numbers) -> tuple[Numbers, Numbers]:
    """Offsets and sides of the joined cells, whose straight halves are still apart.

    In a convex cell no vertex is met twice, so the side after one is the one that begins
    where it ends. The first side left of a cell's first part opens the round.
    """
    there = stays[mesh.sides >> 1]
    cells = cell_of[cells_of_sides(mesh)][there]
    sides = mesh.sides[there]
    order = np.argsort(cells, kind="stable")
    cells, sides = cells[order], sides[order]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(cells))))
    touched = np.bincount(cell_of) > 1
    torn = np.flatnonzero(touched[cells])
    sides[torn] = _in_turn(mesh, cells[torn], sides[torn])
    return offsets, sides


def _in_turn(mesh: Mesh, cells: Numbers, sides: Numbers) -> Numbers:
    """Sides sorted by cell, put in the order in which each cell's border meets them."""
    begin = mesh.edges[sides >> 1, sides & 1].astype(np.int64)
    end = mesh.edges[sides >> 1, 1 - (sides & 1)].astype(np.int64)
    n = len(mesh.vertices)
    by_begin = np.argsort(cells * n + begin)
    following = by_begin[np.searchsorted((cells * n + begin)[by_begin], cells * n + end)]
    opens = np.concatenate(([True], cells[1:] != cells[:-1]))
    following[opens[following]] = NONE
    _, left = ranked(following)
    return sides[np.lexsort((-left, cells))]


def _flat(mesh: Mesh, cell_of: Numbers, first_cell: Numbers) -> Indices:
    first = first_cell[cell_of[mesh.flat[:, 0]]] == mesh.flat[:, 0]
    kept = mesh.flat[first]
    return np.column_stack((cell_of[kept[:, 0]], kept[:, 1])).astype(np.int32)
