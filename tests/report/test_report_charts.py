from __future__ import annotations

from hinge.page import Curve
from hinge.report.charts import curve_view


def test_bars_lie_in_percent_across_and_pixels_down() -> None:
    view = curve_view(Curve((0.0, 1.0, 4.0), (4.0, 2.0)))
    assert view is not None
    assert [(bar.x1, bar.x2) for bar in view.bars] == [(0.0, 25.0), (25.0, 100.0)]
    assert [bar.y2 - bar.y1 for bar in view.bars] == [view.height, view.height / 2]
    assert view.baseline == view.height


def test_bars_below_zero_hang_from_the_baseline() -> None:
    view = curve_view(Curve((0.0, 1.0, 2.0), (1.0, -1.0)))
    assert view is not None
    assert [(bar.y1, bar.y2) for bar in view.bars] == [
        (0.0, view.height / 2),
        (view.height / 2, view.height),
    ]


def test_a_line_joins_its_points_from_left_to_right() -> None:
    view = curve_view(Curve((2.0, 0.0, 1.0), (1.0, 0.0, 0.5), style="line"))
    assert view is not None
    assert [(piece.x1, piece.x2) for piece in view.bars] == [(0.0, 50.0), (50.0, 100.0)]


def test_marks_are_labelled_inwards() -> None:
    view = curve_view(Curve((0.0, 1.0), (1.0,), marks=((0.1, "left"), (0.9, "right" * 20))))
    assert view is not None
    assert [mark.anchor for mark in view.marks] == ["start", "end"]
    assert view.marks[1].text.endswith("…")
    assert view.labels[1].endswith("right")
