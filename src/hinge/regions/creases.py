"""The creases of a unit: where its pre-activation passes a break, as polylines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hinge.regions.meanings import Readings
from hinge.regions.mesh import Mesh, Reals
from hinge.regions.paths import paths
from hinge.regions.topology import Numbers, cells_of_edges


@dataclass(frozen=True, eq=False)
class Crease:
    """A stretch of a crease that does not branch: straight within each cell of earlier layers.

    ``points`` ``(n, 2)`` in the domain's coordinates, in order; a ring's first point is its
    last, too. ``edges`` ``(n - 1,)`` are the mesh's edges between them, ``cells``
    ``(n - 1, 2)`` the cells left and right of each on the way (-1: outside the domain).
    ``entry`` is the flat entry of the pre-activation that folds here (a unit of a convolution
    has one for each position), ``break_index`` counts its activation's breaks from the left.
    """

    points: Reals
    edges: Numbers
    cells: Numbers
    entry: int
    break_index: int

    @property
    def closed(self) -> bool:
        """Whether it is a ring."""
        return bool((self.points[0] == self.points[-1]).all())

    @property
    def length(self) -> float:
        """Its length in the domain's coordinates."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


def creases(mesh: Mesh, read: Readings, unit: int) -> list[Crease]:
    """All creases of a unit, in the order of its entries and of their breaks.

    A crease is split where it meets itself. Entries with proportional pre-activations share
    an edge and have a crease each. A pre-activation that is 0 on a whole cell has its crease
    around it: see `flat_cells`. An edge of the domain's border may be part of a crease.
    """
    rows = np.flatnonzero((read.units == unit) & (read.marks >= 0))
    order = np.lexsort((read.break_index[rows], read.entries[rows]))
    beside = cells_of_edges(mesh)
    drawn: dict[int, list[tuple[Reals, Numbers, Numbers]]] = {}
    for mark, edges in edges_with(mesh, np.unique(read.marks[rows])).items():
        drawn[mark] = _drawn(mesh, edges, beside)
    return [
        Crease(*line, entry=int(read.entries[row]), break_index=int(read.break_index[row]))
        for row in rows[order].tolist()
        for line in drawn[int(read.marks[row])]
    ]


def edges_with(mesh: Mesh, marks: Numbers) -> dict[int, Numbers]:
    """The numbers of the edges that carry each mark."""
    wanted = set(marks.tolist())
    labels: dict[int, list[int]] = {mark: [] for mark in wanted}
    for label, held in enumerate(mesh.label_sets):
        for mark in wanted.intersection(held):
            labels[mark].append(label)
    chosen = np.zeros(len(mesh.label_sets), np.bool_)
    chosen[[label for found in labels.values() for label in found]] = True
    candidates = np.flatnonzero(chosen[mesh.labels])
    kinds = mesh.labels[candidates]
    order = np.argsort(kinds, kind="stable")
    sorted_kinds = kinds[order]
    edges = {}
    for mark, found in labels.items():
        begins = np.searchsorted(sorted_kinds, found)
        ends = np.searchsorted(sorted_kinds, found, side="right")
        parts = [order[begin:end] for begin, end in zip(begins, ends, strict=True)]
        edges[mark] = np.sort(candidates[np.concatenate([np.empty(0, np.int64), *parts])])
    return edges


def flat_cells(mesh: Mesh, read: Readings, unit: int) -> Numbers:
    """Pairs (cell, entry), ``(n, 2)``: the cells on which a break is met everywhere."""
    rows = np.flatnonzero((read.units == unit) & (read.marks >= 0))
    found = [
        np.column_stack((cells, np.full(len(cells), read.entries[row])))
        for row in rows.tolist()
        if len(cells := mesh.flat[mesh.flat[:, 1] == read.marks[row], 0])
    ]
    return np.concatenate(found).astype(np.int64) if found else np.empty((0, 2), dtype=np.int64)


def _drawn(mesh: Mesh, edges: Numbers, beside: Numbers) -> list[tuple[Reals, Numbers, Numbers]]:
    """The points, edges and cells of each polyline that these edges make."""
    ends = mesh.edges[edges].astype(np.int64)
    found = paths(ends)
    lines = []
    for k in range(len(found)):
        part = slice(found.offsets[k], found.offsets[k + 1])
        way = edges[found.edges[part]]
        turned = found.backwards[part, None]
        cells = np.where(turned, beside[way, ::-1], beside[way])
        lines.append((mesh.vertices[found.nodes(ends, k)], way, cells))
    return lines
