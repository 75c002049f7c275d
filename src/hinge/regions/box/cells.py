"""The cells of a search as a user gets them: in the network's own inputs, counted from 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.regions.box.owners import Owner, Owners
from hinge.regions.box.search import LOST, NONE, Cell, Search

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BoxCell:
    """One cell: the x, flat inputs ``(d,)``, with ``A @ x <= b``, one row for each facet.

    ``A`` ``(F, d)`` has unit rows. ``owners[i]`` are the units that fold on facet i, pairs
    (site, unit); for a side of the box one of ``("lower", axis)`` and ``("upper", axis)``.
    ``neighbours`` ``(F,)``: the cell behind each facet, -1 for a side of the box, -2 where
    none was found. ``point`` ``(d,)`` lies inside; ``corners`` ``(k, d)``, None in more than
    8 dimensions. ``exists``: proven in exact arithmetic.
    """

    A: Reals
    b: Reals
    owners: tuple[tuple[Owner, ...], ...]
    neighbours: Indices
    point: Reals
    corners: Reals | None
    exists: bool


def box_cells(search: Search, cells: Sequence[Cell], owners: Owners) -> list[BoxCell]:
    """Turn the cells of a search into those of the result."""
    middle, reach = search.frame
    made = []
    for cell in cells:
        point = middle + reach * cell.point
        slopes = -cell.normals / reach
        lengths = np.linalg.norm(slopes, axis=1)
        made.append(
            BoxCell(
                A=slopes / lengths[:, None],
                b=(cell.offsets + slopes @ middle) / lengths,
                owners=tuple(_owners(owners, mark, len(point)) for mark in cell.marks),
                neighbours=np.where(cell.neighbours < len(cells), cell.neighbours, LOST),
                point=point,
                corners=None if cell.corners is None else middle + reach * cell.corners,
                exists=cell.certain,
            )
        )
    return made


def adjacency(cells: Sequence[BoxCell]) -> Indices:
    """The pairs of neighbours, the smaller number first, each once: ``(P, 2)``."""
    pairs = {
        (min(number, other), max(number, other))
        for number, cell in enumerate(cells)
        for other in cell.neighbours.tolist()
        if other > NONE
    }
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def _owners(owners: Owners, mark: tuple[int, ...], dimension: int) -> tuple[Owner, ...]:
    """Sides are -1, -2, ...: first the lower ones, axis by axis, then the upper ones."""
    found: list[Owner] = []
    for one in mark:
        if one >= 0:
            found += owners.of(one)
        else:
            side, axis = divmod(-1 - one, dimension)
            found.append((("lower", "upper")[side], axis))
    return tuple(dict.fromkeys(found))
