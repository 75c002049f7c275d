"""The cells of a program in a box of any dimension, found one from another across facets."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hinge.regions.box.around import Around, around
from hinge.regions.box.polytope import Facets, centred, facets
from hinge.regions.box.rays import facets_by_programs
from hinge.regions.programs.program import Program

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Progress = Callable[[int, int | None], None]

NONE, LOST = -1, -2
"""Numbers of no cell: beyond the box, and not found."""

QHULL = 8
"""Dimensions up to which Qhull finds facets; beyond it linear programs do."""

_BATCH, _SMALL_BATCH = 256, 16
"""Cells that are looked at together; fewer where each takes long."""

_FEW = 6
"""Dimensions up to which a cell takes about a millisecond."""

_STEPS = (1e-2, 1e-4, 1e-6)
"""How far beyond a facet one looks for the neighbour, as shares of the room on the facet."""

_STARTS = 256
"""Random points per dimension that are tried at the end for cells that were missed."""


@dataclass(eq=False)
class Cell:
    """One cell found, in coordinates in which the box is [-1, 1] in every direction.

    ``point`` lies inside. ``positive`` and ``flat`` tell the signs of all forms; ``certain``:
    it is proven that such a cell exists. ``normals``, ``offsets``,
    ``marks`` describe its facets: inside is ``normals @ x + offsets >= 0``, marks are numbers
    of forms, or below 0 for sides of the box. ``neighbours`` are the numbers of the cells
    behind the facets: `NONE` behind a side of the box, `LOST` where none was found. A cell
    without facets was too flat to be looked at.
    """

    point: Reals
    positive: Flags
    flat: Flags
    normals: Reals
    offsets: Reals
    marks: list[tuple[int, ...]]
    neighbours: Indices
    corners: Reals | None
    certain: bool = False


@dataclass(frozen=True, eq=False)
class _Crossing:
    """A facet to be crossed: of which cell, at which point, outward, with which forms on it."""

    cell: int
    facet: int
    middle: Reals
    outward: Reals
    margin: float
    forms: Indices


@dataclass(eq=False)
class Search:
    """The cells found so far, and what is left to look at.

    ``known`` finds a cell's number by its pattern, also of those still on the queue. ``late``
    counts cells that only random points found.
    """

    program: Program
    lower: Reals
    upper: Reals
    most: int
    until: float
    progress: Progress | None = None
    seed: int = 0
    cells: list[Cell] = field(default_factory=list)
    known: dict[bytes, int] = field(default_factory=dict)
    late: int = 0
    complete: bool = False
    _queue: deque[tuple[Reals, Reals]] = field(default_factory=deque)

    def run(self) -> None:
        """Look from the middle outwards, then from random points, until the budget is spent.

        Ctrl-C ends it as well; what was found is kept.
        """
        try:
            self._run()
        except KeyboardInterrupt:
            if not self.cells:
                raise
            self.complete = False

    def _run(self) -> None:
        random = np.random.default_rng(self.seed)
        dimension = len(self.lower)
        sizes = np.linspace(0, 1, _STARTS)[:, None] ** 3
        self._start(sizes * random.uniform(-1, 1, (_STARTS, dimension)), most=1)
        self.complete = self._emptied()
        for _ in range(dimension):
            before = len(self.cells)
            self._start(random.uniform(-1, 1, (_STARTS, dimension)))
            self.complete = self._emptied()
            self.late += len(self.cells) - before

    def at(self, points: Reals) -> Around:
        """The program around points of [-1, 1]^d."""
        middle, reach = self.frame
        return around(self.program, middle + reach * points, reach)

    @property
    def frame(self) -> tuple[Reals, Reals]:
        """The middle of the box and half of its extent."""
        return self.lower / 2 + self.upper / 2, self.upper / 2 - self.lower / 2

    def _emptied(self) -> bool:
        size = _BATCH if len(self.lower) <= _FEW else _SMALL_BATCH
        while self._queue:
            left = min(size, self.most - len(self.cells), len(self._queue))
            if left <= 0 or (self.cells and time.monotonic() > self.until):
                return False
            self._look([self._queue.popleft() for _ in range(left)])
            if self.progress is not None:
                self.progress(len(self.cells), None)
        return True

    def _start(self, points: Reals, most: int | None = None) -> None:
        """Put the cells of the first points whose signs are certain on the queue."""
        found = self.at(points)
        keys = _keys(found)
        for i in np.flatnonzero(found.decided)[:most]:
            self._number(keys[i], points[i], np.zeros(points.shape[1]))

    def _number(self, key: bytes, point: Reals, inward: Reals) -> int:
        """The number of a cell; a new one goes on the queue."""
        number = self.known.get(key)
        if number is None:
            number = self.known[key] = len(self.known)
            self._queue.append((point, inward))
        return number

    def _look(self, batch: list[tuple[Reals, Reals]]) -> None:
        """Find the facets of some cells and put the neighbours behind them on the queue."""
        points, inward = (np.array(one) for one in zip(*batch, strict=True))
        found = self.at(points)
        positive, flat = found.positive, found.flat
        normals, distances = _halfspaces(found, positive, points)
        points, distances = centred(normals, distances, points, inward)
        crossings: list[_Crossing] = []
        for i in range(len(batch)):
            cell, seen = _cell(points[i], normals[i], distances[i], positive[i], flat[i])
            if seen is not None:
                crossings += _crossings(len(self.cells), cell, seen, points[i])
            self.cells.append(cell)
        made = self.cells[-len(batch) :]
        inner = self.at(np.array([cell.point for cell in made]))
        same = (inner.positive == positive).all(axis=1) & (inner.flat == flat).all(axis=1)
        for cell, sure in zip(made, (inner.proven & same).tolist(), strict=True):
            cell.certain = sure
        self._cross(crossings)

    def _cross(self, crossings: list[_Crossing]) -> None:
        """Look behind facets, closer and closer, until what is seen fits what must be there."""
        left = [one for one in crossings if not self._obvious(one)]
        for step in _STEPS:
            missed: list[_Crossing] = []
            for start in range(0, len(left), 4 * _BATCH):
                missed += self._seen(left[start : start + 4 * _BATCH], step)
            left = missed

    def _obvious(self, crossing: _Crossing) -> bool:
        """Whether the neighbour is known: one form folds here, no other is 0 all over the cell."""
        cell = self.cells[crossing.cell]
        if len(crossing.forms) != 1 or cell.flat.any():
            return False
        flipped = cell.positive.copy()
        flipped[crossing.forms] ^= True
        number = self.known.get(_key(flipped, cell.flat))
        if number is None:
            return False
        cell.neighbours[crossing.facet] = number
        return True

    def _seen(self, crossings: list[_Crossing], step: float) -> list[_Crossing]:
        """Take the neighbours that fit; return the crossings behind which none was seen.

        Behind a facet the signs are those of the cell, but for forms that are 0 on it, of
        which one has to change, and for those that are 0 all over the cell.
        """
        if not crossings:
            return []
        outward = np.array([one.outward for one in crossings])
        lengths = step * np.array([one.margin for one in crossings])
        points = np.array([one.middle for one in crossings]) + lengths[:, None] * outward
        found = self.at(points)
        positive, decided, keys = found.positive, found.decided, _keys(found)
        missed = []
        for i, one in enumerate(crossings):
            cell = self.cells[one.cell]
            changed = (positive[i] != cell.positive) & ~cell.flat
            crossed = changed[one.forms].any()
            changed[one.forms] = False
            if decided[i] and crossed and not changed.any():
                cell.neighbours[one.facet] = self._number(keys[i], points[i], outward[i])
            else:
                missed.append(one)
        return missed


def _halfspaces(found: Around, positive: Flags, points: Reals) -> tuple[Reals, Reals]:
    """All forms as half-spaces that hold the points, unit normals; the box's sides come last.

    Forms that are flat or constant get the normal 0 and the distance infinity.
    """
    count, dimension = points.shape
    rows = found.forms.rows
    slopes = np.where(positive[:, :, None], 1.0, -1.0) * rows[:, :-1].transpose(0, 2, 1)
    lengths = np.sqrt((slopes**2).sum(axis=2))
    plain = (lengths <= found.forms.error) | found.flat
    lengths = np.where(plain, 1.0, lengths)
    normals = np.where(plain[:, :, None], 0.0, slopes / lengths[:, :, None])
    distances = np.where(plain, np.inf, np.abs(rows[:, -1]) / lengths)
    sides = np.concatenate([np.eye(dimension), -np.eye(dimension)])
    normals = np.concatenate([normals, np.broadcast_to(sides, (count, *sides.shape))], axis=1)
    return normals, np.concatenate([distances, points + 1, 1 - points], axis=1)


def _cell(
    point: Reals, normals: Reals, distances: Reals, positive: Flags, flat: Flags
) -> tuple[Cell, Facets | None]:
    """Find the facets of one cell, and move its point to the mean of its corners."""
    used = np.flatnonzero(np.isfinite(distances))
    n_forms = len(positive)
    found = None
    if (distances[used] > 0).all():
        by = facets if len(point) <= QHULL else facets_by_programs
        found = by(normals[used], distances[used])
    if found is None:
        nothing = np.zeros((0, len(point)))
        none = np.zeros(0, np.int64)
        return Cell(point, positive, flat, nothing, np.zeros(0), [], none, None), None
    sides = np.where(used < n_forms, used, n_forms - 1 - used)
    inside = (found.middles if found.corners is None else found.corners).mean(axis=0)
    held = used[found.rows]
    marks = [tuple(sides[row].tolist()) for row in found.equal]
    cell = Cell(
        point + inside,
        positive,
        flat,
        normals[held],
        distances[held] - normals[held] @ point,
        marks,
        np.array([NONE if min(mark) < 0 else LOST for mark in marks]),
        None if found.corners is None else found.corners + point,
    )
    return cell, found


def _crossings(number: int, cell: Cell, found: Facets, origin: Reals) -> list[_Crossing]:
    """The facets of a cell that are no sides of the box; they were found about ``origin``."""
    middles = found.middles + origin
    return [
        _Crossing(number, i, middles[i], -cell.normals[i], float(found.margins[i]), np.array(mark))
        for i, mark in enumerate(cell.marks)
        if min(mark) >= 0
    ]


def _keys(found: Around) -> list[bytes]:
    positive, flat = np.packbits(found.positive, axis=1), np.packbits(found.flat, axis=1)
    return [a.tobytes() + b.tobytes() for a, b in zip(positive, flat, strict=True)]


def _key(positive: Flags, flat: Flags) -> bytes:
    return np.packbits(positive).tobytes() + np.packbits(flat).tobytes()
