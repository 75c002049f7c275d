"""Which outputs can be the largest on a cell: the winner of most, the rivals on the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.regions.cells.bits import Flags
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.cuts import corners_of
from hinge.regions.plane.topology import NONE, Numbers, starts_of_sides

_AT_ONCE = 1 << 22
"""So many values are compared at once."""


@dataclass(frozen=True, eq=False)
class Rivals:
    """Who can be the largest of n outputs, each linear on each cell.

    ``winners`` ``(F,)``: the first of the outputs that are largest on the whole cell, `NONE`
    where several outputs share it. ``contested`` ``(M,)`` are the cells they share, with the
    outputs ``classes[k, c]`` ``(M, n)`` in question. ``ties`` ``(K, 3)``: cell, winner, and
    another output that equals it on the whole cell.
    """

    winners: Numbers
    contested: Numbers
    classes: Flags
    ties: Numbers

    def of_cells(self, cells: Numbers) -> Flags:
        """The outputs in question on each of these cells, ``(len(cells), n)``."""
        found = np.zeros((len(cells), self.classes.shape[1]), np.bool_)
        row = np.full(len(self.winners), NONE, dtype=np.int64)
        row[self.contested] = np.arange(len(self.contested))
        rows, winners = row[cells], self.winners[cells]
        decided = np.flatnonzero(winners != NONE)
        found[decided, winners[decided]] = True
        shared = np.flatnonzero(rows != NONE)
        found[shared] = self.classes[rows[shared]]
        return found


def rivals(mesh: Mesh, values: Reals, tolerance: float) -> Rivals:
    """Compare outputs ``(V, n)`` at the corners of every cell; up to ``tolerance`` is equal."""
    best = _packed(values >= values.max(axis=1, keepdims=True) - tolerance)
    everywhere = np.bitwise_and.reduceat(best[starts_of_sides(mesh)], mesh.offsets[:-1])
    decided = np.flatnonzero(everywhere.any(axis=1))
    winners = np.full(len(everywhere), NONE, dtype=np.int64)
    winners[decided], several = _first_bits(everywhere[decided], values.shape[1])
    contested = np.flatnonzero(winners == NONE)
    stride = max(1, _AT_ONCE // (16 * values.shape[1]))
    parts = [
        _undominated(mesh, values, contested[i : i + stride], tolerance)
        for i in range(0, len(contested), stride)
    ]
    nothing = np.empty((0, values.shape[1]), np.bool_)
    ties = _ties(everywhere, winners, decided[several], values.shape[1])
    return Rivals(winners, contested, np.concatenate([nothing, *parts]), ties)


def _packed(flags: Flags) -> npt.NDArray[np.uint8]:
    return np.packbits(flags, axis=1, bitorder="little")


def _unpacked(octets: npt.NDArray[np.uint8], n: int) -> Flags:
    return np.unpackbits(octets, axis=1, count=n, bitorder="little").astype(np.bool_)


def _first_bits(octets: npt.NDArray[np.uint8], n: int) -> tuple[Numbers, Flags]:
    """The lowest bit of each row, and whether the row has another."""
    first = np.empty(len(octets), dtype=np.int64)
    several = np.empty(len(octets), np.bool_)
    stride = max(1, _AT_ONCE // n)
    for i in range(0, len(octets), stride):
        flags = _unpacked(octets[i : i + stride], n)
        first[i : i + stride] = flags.argmax(axis=1)
        several[i : i + stride] = np.count_nonzero(flags, axis=1) > 1
    return first, several


def _ties(everywhere: npt.NDArray[np.uint8], winners: Numbers, cells: Numbers, n: int) -> Numbers:
    rows, others = np.nonzero(_unpacked(everywhere[cells], n))
    found = np.column_stack((cells[rows], winners[cells[rows]], others))
    return np.asarray(found[found[:, 1] != found[:, 2]])


def _undominated(mesh: Mesh, values: Reals, cells: Numbers, tolerance: float) -> Flags:
    """The outputs ``(len(cells), n)`` that no winner of a corner beats on the whole cell.

    Of outputs that are equal on a cell the first alone is left.
    """
    places, offsets = corners_of(mesh, cells)
    at = values[starts_of_sides(mesh)[places]]
    owner = np.repeat(np.arange(len(cells)), np.diff(offsets))
    champions = (at >= at.max(axis=1, keepdims=True) - tolerance).argmax(axis=1)
    pairs = np.unique(np.column_stack((owner, champions)), axis=0)
    counts = np.diff(offsets)[pairs[:, 0]]
    begins = np.concatenate(([0], np.cumsum(counts)))
    corners = np.arange(begins[-1]) + np.repeat(offsets[pairs[:, 0]] - begins[:-1], counts)
    lead = at[corners, np.repeat(pairs[:, 1], counts)][:, None] - at[corners]
    least = np.minimum.reduceat(lead, begins[:-1])
    most = np.maximum.reduceat(lead, begins[:-1])
    classes = np.arange(values.shape[1])
    earlier = pairs[:, 1, None] < classes
    beaten = (least >= -tolerance) & ((most > tolerance) | earlier)
    beaten &= classes != pairs[:, 1, None]
    left = np.ones((len(cells), values.shape[1]), np.bool_)
    np.logical_and.at(left, pairs[:, 0], ~beaten)
    return left
