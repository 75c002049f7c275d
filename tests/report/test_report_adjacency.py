from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from map_cases import lattice

from hinge.report.adjacency import TINTS, told_apart


def neighbours(corners: np.ndarray, starts: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of cells that share a side, the slow and plain way."""
    cells = [corners[a:b].tolist() for a, b in pairwise(starts)]
    sides = [
        {frozenset(side) for side in zip(cell, [*cell[1:], *cell[:1]], strict=True)}
        for cell in cells
    ]
    n = len(cells)
    return {(i, j) for i in range(n) for j in range(i) if sides[i] & sides[j]}


def fan(n: int) -> tuple[np.ndarray, np.ndarray]:
    """A wheel of triangles around point 0, within a ring of cells, all round an n-gon."""
    inner = [[0, 1 + i, 1 + (i + 1) % n] for i in range(n)]
    outer = [[1 + i, 1 + n + i, 1 + n + (i + 1) % n, 1 + (i + 1) % n] for i in range(n)]
    rim = [list(range(1 + n, 1 + 2 * n))]
    cells = inner + outer + rim
    return np.concatenate(cells), np.cumsum([0, *map(len, cells)])


def flower(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Petals round an n-gon, which comes last: by then all colours are taken round it."""
    petals = [[i, n + i, n + (i + 1) % n, (i + 1) % n] for i in range(n)]
    cells = [*petals, list(range(n))]
    return np.concatenate(cells), np.cumsum([0, *map(len, cells)])


def hexagons(n: int) -> tuple[np.ndarray, np.ndarray]:
    """A honeycomb: most cells have six neighbours."""
    cells = []
    for row in range(n):
        shift = row % 2
        for column in range(shift, n - 1, 2):
            a = row * (n + 1) + column
            cells.append([a, a + 1, a + 2, a + n + 3, a + n + 2, a + n + 1])
    return np.concatenate(cells), np.cumsum([0, *map(len, cells)])


@pytest.mark.parametrize("case", [fan(3), fan(4), fan(7), flower(12), hexagons(8)])
def test_no_two_neighbours_share_a_colour(case: tuple[np.ndarray, np.ndarray]) -> None:
    corners, starts = case
    colours = told_apart(corners, starts)
    pairs = neighbours(corners, starts)
    assert len(pairs) > 3
    assert all(colours[i] != colours[j] for i, j in pairs)
    assert set(colours.tolist()) <= set(range(TINTS))


@given(st.integers(1, 9))
def test_all_colours_are_used_where_there_is_room(n: int) -> None:
    block = lattice(n)
    corners, starts = np.array(block.corners), np.array(block.starts)
    colours = told_apart(corners, starts)
    assert all(colours[i] != colours[j] for i, j in neighbours(corners, starts))
    assert len(set(colours.tolist())) == min(TINTS, n * n)


def test_no_cells_need_no_colours() -> None:
    assert told_apart(np.zeros(0, np.int64), np.array([0])).size == 0
