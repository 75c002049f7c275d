"""A subdivided polygon as arrays: vertices, edges and cells that share them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Mesh:
    """A convex polygon cut into convex cells. Every vertex and every edge is there once.

    ``vertices`` ``(V, 2)`` float64. ``edges`` ``(E, 2)`` int32, vertex numbers. ``labels``
    ``(E,)`` int32 index ``label_sets``: the *marks* of an edge, that is, what it lies on. A
    mark below 0 is a side of the domain (-1 is its first side, from its first corner to its
    second); from 0 on it is a form: ``first_words`` of the program times 64, plus its number
    in its fold.

    Cell i has the directed edges ``sides[offsets[i]:offsets[i + 1]]``, counter-clockwise:
    ``2 * edge`` from the edge's first vertex to its second, ``2 * edge + 1`` backwards.
    ``offsets`` ``(F + 1,)`` int64, ``sides`` int32.

    ``patterns`` ``(F, W)`` uint64: bit ``m % 64`` of word ``m // 64`` is 1 where the form with
    mark m is positive in the cell. ``flat`` ``(K, 2)`` int32: pairs (cell, mark) where the
    form is 0 on the whole cell.
    """

    vertices: Reals
    edges: Indices
    labels: Indices
    label_sets: tuple[tuple[int, ...], ...]
    offsets: npt.NDArray[np.int64]
    sides: Indices
    patterns: Words
    flat: Indices


@dataclass(frozen=True, eq=False)
class Chain:
    """A segment cut into pieces, in order: ``points`` ``(P,)`` float64 from 0 to 1.

    ``labels`` ``(P,)`` int32 and ``label_sets`` as in `Mesh` (marks -1 and -2 are the two
    ends); piece i lies between points i and i + 1; ``patterns`` ``(P - 1, W)`` and ``flat`` as
    in `Mesh`.
    """

    points: Reals
    labels: Indices
    label_sets: tuple[tuple[int, ...], ...]
    patterns: Words
    flat: Indices
