"""The creases of a unit: where its pre-activation passes a break, as polylines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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


class Creases:
    """Draws the creases of one mesh; keeps what every drawing needs."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def of_unit(self, read: Readings, unit: int) -> list[Crease]:
        """All creases of a unit, in the order of its entries and of their breaks.

        A crease is split where it meets itself. Entries with proportional pre-activations
        share an edge and have a crease each. A pre-activation that is 0 on a whole cell has
        its crease around it: see `flat_cells`. An edge of the domain's border may be part of
        a crease.
        """
        rows = np.flatnonzero((read.units == unit) & (read.marks >= 0))
        order = np.lexsort((read.break_index[rows], read.entries[rows]))
        drawn = {mark: self._drawn(mark) for mark in np.unique(read.marks[rows]).tolist()}
        return [
            Crease(*line, entry=int(read.entries[row]), break_index=int(read.break_index[row]))
            for row in rows[order].tolist()
            for line in drawn[int(read.marks[row])]
        ]

    def edges_with(self, mark: int) -> Numbers:
        """The numbers of the edges that carry a mark, ascending."""
        order, begins = self._by_label
        labels = self._labels_with.get(mark, [])
        parts = [order[begins[label] : begins[label + 1]] for label in labels]
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *parts]))

    def _drawn(self, mark: int) -> list[tuple[Reals, Numbers, Numbers]]:
        """The points, edges and cells of each polyline that the mark's edges make."""
        edges = self.edges_with(mark)
        ends = self._mesh.edges[edges].astype(np.int64)
        found = paths(ends)
        lines = []
        for k in range(len(found)):
            part = slice(found.offsets[k], found.offsets[k + 1])
            way = edges[found.edges[part]]
            turned = found.backwards[part, None]
            cells = np.where(turned, self._beside[way, ::-1], self._beside[way])
            lines.append((self._mesh.vertices[found.nodes(ends, k)], way, cells))
        return lines

    @cached_property
    def _beside(self) -> Numbers:
        return cells_of_edges(self._mesh)

    @cached_property
    def _by_label(self) -> tuple[Numbers, Numbers]:
        """The edges in the order of their labels, and where each label's begin."""
        counts = np.bincount(self._mesh.labels, minlength=len(self._mesh.label_sets))
        return np.argsort(self._mesh.labels, kind="stable"), np.append(0, np.cumsum(counts))

    @cached_property
    def _labels_with(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for label, marks in enumerate(self._mesh.label_sets):
            for mark in marks:
                found.setdefault(mark, []).append(label)
        return found


def flat_cells(mesh: Mesh, read: Readings, unit: int) -> Numbers:
    """Pairs (cell, entry), ``(n, 2)``: the cells on which a break is met everywhere."""
    rows = np.flatnonzero((read.units == unit) & (read.marks >= 0))
    found = [
        np.column_stack((cells, np.full(len(cells), read.entries[row])))
        for row in rows.tolist()
        if len(cells := mesh.flat[mesh.flat[:, 1] == read.marks[row], 0])
    ]
    return np.concatenate(found).astype(np.int64) if found else np.empty((0, 2), dtype=np.int64)
