from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinge.page import Curve
from hinge.report.axes import plot, ticks

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_places_are_shares_of_the_axes() -> None:
    drawn = plot(Curve((0.0, 1.0, 4.0), (2.0, 8.0)), most=10)
    assert drawn is not None
    assert drawn.across([0.0, 1.0, 4.0]).tolist() == [0.0, 0.25, 1.0]
    assert drawn.up([0.0, 2.0, 8.0]).tolist() == [0.0, 0.25, 1.0]


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    drawn = plot(Curve((-math.inf, 0.0, 1.0, 2.0), (9.0, math.nan, 5.0)), most=10)
    assert drawn is not None
    assert drawn.value.tolist() == [5.0]
    assert drawn.dropped == 2
    assert plot(Curve((0.0, 1.0), (math.nan,)), most=10) is None
    assert plot(Curve((0.0,), ()), most=10) is None


def test_joined_neighbours_keep_the_largest() -> None:
    drawn = plot(Curve(tuple(range(6)), (1.0, 7.0, 3.0, 2.0, 5.0)), most=3)
    assert drawn is not None
    assert drawn.value.tolist() == [7.0, 3.0, 5.0]
    assert drawn.left.tolist() == [0.0, 2.0, 4.0]
    assert drawn.merged == 2


def test_a_near_mark_widens_the_axis_and_a_far_one_is_kept_beside_it() -> None:
    marks = ((-0.25, "near"), (900.0, "far"), (math.nan, "nowhere"))
    drawn = plot(Curve((0.0, 1.0), (1.0,), marks=marks), most=10)
    assert drawn is not None
    assert drawn.x_range == (-0.25, 1.0)
    assert [label for _, label in drawn.marks] == ["near"]
    assert [label for _, label in drawn.beyond] == ["far", "nowhere"]


@given(
    st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=20), st.sampled_from(["bars", "line"])
)
def test_every_place_lies_on_the_axes(points: list[tuple[float, float]], style: str) -> None:
    x, y = zip(*points, strict=True)
    drawn = plot(Curve(x, y if style == "line" else y[:-1], style=style), most=7)
    if drawn is None:
        assert style == "bars"
        return
    for places in (drawn.across(drawn.left), drawn.across(drawn.right), drawn.up(drawn.value)):
        assert np.all((places >= 0) & (places <= 1))
    for axis in (drawn.x_range, drawn.y_range):
        assert 1 <= len(ticks(*axis, most=5)) <= 6


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]),
        (-9.0, 6.0, [-5.0, 0.0, 5.0]),
        (0.0, 190.0, [0.0, 50.0, 100.0, 150.0]),
        (1e-9, 3e-9, [1e-9, 1.5e-9, 2e-9, 2.5e-9, 3e-9]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high, most=5) == pytest.approx(expected)
