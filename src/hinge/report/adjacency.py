"""Colours for the cells of a map, such that no two neighbours share one."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]

TINTS = 6
"""Enough for any map: see `told_apart`."""


def told_apart(corners: Indices, starts: Indices) -> Indices:
    """Give each cell a colour below `TINTS` that no cell across one of its sides has.

    Cells are taken away one by one, always one with the fewest neighbours left: in a planar
    map it has five at most (Euler's formula), so that putting them back in the opposite
    order leaves a sixth colour free each time (Matula and Beck, 1983).

    >>> told_apart(np.array([0, 1, 2, 2, 1, 3]), np.array([0, 3, 6])).tolist()
    [1, 0]
    """
    neighbours = _neighbours(corners, starts)
    colours = np.full(len(neighbours), -1)
    used = [0] * TINTS
    for cell in reversed(_smallest_last(neighbours)):
        taken = {int(colours[other]) for other in neighbours[cell]}
        free = [tint for tint in range(TINTS) if tint not in taken] or list(range(TINTS))
        chosen = min(free, key=lambda tint: (used[tint], tint))
        used[chosen] += 1
        colours[cell] = chosen
    return colours


def next_round(starts: Indices) -> Indices:
    """For each corner of each cell, the place of the next one round the same cell.

    >>> next_round(np.array([0, 3, 3, 5])).tolist()
    [1, 2, 0, 4, 3]
    """
    after = np.arange(1, int(starts[-1]) + 1)
    cells = np.flatnonzero(np.diff(starts))
    after[starts[cells + 1] - 1] = starts[cells]
    return after


def _neighbours(corners: Indices, starts: Indices) -> list[set[int]]:
    """For each cell, those that have one of its sides too."""
    sizes = np.diff(starts)
    owners = np.repeat(np.arange(sizes.size), sizes)
    low, high = np.sort(np.stack([corners, corners[next_round(starts)]]), axis=0)
    order = np.lexsort((high, low))
    same = (np.diff(low[order]) == 0) & (np.diff(high[order]) == 0)
    found: list[set[int]] = [set() for _ in range(sizes.size)]
    firsts, seconds = owners[order[:-1][same]], owners[order[1:][same]]
    for first, second in zip(firsts.tolist(), seconds.tolist(), strict=True):
        if first != second:
            found[first].add(second)
            found[second].add(first)
    return found


def _smallest_last(neighbours: list[set[int]]) -> list[int]:
    """The cells in the order in which they are taken away."""
    left = [len(others) for others in neighbours]
    heap = [(count, cell) for cell, count in enumerate(left)]
    heapify(heap)
    gone = [False] * len(left)
    order = []
    while heap:
        count, cell = heappop(heap)
        if gone[cell] or count != left[cell]:
            continue
        gone[cell] = True
        order.append(cell)
        for other in neighbours[cell]:
            if not gone[other]:
                left[other] -= 1
                heappush(heap, (left[other], other))
    return order
