from __future__ import annotations

import math

from hinge.page import Column, Page, Table
from hinge.report.terminal import to_text

TABLE = Table(
    (
        Column("site", "code"),
        Column("seen", "integer"),
        Column("fires on", "share"),
        Column("max", "number"),
    ),
    (("fc1", 12345, 0.0, -2.5), ("a.long.name", 7, 0.25, math.nan), ("fc3", 1, 1.0, 7.0)),
    "Sites",
    "All of them.",
)


def lines(table: Table, width: int = 80) -> list[str]:
    return to_text(Page("p", blocks=(table,)), width).splitlines()[3:]


def test_numbers_stand_to_the_right_under_their_headings() -> None:
    assert lines(TABLE) == [
        "Sites",
        "site           seen  fires on    max",
        "────────────────────────────────────",
        "fc1          12 345       0 %  −2.50",
        "a.long.name       7    25.0 %      –",
        "fc3               1     100 %   7.00",
        "All of them.",
    ]


def test_a_brief_table_says_how_many_rows_it_left_out() -> None:
    shown = lines(Table(TABLE.columns, TABLE.rows, brief=1))
    assert shown[-1] == "… and 2 more rows"
    assert not any("fc3" in line for line in shown)


def test_a_table_too_wide_becomes_records() -> None:
    shown = lines(TABLE, width=28)
    assert shown[1:6] == [
        "site      fc1",
        "seen      12 345",
        "fires on  0 %",
        "max       −2.50",
        "",
    ]


def test_headings_wrap_before_names_do() -> None:
    shown = lines(TABLE, width=35)
    assert "a.long.name" in "\n".join(shown)
    assert shown[1].split() == ["fires"]


def test_an_empty_table_says_so() -> None:
    assert "no rows" in lines(Table(TABLE.columns, ()))
