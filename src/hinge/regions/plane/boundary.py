"""The decision boundary of a classifier, exactly: where the largest output changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hinge.errors import DataError
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.contests import Contests, along_edges, inside_cells
from hinge.regions.plane.cuts import ROUNDING
from hinge.regions.plane.paths import paths
from hinge.regions.plane.pieces_of_cells import Pieces, pieces
from hinge.regions.plane.polygons import Cells
from hinge.regions.plane.rivals import rivals
from hinge.regions.plane.topology import NONE, Numbers


@dataclass(frozen=True, eq=False)
class Border:
    """A polyline between two classes: ``points`` ``(n, 2)``, the first the last of a ring.

    ``segments`` ``(n - 1,)`` are its rows in the `DecisionBoundary`.
    """

    points: Reals
    classes: tuple[int, int]
    segments: Numbers


@dataclass(frozen=True, eq=False)
class DecisionBoundary:
    """Where the class changes, that is, the first of the largest outputs (as `numpy.argmax`).

    ``segments`` ``(S, 2, 2)`` are straight, from point to point; segment i parts the classes
    ``classes[i]``, the lower one first, and lies in cell ``cells[i]``. The last ones, from
    ``n_inside`` on, are edges of the mesh, left of which that cell is.

    ``winners`` ``(F,)`` is the class of each cell, -1 of a cell that the boundary crosses;
    `pieces` are the parts of those. ``ties`` ``(K, 3)``: on the whole of a cell its class and
    another one are equal, and the other is not drawn there; `sentences` says so.
    """

    mesh: Mesh
    values: Reals
    tolerance: float
    segments: Reals
    nodes: Numbers
    cells: Numbers
    classes: Numbers
    n_inside: int
    winners: Numbers
    ties: Numbers

    def borders(self) -> list[Border]:
        """The segments of each pair of classes joined to polylines that do not branch."""
        free = len(self.mesh.vertices) + len(self.mesh.edges)
        own = free + np.arange(self.nodes.size).reshape(self.nodes.shape)
        nodes = np.where(self.nodes == NONE, own, self.nodes)
        kind = np.unique(self.classes, axis=0, return_inverse=True)[1].ravel()
        keys = kind[:, None] * (free + nodes.size) + nodes
        ends = np.unique(keys, return_inverse=True)[1].reshape(keys.shape)
        found = paths(ends)
        lines = []
        for k in range(len(found)):
            part = slice(found.offsets[k], found.offsets[k + 1])
            rows, turned = found.edges[part], found.backwards[part].astype(np.int64)
            last = self.segments[rows[-1], 1 - turned[-1]]
            low, high = self.classes[rows[0]].tolist()
            points = np.vstack((self.segments[rows, turned], last))
            lines.append(Border(points, (low, high), rows))
        return lines

    def pieces(self) -> Pieces:
        """The parts of the cells that the boundary crosses, one for each class there."""
        return pieces(
            self.mesh,
            self.values,
            tolerance=self.tolerance,
            segments=self.segments[: self.n_inside],
            cells=self.cells[: self.n_inside],
            classes=self.classes[: self.n_inside],
        )

    def sentences(self) -> list[str]:
        """What the picture cannot show, in words: the cells on which classes are equal."""
        pairs, counts = np.unique(self.ties[:, 1:], axis=0, return_counts=True)
        return [
            f"classes {low} and {high} are equal, and no other is larger, on the whole of "
            f"{count:,} {'cell' if count == 1 else 'cells'}; class {low} is shown there"
            for (low, high), count in zip(pairs.tolist(), counts.tolist(), strict=True)
        ]


def decision_boundary(
    mesh: Mesh, values: npt.ArrayLike, *, tolerance: float | None = None
) -> DecisionBoundary:
    """Where the largest of several outputs changes; of a single output, where its sign does.

    ``values`` ``(V, n)`` are the outputs at the vertices; they must be linear on each cell.
    Of a single output class 1 is where it is above 0. Outputs that differ by at most
    ``tolerance`` count as equal; by default that is 2⁻⁴⁴ of the largest magnitude, which
    covers the rounding of a forward pass. Raises `DataError` for values of another shape.
    """
    outputs = _checked(mesh, values)
    if tolerance is None:
        tolerance = ROUNDING * float(np.abs(outputs).max(initial=0.0))
    found = rivals(mesh, outputs, tolerance)
    inside = inside_cells(mesh, outputs, found, tolerance)
    along = along_edges(mesh, outputs, found, tolerance)
    winners = found.winners.copy()
    alone = np.setdiff1d(found.contested, inside.cells)  # by rounding alone
    winners[alone] = _at_middle(mesh, outputs, alone)
    return DecisionBoundary(
        mesh,
        outputs,
        tolerance,
        _both(inside, along, "points"),
        _both(inside, along, "nodes"),
        _both(inside, along, "cells"),
        _both(inside, along, "classes"),
        len(inside.cells),
        winners,
        found.ties,
    )


def _checked(mesh: Mesh, values: npt.ArrayLike) -> Reals:
    outputs = np.asarray(values, dtype=np.float64)
    fits = outputs.ndim == 2 and outputs.shape[0] == len(mesh.vertices) and outputs.shape[1] > 0  # noqa: PLR2004 - a row each
    if not fits or not np.isfinite(outputs).all():
        raise DataError(
            "the values at the vertices give no decision boundary",
            where="decision_boundary",
            found=f"shape {outputs.shape}" if not fits else "values that are not finite",
            do=f"pass the outputs at all vertices, shape ({len(mesh.vertices)}, outputs)",
        )
    single = outputs.shape[1] == 1
    return np.hstack((np.zeros_like(outputs), outputs)) if single else outputs


def _both(inside: Contests, along: Contests, name: str) -> npt.NDArray[Any]:
    return np.concatenate((getattr(inside, name), getattr(along, name)))


def _at_middle(mesh: Mesh, values: Reals, cells: Numbers) -> Numbers:
    polygons = Cells(mesh)
    found = [int(values[polygons.loop(cell)].mean(axis=0).argmax()) for cell in cells.tolist()]
    return np.array(found, dtype=np.int64)
