"""The creases of a unit: where its pre-activation passes a break, as polylines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hinge.regions.cells.layouts import Layouts, entries_of
from hinge.regions.cells.meanings import Readings, readings
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.paths import paths
from hinge.regions.plane.topology import Numbers, cells_of_edges
from hinge.regions.programs.program import Program


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

    def of_unit(self, program: Program, known: Layouts, site: str, unit: int) -> list[Crease]:
        """All creases of a unit; see `of_rows`. Raises `OptionError` if there is no such unit."""
        entries = entries_of(known, site, unit, "creases")
        return self.of_rows(readings(program, site, entries))

    def of_all(self, program: Program, known: Layouts) -> Iterator[tuple[str, int | None, Crease]]:
        """Every crease with its site and unit, None where units are not known."""
        for site, layout in known.items():
            if not layout.maximum:
                units = layout.units
                for crease in self.of_rows(readings(program, site, np.arange(len(units)))):
                    unit = int(units[crease.entry])
                    yield site, unit if unit >= 0 else None, crease

    def of_rows(self, read: Readings) -> list[Crease]:
        """The creases of some entries, in the order of these and of their breaks.

        A crease is split where it meets itself. Entries with proportional pre-activations
        share an edge and have a crease each. A pre-activation that is 0 on a whole cell has
        its crease around it: see `flat_cells`. An edge of the domain's border may be part of
        a crease.
        """
        drawn = {mark: self._drawn(mark) for mark in np.unique(read.marks).tolist()}
        rows = zip(
            *(one.tolist() for one in (read.entries, read.break_index, read.marks)), strict=True
        )
        return [
            Crease(*line, entry=entry, break_index=index)
            for entry, index, mark in rows
            for line in drawn[mark]
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


def flat_cells(mesh: Mesh, read: Readings) -> Numbers:
    """Pairs (cell, entry), ``(n, 2)`` int64: the cells on which an entry is at a break all over."""
    order = np.argsort(read.marks, kind="stable")
    marks = read.marks[order]
    begins, ends = (np.searchsorted(marks, mesh.flat[:, 1], side) for side in ("left", "right"))
    counts = ends - begins
    cells = np.repeat(mesh.flat[:, 0].astype(np.int64), counts)
    shift = np.repeat(np.cumsum(counts) - counts - begins, counts)
    return np.column_stack((cells, read.entries[order[np.arange(len(cells)) - shift]]))
