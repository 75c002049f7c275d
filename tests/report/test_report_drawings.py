from __future__ import annotations

from report_pages import HAND_BUILT, LEGEND

from hinge.page import Block, Curve, Grid, Page, Strip
from hinge.report.terminal import to_text


def drawn(block: Block, width: int = 60) -> list[str]:
    return to_text(Page("p", blocks=(block,)), width).splitlines()[3:]


def test_each_unit_has_a_character_and_each_category_a_count() -> None:
    assert drawn(HAND_BUILT.blocks[3]) == [
        "Every unit",
        "█  1  dead   never fires",
        "▪  1  rare   fires seldom",
        "·  2  alive  fires now and then",
        "",
        "fc1   3 units: 1 dead, 2 alive",
        "  █··",
        "fc2#2   1 unit: 1 rare",
        "  ▪",
        "One each.",
    ]


def test_a_long_strip_shows_the_worst_of_each_bin() -> None:
    cells = [2] * 4096
    cells[4000] = 0
    lines = drawn(Grid(LEGEND, (Strip("fc", tuple(cells)),)), width=70)
    rows = [line.strip() for line in lines if set(line.strip()) <= {"·", "█"} and line.strip()]
    assert sum(map(len, rows)) == 1024
    assert "".join(rows).index("█") == 1000
    assert any("a cell is 4 units, the worst shown" in " ".join(lines[i : i + 2]) for i in range(9))


def test_bars_are_as_high_as_their_values() -> None:
    lines = drawn(Curve((0.0, 1.0, 2.0), (1.0, 2.0), marks=((1.5, "kink"), (90.0, "far"))), 23)
    plot = [line.partition("│")[2] for line in lines[:6]]
    columns = ["".join(column) for column in zip(*(row.ljust(16) for row in plot), strict=True)]
    left, right = columns[0], columns[15]
    assert right == "█" * 6
    assert left == "   ███"
    assert any(line.endswith("▲") or "▲ " in line for line in lines)
    assert "▲ 1.50: kink" in lines
    assert "90.0: far (beyond the" in lines


def test_a_line_rises_from_left_to_right() -> None:
    lines = drawn(Curve((0.0, 1.0), (0.0, 1.0), style="line"))
    plot = [line.partition("│")[2] for line in lines[:6]]
    firsts = [row.index("•") for row in plot]
    assert firsts == sorted(firsts, reverse=True)
    assert len(set(firsts)) == 6


def test_nothing_finite_is_said() -> None:
    assert drawn(Curve((float("nan"), 1.0), (1.0,), "Depth")) == ["Depth", "nothing finite to draw"]
