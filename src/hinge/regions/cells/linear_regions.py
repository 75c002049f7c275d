"""Linear regions: neighbouring cells with the same affine map, joined."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.signs import Numbers
from hinge.regions.exactly.residues import same_maps

_FIRST = 1 << 12
"""So many cells are looked at before all of them are."""


def linear_regions(patterns: Patterns, pairs: Numbers) -> Numbers:
    """Return the linear region of each cell, ``(F,)`` int64, counted from 0 by first cell.

    ``pairs`` ``(P, 2)`` are the cells on the two sides of every inner edge. Two of them
    belong to one region where their maps on the domain are equal, which is decided exactly.
    """
    same = same_maps(patterns, pairs[:, 0], pairs[:, 1])
    joined = pairs[same]
    links = sparse.coo_array(
        (np.ones(len(joined), np.int8), (joined[:, 0], joined[:, 1])),
        shape=(patterns.n_cells, patterns.n_cells),
    )
    _, labels = connected_components(links, directed=False)
    return numbered(labels)


def numbered(labels: Numbers) -> Numbers:
    """The same groups, numbered from 0 in the order in which they first occur.

    >>> numbered(np.array([7, 7, 2, 7, 5])).tolist()
    [0, 0, 1, 0, 2]
    """
    _, first, back = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    found: Numbers = rank[back]
    return found


def is_affine(patterns: Patterns) -> bool:
    """Whether the network is one affine map on the whole domain: exactly, in all cells."""
    cells = np.arange(patterns.n_cells)
    for some in (cells[:_FIRST], cells[_FIRST:]):
        if not same_maps(patterns, some, np.zeros_like(some)).all():
            return False
    return True
