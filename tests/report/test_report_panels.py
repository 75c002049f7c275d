from __future__ import annotations

import re
from math import nan

from hinge.page import Line, Lines, Page
from hinge.report.terminal import to_text

RISE = Line("f(x)", (-1.0, 1.0), (-1.0, 1.0))
STEP = Line("f′(x)", (-1.0, 0.0, 0.0, 0.0, 1.0), (0, 0, nan, 1, 1), ((0, 0),))


def drawn(*lines: Line, width: int = 60, marks: tuple = ()) -> list[str]:
    block = Lines(lines, x_label="x", marks=marks)
    return to_text(Page("p", blocks=(block,)), width).splitlines()[3:]


def dots(text: str) -> int:
    """How many braille dots are set."""
    return sum(
        (ord(letter) - 0x2800).bit_count() for letter in text if 0x2800 <= ord(letter) < 0x2900
    )


def test_a_straight_line_rises_by_one_dot_at_a_time() -> None:
    rows = [row.partition("│")[2] for row in drawn(RISE)[1:9]]
    starts = [len(row) - len(row.lstrip(" ┈")) for row in rows]
    assert starts == sorted(starts, reverse=True)
    assert all(dots(row) for row in rows)
    assert [drawn(RISE)[row].split("│")[0].strip() for row in (1, 8)] == ["1", "−1"]


def test_a_steep_line_is_joined() -> None:
    steep = Line("f", (-1.0, -0.001, 0.001, 1.0), (-1.0, -1.0, 1.0, 1.0))
    rows = [row.partition("│")[2] for row in drawn(steep)[1:9]]
    assert all(dots(row) >= 4 for row in rows)


def test_a_jump_is_not_joined() -> None:
    rows = [row.partition("│")[2] for row in drawn(STEP)[1:9]]
    assert dots(rows[0])
    assert dots(rows[-1])
    assert not any(dots(row) for row in rows[1:-1])


def test_panels_stand_side_by_side_where_there_is_room() -> None:
    assert len(drawn(RISE, STEP, width=60)) == 22
    assert len(drawn(RISE, STEP, width=100)) == 11
    assert all(len(line) <= 100 for line in drawn(RISE, STEP, width=100))


def test_marks_stand_under_their_place() -> None:
    lines = drawn(RISE, marks=((0.0, "kink"), (9.0, "far")))
    axis = next(line for line in lines if "└" in line)
    mark = next(line for line in lines if line.strip() == "▲")
    middle = axis.index("└") + 1 + axis.count("─") / 2
    assert abs(mark.index("▲") - middle) <= 1
    assert lines[-2:] == ["▲ kink at 0", "far at 9, beyond the axis"]


def test_a_label_keeps_to_its_place() -> None:
    axis = to_text(Page("p", blocks=(Lines((RISE,), x_label="\x1b[31minput"),)), 60)
    assert "\x1b" not in axis
    assert re.search(r"−1 +.\[31minput +1\n", axis)
    text = to_text(Page("p", blocks=(Lines((RISE,), x_label="wide " * 11),)), 60)
    assert re.search(r"−1 +1\n", text)
    assert "across: wide wide" in text


def test_nothing_finite_is_said() -> None:
    assert drawn(Line("f", (nan,), (1.0,))) == ["nothing finite to draw"]
