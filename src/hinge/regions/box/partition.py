"""The result of a search in a box: its cells, their neighbours, their maps, and what is proven."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, QhullError

from hinge.domains import Box
from hinge.errors import OptionError, UnsupportedError
from hinge.network import Network
from hinge.page import Page
from hinge.regions.box import show
from hinge.regions.box.around import around
from hinge.regions.box.cells import BoxCell, adjacency
from hinge.regions.box.joined import flat_pairs, words_of
from hinge.regions.box.owners import Owners
from hinge.regions.cells.linear_regions import linear_regions
from hinge.regions.cells.maps import affine_maps
from hinge.regions.cells.patterns import Patterns, canonical_patterns
from hinge.regions.cutting.mesh import Words
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

    ``cells`` as `BoxCell`, ``patterns`` their signs. ``complete``: nothing was left to look
    at, and a neighbour was found behind every facet. ``refused``: cells too thin for float64,
    not among ``cells``; ``late``: those that only random points found.
    """

    network: Network
    box: Box
    cells: tuple[BoxCell, ...]
    patterns: Patterns
    complete: bool
    refused: int
    late: int
    seconds: float

    certified = False

    @property
    def reason(self) -> str:
        """Why the partition is not certified, and what is proven all the same."""
        n = self.certified_cells
        which = "every cell" if n == self.n_cells else f"{n:,} of the {self.n_cells:,} cells"
        return (
            "Facets are found in floating point. Proven in exact arithmetic: "
            f"{which} exists, with its pattern, so that these are not too many. Not proven: that "
            "there is no further cell; one thinner than about 1e-9 of its neighbour's size can be "
            "missed."
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

    def pattern(self, cell: int) -> dict[str, npt.NDArray[np.integer]]:
        """What every step does in a cell, by its name: ``(entries,)``.

        Of an activation the piece of each entry, 0 left of its first break; of a max the
        place of each winner among the values that it reads.
        """
        found = self.patterns.states(np.array([self._checked(cell)]))
        return {step: states[0] for step, states in found.items()}

    def affine(self, cell: int) -> tuple[Reals, Reals]:
        """The network's map in a cell: ``W (n_out, d)`` and ``b (n_out,)`` on flat inputs."""
        maps = affine_maps(self.patterns, np.array([self._checked(cell)]))
        return maps.matrices[0], maps.shifts[0]

    def locate(self, x: npt.ArrayLike) -> Indices:
        """The cells that hold the inputs ``(n, *input_shape)``, ``(n,)``; -1 where none does.

        By the pattern at the point; a point on a facet belongs to one of its cells.
        """
        points = np.asarray(x, np.float64).reshape(-1, self.box.dimension)
        low, high = self.box.bounds(self.network.input_shape)
        words = self._words(points)
        cells = np.array([self._by_words.get(one.tobytes(), -1) for one in words], np.int64)
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

        Whether neighbours have the same map is decided exactly.
        """
        return linear_regions(self.patterns, self.adjacency)

    @property
    def n_regions(self) -> int:
        """How many linear regions there are: connected unions of cells with one map."""
        return int(self.regions.max(initial=-1)) + 1

    @cached_property
    def never_folds(self) -> dict[str, Flags]:
        """By site, ``(n_units,)``: whether a unit folds nowhere in the cells that were found."""
        return Owners(self.network, self.patterns.program).never(self.patterns)

    def to_pandas(self) -> pd.DataFrame:
        """One row per cell. Needs pandas: ``pip install "hinge[data]"``."""
        return show.data_frame(self)

    def to_json(self) -> str:
        """The cells as JSON text with a schema version."""
        return show.to_json(self)

    def page(self) -> Page:
        """The partition as a page."""
        return show.page(self)

    def _repr_html_(self) -> str:
        return to_html(self.page())

    def __str__(self) -> str:
        return show.text(self)

    __repr__ = __str__

    @cached_property
    def _by_words(self) -> dict[bytes, int]:
        return {words.tobytes(): number for number, words in enumerate(self.patterns.words)}

    @property
    def _reach(self) -> Reals:
        low, high = self.box.bounds(self.network.input_shape)
        return np.asarray(high / 2 - low / 2)

    def _words(self, points: Reals) -> Words:
        program = self.patterns.program
        found = around(program, points, self._reach)
        words = words_of(program, found.positive)
        if any(meaning.winner for meaning in program.meanings):
            words = canonical_patterns(program, words, flat_pairs(program, found.flat))
        return words

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


def _volume(cell: BoxCell) -> float:
    if cell.corners is None:
        return float("nan")
    if cell.corners.shape[1] == 1:
        return float(np.ptp(cell.corners))
    try:
        return float(ConvexHull(cell.corners).volume)
    except QhullError:  # nearly flat: joggled, which costs some digits
        return float(ConvexHull(cell.corners, qhull_options="QJ").volume)
