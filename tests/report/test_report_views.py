from __future__ import annotations

import pytest
from report_pages import LEGEND

from hinge.page import Grid, Strip
from hinge.report.views import grid_view


@pytest.mark.parametrize(
    ("n_units", "columns", "rows"), [(20, 32, 1), (64, 64, 1), (1024, 64, 16), (4096, 128, 32)]
)
def test_a_row_is_as_long_as_the_longest_strip_asks(n_units: int, columns: int, rows: int) -> None:
    view = grid_view(Grid(LEGEND, (Strip("fc", (0,) * n_units), Strip("small", (1,)))))
    assert view.columns == columns
    assert [strip.rows for strip in view.strips] == [rows, 1]


def test_patches_are_named_by_their_units() -> None:
    view = grid_view(Grid(LEGEND, (Strip("fc", (2,) * 30 + (0,) + (2,) * 39),)))
    layers = dict(view.strips[0].layers)
    assert [patch.title for patch in layers["bad-0"]] == ["30: dead"]
    assert [patch.title for patch in layers["good-0"]] == [
        "0–29: alive",
        "31–63: alive",
        "64–69: alive",
    ]
    assert [(patch.x, patch.y, patch.width) for patch in layers["good-0"]] == [
        (0, 0, 30),
        (31, 0, 33),
        (0, 1, 6),
    ]


def test_a_binned_patch_names_all_its_units() -> None:
    view = grid_view(Grid(LEGEND, (Strip("fc", (2,) * 8191 + (0,)),)))
    layers = dict(view.strips[0].layers)
    assert [patch.title for patch in layers["bad-0"]] == ["8190–8191: worst dead"]
    assert (view.legend[0].shade.name, view.legend[0].count) == ("dead", "1")
    assert "2 units" in view.remark
