from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from map_cases import QUARTERS, lattice

from hinge.page import Map
from hinge.report.planar import Planar, planar
from hinge.report.raster import NOBODY, borders, owners, under


def plan_of(block: Map) -> Planar:
    plan = planar(block, 10**6)
    assert plan is not None
    return plan


@given(st.integers(1, 7), st.integers(1, 40), st.integers(1, 40))
def test_every_pixel_belongs_to_the_cell_of_its_middle(n: int, height: int, width: int) -> None:
    owned = owners(plan_of(lattice(n)), height, width)
    x, y = (np.arange(width) + 0.5) / width * n, (np.arange(height)[::-1] + 0.5) / height * n
    clear = (x % 1 > 1e-9) & (x % 1 < 1 - 1e-9), (y % 1 > 1e-9) & (y % 1 < 1 - 1e-9)
    expected = y.astype(int)[:, None] * n + x.astype(int)
    assert np.array_equal(owned[clear[1]][:, clear[0]], expected[clear[1]][:, clear[0]])
    assert (owned >= 0).all()


triangle = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=3, max_size=3)


@given(triangle, st.booleans())
def test_a_triangle_covers_what_lies_on_the_inner_side_of_all_its_sides(corners, turned):
    (a, b), (c, d), (e, f) = corners
    turn = (c - a) * (f - b) - (d - b) * (e - a)
    if turn == 0:
        return
    ring = (0, 1, 2)[:: -1 if turned else 1]
    frame = Map((a, c, e, 0, 21, 21, 0), (b, d, f, 0, 0, 21, 21), (*ring, 3, 4, 5, 6), (0, 3, 7))
    plan = plan_of(frame)
    only = Map(frame.x, frame.y, ring, (0, 3))
    held = Planar(frame, plan.frame, plan.across, plan.up, *rest(plan_of(only)))
    owned = owners(held, 42, 42)
    x, y = np.meshgrid(np.arange(42) / 2 + 0.25, np.arange(42)[::-1] / 2 + 0.25)
    sides = [
        ((c - a) * (y - b) - (d - b) * (x - a)) * turn,
        ((e - c) * (y - d) - (f - d) * (x - c)) * turn,
        ((a - e) * (y - f) - (b - f) * (x - e)) * turn,
    ]
    inside, outside = np.min(sides, axis=0) > 1e-6, np.min(sides, axis=0) < -1e-6
    assert (owned[inside] == 0).all()
    assert (owned[outside] == NOBODY).all()


def rest(plan: Planar) -> tuple:
    return plan.cells, plan.corners, plan.starts, plan.remarks


def test_a_cell_need_not_be_convex() -> None:
    horseshoe = Map(
        (0.0, 3.0, 3.0, 2.0, 2.0, 1.0, 1.0, 0.0),
        (0.0, 0.0, 3.0, 3.0, 1.0, 1.0, 3.0, 3.0),
        tuple(range(8)),
        (0, 8),
    )
    owned = owners(plan_of(horseshoe), 3, 3)
    assert (owned == NOBODY).tolist() == [[False, True, False]] * 2 + [[False] * 3]


def test_borders_lie_between_cells() -> None:
    marks = borders(owners(plan_of(QUARTERS), 6, 6))
    assert np.flatnonzero(marks[0]).tolist() == [2]
    assert marks[2].all()
    assert marks.sum() == 6 + 5


def test_a_chain_leaves_no_gap() -> None:
    marks = under(plan_of(QUARTERS), [(0, 5)], 20, 20)
    rows, columns = np.nonzero(marks)
    assert set(columns.tolist()) == set(range(20))
    assert rows[columns == 0].tolist() == [19]
    assert set(rows[columns == 19].tolist()) <= {9, 10}
    assert np.abs(np.diff(rows[np.argsort(columns, kind="stable")])).max() <= 1
    assert not under(plan_of(QUARTERS), [], 5, 5).any()
