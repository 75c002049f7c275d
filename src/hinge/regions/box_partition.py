"""The result of a search in a box: its cells, their neighbours, their maps, and what is proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull

from hinge.domains import Box
from hinge.errors import OptionError, UnsupportedError
from hinge.network import Network
from hinge.page import Page
from hinge.regions import box_show
from hinge.regions.around import Around, Values, around
from hinge.regions.box_cells import BoxCell, adjacency
from hinge.regions.owners import Owners
from hinge.regions.program import Program
from hinge.report import to_html

if TYPE_CHECKING:
    import pandas as pd

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MEASURED = 5
"""Dimensions up to which volumes are computed."""

_NEAR = 1e-9
"""Share of the box's extent by which a point may be outside of a cell that it is said to be in."""


@dataclass(frozen=True, eq=False)
class BoxPartition:
    """The cells of a network in a box of inputs, found one from another across facets.

    ``cells`` as `BoxCell`; ``positive`` and ``flat`` ``(n, m)`` the signs of all forms of
    ``program`` in them. ``complete``: nothing was left to look at, and a neighbour was found
    behind every facet. ``refused``: cells too thin for float64, not among ``cells``;
    ``late``: those that only random points found. ``parts`` ``(n_parts,)`` are the cells to
    which what was found belongs, by its pattern: see `locate`.
    """

    network: Network
    program: Program
    box: Box
    cells: tuple[BoxCell, ...]
    positive: Flags
    flat: Flags
    complete: bool
    refused: int
    late: int
    seconds: float
    parts: Mapping[bytes, int]

    certified = False

    @property
    def reason(self) -> str:
        """Why the partition is not certified, and what is proven all the same."""
        n = self.certified_cells
        which = "every cell" if n == self.n_cells else f"{n:,} of the {self.n_cells:,} cells"
        return (
            f"Facets are found in floating point. Proven in exact arithmetic: {which} exists, with "
            "its pattern, around its interior point, so that these are not too many. Not proven: "
            "that there is no further cell; one thinner than about 1e-9 of its neighbour's size "
            "can be missed."
        )

    @property
    def n_cells(self) -> int:
        """How many cells were found: sets of inputs with one activation pattern."""
        return len(self.cells)

    @property
    def certified_cells(self) -> int:
        """How many of the cells are proven to exist, in exact arithmetic."""
        return sum(cell.exists for cell in self.cells)

    @cached_property
    def adjacency(self) -> Indices:
        """Pairs of cells that share a facet, ``(P, 2)``, the smaller number first."""
        return adjacency(self.cells)

    @property
    def interior_points(self) -> Reals:
        """A point well inside of each cell, flat: ``(n_cells, d)``."""
        return np.array([cell.point for cell in self.cells]).reshape(-1, self.box.dimension)

    def pattern(self, cell: int) -> dict[str, npt.NDArray[np.int8]]:
        """The signs of all forms in a cell, by the step's name: entries in order, -1, 0 or 1.

        A row for each entry and break of the step's pre-activation, in the order of
        `Meaning`; of a max for each match that decides its winner.
        """
        number = self._checked(cell)
        signs = np.where(self.flat[number], 0, np.where(self.positive[number], 1, -1))
        found: dict[str, list[npt.NDArray[np.int8]]] = {}
        for start, meaning in zip(self._owners.starts, self.program.meanings, strict=False):
            moving = meaning.forms >= 0
            own = meaning.orientation.astype(np.int8)
            own[moving] *= signs[start + meaning.forms[moving]].astype(np.int8)
            found.setdefault(meaning.step, []).append(own)
        return {step: np.concatenate(rows) for step, rows in found.items()}

    def affine(self, cell: int) -> tuple[Reals, Reals]:
        """The network's map in a cell: ``W (n_out, d)`` and ``b (n_out,)`` on flat inputs."""
        point = self.cells[self._checked(cell)].point
        rows = self._around(point[None]).output.rows[0] / np.append(self._reach, 1.0)[:, None]
        return rows[:-1].T, rows[-1] - point @ rows[:-1]

    def locate(self, x: npt.ArrayLike) -> Indices:
        """The cells that hold the inputs ``(n, *input_shape)``, ``(n,)``; -1 where none does.

        By the pattern at the point; a point on a facet belongs to one of its cells.
        """
        points = np.asarray(x, np.float64).reshape(-1, self.box.dimension)
        low, high = self.box.bounds(self.network.input_shape)
        found = self._around(points)
        keys = found.keys()
        cells = np.array([self.parts.get(key, -1) for key in keys], np.int64)
        inside = ((points >= low) & (points <= high)).all(axis=1)
        for i in np.flatnonzero((cells < 0) & inside):
            cells[i] = self._nearest(points[i])
        return np.where(inside, cells, -1)

    @cached_property
    def volumes(self) -> Reals:
        """The volume of each cell, ``(n_cells,)``, by Qhull. Raises beyond 5 dimensions."""
        if self.box.dimension > MEASURED:
            raise UnsupportedError(
                "volumes in so many dimensions take too long",
                where="BoxPartition.volumes",
                found=f"{self.box.dimension} dimensions",
                do=f"take a box of at most {MEASURED} dimensions",
            )
        return np.array([_volume(cell) for cell in self.cells])

    @property
    def volume_missing(self) -> float:
        """The share of the box that the cells found do not fill; about 1e-12 is rounding."""
        low, high = self.box.bounds(self.network.input_shape)
        return float(1 - self.volumes.sum() / np.prod(high - low))

    @cached_property
    def regions(self) -> Indices:
        """The linear region of each cell, ``(n_cells,)``, numbered from 0.

        Neighbours whose maps differ by no more than twice the bound on their rounding errors,
        anywhere in the box, are taken to have the same one.
        """
        output = self._around(self.interior_points).output
        first, second = self.adjacency.T
        same = _same(output, first, second, self.interior_points, self._reach)
        links = csr_array(
            (np.ones(int(same.sum())), (first[same], second[same])), (self.n_cells,) * 2
        )
        return np.asarray(connected_components(links, directed=False)[1], np.int64)

    @property
    def n_regions(self) -> int:
        """How many linear regions there are: connected unions of cells with one map."""
        return int(self.regions.max(initial=-1)) + 1

    @cached_property
    def never_folds(self) -> dict[str, Flags]:
        """By site, ``(n_units,)``: whether a unit folds nowhere in the cells that were found."""
        return self._owners.never(self.positive, self.flat)

    def to_pandas(self) -> pd.DataFrame:
        """One row per cell. Needs pandas: ``pip install "hinge[data]"``."""
        return box_show.data_frame(self)

    def to_json(self) -> str:
        """The cells as JSON text with a schema version."""
        return box_show.to_json(self)

    def page(self) -> Page:
        """The partition as a page."""
        return box_show.page(self)

    def _repr_html_(self) -> str:
        return to_html(self.page())

    def __str__(self) -> str:
        return box_show.text(self)

    __repr__ = __str__

    @cached_property
    def _owners(self) -> Owners:
        return Owners(self.network, self.program)

    @property
    def _reach(self) -> Reals:
        low, high = self.box.bounds(self.network.input_shape)
        return np.asarray(high / 2 - low / 2)

    def _around(self, points: Reals) -> Around:
        return around(self.program, points, self._reach)

    def _nearest(self, point: Reals) -> int:
        room = _NEAR * float(self._reach.max())
        for number, cell in enumerate(self.cells):
            if (cell.A @ point <= cell.b + room).all():
                return number
        return -1

    def _checked(self, cell: int) -> int:
        if not 0 <= cell < self.n_cells:
            raise OptionError(
                "there is no such cell",
                where="the number of a cell",
                found=repr(cell),
                do=f"take a number from 0 to {self.n_cells - 1}",
            )
        return int(cell)


def _same(output: Values, first: Indices, second: Indices, points: Reals, reach: Reals) -> Flags:
    """Whether the maps of pairs of cells are equal, as far as rounding tells."""
    gaps = (points[second] - points[first]) / reach
    rows = output.rows
    slopes = np.abs(rows[first, :-1] - rows[second, :-1]).sum(axis=1)
    carried = np.einsum("pd,pdo->po", gaps, rows[first, :-1])
    values = np.abs(rows[first, -1] + carried - rows[second, -1])
    allowed = 2 * (output.error[first] + output.error[second])
    allowed = allowed + 2.0**-50 * (output.size[first] + output.size[second])
    return np.asarray((slopes + values <= allowed).all(axis=1))


def _volume(cell: BoxCell) -> float:
    if cell.corners is None:
        return float("nan")
    if cell.corners.shape[1] == 1:
        return float(np.ptp(cell.corners))
    return float(ConvexHull(cell.corners, qhull_options="QJ").volume)
