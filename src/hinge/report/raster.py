"""Turns the cells and creases of a map into pixels, all at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hinge.report.axes import Reals
from hinge.report.planar import Planar

Indices = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

NOBODY = -1
"""A pixel whose middle lies in no cell."""


def owners(plan: Planar, height: int, width: int) -> Indices:
    """Say for each pixel which drawn cell its middle lies in: ``(height, width)``, the top first.

    Each row of middles enters and leaves a cell in turn, so sorted along the row the places
    where it meets the cell's sides pair up, whatever the cell's form (the even-odd rule).
    """
    to = plan.following
    x1, y1 = plan.across[plan.corners] * width, plan.up[plan.corners] * height
    x2, y2 = plan.across[to] * width, plan.up[to] * height
    low, high = (_first_middle(ends) for ends in (np.minimum(y1, y2), np.maximum(y1, y2)))
    sides, rows = _ranges(low, high)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(high > low, (x2 - x1) / (y2 - y1), 0.0)
    meets = x1[sides] + (rows + 0.5 - y1[sides]) * slope[sides]
    cells = plan.owners[sides]
    order = np.lexsort((meets, rows, cells))
    enters, leaves = order[::2], order[1::2]
    spans, columns = _ranges(_first_middle(meets[enters]), _first_middle(meets[leaves]))
    canvas = np.full((height, width), NOBODY, dtype=np.int64)
    inside = (columns >= 0) & (columns < width)
    canvas[rows[enters][spans][inside], columns[inside]] = cells[enters][spans][inside]
    return canvas[::-1]


def borders(owned: Indices) -> Marks:
    """Mark the pixels whose right or lower neighbour belongs to another cell."""
    marks = np.zeros(owned.shape, dtype=np.bool_)
    marks[:, :-1] |= owned[:, :-1] != owned[:, 1:]
    marks[:-1] |= owned[:-1] != owned[1:]
    return marks


def under(plan: Planar, chains: Sequence[Sequence[int]], height: int, width: int) -> Marks:
    """Mark the pixels under chains of the map's points: ``(height, width)``, the top first."""
    marks = np.zeros((height, width), dtype=np.bool_)
    starts = np.array([point for chain in chains for point in chain[:-1]], dtype=np.int64)
    ends = np.array([point for chain in chains for point in chain[1:]], dtype=np.int64)
    x, y = plan.across * width, plan.up * height
    drawn = np.isfinite(x[starts] + x[ends])
    starts, ends = starts[drawn], ends[drawn]
    reach = np.maximum(np.abs(x[ends] - x[starts]), np.abs(y[ends] - y[starts]))
    counts = np.ceil(2 * reach).astype(np.int64) + 1
    links, steps = _ranges(np.zeros_like(counts), counts)
    along = steps / np.maximum(counts - 1, 1)[links]
    columns = _pixel(x[starts][links], x[ends][links], along, width)
    rows = _pixel(y[starts][links], y[ends][links], along, height)
    marks[rows, columns] = True
    return marks[::-1]


def _first_middle(values: Reals) -> Indices:
    """The first pixel whose middle is not before each value."""
    return np.ceil(values - 0.5).astype(np.int64)


def _ranges(first: Indices, end: Indices) -> tuple[Indices, Indices]:
    """All numbers of many ranges: which range each is of, and the number."""
    counts = np.maximum(end - first, 0)
    which = np.repeat(np.arange(counts.size), counts)
    before = np.cumsum(counts) - counts
    return which, np.arange(which.size) - before[which] + first[which]


def _pixel(start: Reals, end: Reals, along: Reals, size: int) -> Indices:
    return np.minimum((start + along * (end - start)).astype(np.int64), size - 1)
