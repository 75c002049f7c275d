"""Turns a map into finite places and colours: what any drawing of it needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.page import Map, Scale
from hinge.report.adjacency import next_round, told_apart
from hinge.report.axes import LARGEST, Reals, widened
from hinge.report.strokes import Frame
from hinge.report.text import plural, shown

Indices = npt.NDArray[np.int64]

STEPS = 9
"""A scale is drawn in so many colours."""

NAMES = 8
"""So many categories look different; a ninth looks like the first."""

BLANK = -1
"""The colour of a cell without a value."""

_LEAST = 3


@dataclass(frozen=True, eq=False)
class Planar:
    """The cells of a map that are drawn, the largest if not all, in the map's order.

    ``across`` and ``up`` ``(n_points,)`` are places from 0 to 1, NaN where a point is not
    finite. ``cells`` are the numbers of the drawn cells; the corners of the i-th of them are
    ``corners[starts[i]:starts[i + 1]]``. ``remarks`` say what was left out.
    """

    block: Map
    frame: Frame
    across: Reals
    up: Reals
    cells: Indices
    corners: Indices
    starts: Indices
    remarks: tuple[str, ...]

    def colours(self, which: Indices) -> Indices:
        """The colours of some of the drawn cells, by their places among them in order.

        An index into the colours of the map's key, or `BLANK`. Without a key no two of these
        cells that are neighbours have one colour.
        """
        block, cells = self.block, self.cells[which]
        if isinstance(block.key, Scale):
            values = np.asarray(block.shades, dtype=np.float64)[cells]
            given = np.isfinite(values)
            steps = np.clip(np.where(given, values, 0.0) * STEPS, 0, STEPS - 1).astype(np.int64)
            return np.where(given, steps, BLANK)
        if block.key:
            return np.asarray(block.shades, dtype=np.int64)[cells] % NAMES
        sizes = np.diff(self.starts)[which]
        corners = self.corners[np.isin(self.owners, which)]
        return told_apart(corners, np.concatenate([[0], np.cumsum(sizes)]))

    @property
    def owners(self) -> Indices:
        """For each of ``corners``, the place of its cell among those drawn."""
        return np.repeat(np.arange(self.cells.size), np.diff(self.starts))

    @property
    def following(self) -> Indices:
        """For each of ``corners``, the next one round the same cell."""
        return np.asarray(self.corners[next_round(self.starts)])

    def within(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which of some points lie in the frame, its border included but for rounding."""
        return _near(x, self.frame.x_range) & _near(y, self.frame.y_range)


def planar(block: Map, most: int) -> Planar | None:
    """Prepare a map with at most ``most`` cells; None when no cell is finite."""
    x, y = (np.asarray(values, dtype=np.float64) for values in (block.x, block.y))
    finite = np.isfinite(x) & np.isfinite(y)
    corners, starts = (np.asarray(part, dtype=np.int64) for part in (block.corners, block.starts))
    sizes = np.diff(starts)
    owners = np.repeat(np.arange(sizes.size), sizes)
    broken = np.bincount(owners, ~finite[corners], sizes.size) > 0
    usable = np.flatnonzero((sizes >= _LEAST) & ~broken)
    if not usable.size:
        return None
    used = np.unique(corners[np.isin(owners, usable)])
    x, y = (np.where(finite, np.clip(values, -LARGEST, LARGEST), np.nan) for values in (x, y))
    held = Frame(*(widened(float(part[used].min()), float(part[used].max())) for part in (x, y)))
    across, up = held.across(x), held.up(y)
    areas = _areas(across, up, corners, starts)
    cells = _largest(usable, areas, most)
    kept = np.isin(owners, cells)
    drawn = np.concatenate([[0], np.cumsum(sizes[cells])])
    remarks = _remarks(sizes.size - usable.size, usable.size - cells.size, areas, cells)
    return Planar(block, held, across, up, cells, corners[kept], drawn, remarks)


def _near(values: npt.ArrayLike, axis: tuple[float, float]) -> npt.NDArray[np.bool_]:
    low, high = axis
    room = 1e-9 * (high - low)
    given = np.asarray(values, dtype=np.float64)
    return (low - room <= given) & (given <= high + room)


def _areas(across: Reals, up: Reals, corners: Indices, starts: Indices) -> Reals:
    """The area of each cell as a share of the frame's; NaN where a corner is not finite."""
    x, y, to = across[corners], up[corners], corners[next_round(starts)]
    doubled = x * up[to] - across[to] * y
    owners = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    return np.abs(np.bincount(owners, doubled, starts.size - 1)) / 2


def _largest(usable: Indices, areas: Reals, most: int) -> Indices:
    if usable.size <= most:
        return usable
    order = np.argsort(-areas[usable], kind="stable")
    return np.sort(usable[order[:most]])


def _remarks(n_broken: int, n_left: int, areas: Reals, cells: Indices) -> tuple[str, ...]:
    remarks = []
    if n_broken:
        remarks.append(f"{plural(n_broken, 'cell')} not finite, left out.")
    if n_left:
        whole = float(np.nansum(areas)) or 1.0
        left = max(0.0, 1 - float(areas[cells].sum()) / whole)
        share = shown(left, "share")
        remarks.append(
            f"The {plural(cells.size, 'largest cell')} are drawn; {plural(n_left, 'smaller one')}, "
            f"{share} of the area, are not."
        )
    return tuple(remarks)
