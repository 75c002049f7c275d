from __future__ import annotations

import io
import re
import time
from dataclasses import replace
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from map_cases import QUARTERS, lattice, maps
from rich.cells import cell_len
from rich.console import Console

from hinge.page import Crease, Map, Page, Scale
from hinge.report.paints import paints
from hinge.report.terminal import print_page, to_text

SCALED = replace(QUARTERS, shades=(0.0, 0.3, 1.0, nan), key=Scale("output", "low", "high"), dots=())
BARE = replace(QUARTERS, creases=(), dots=())


def drawn(block: Map, width: int = 60, *, colour: bool = False) -> list[str]:
    return to_text(Page("p", blocks=(block,)), width, colour=colour).splitlines()[3:]


def rows(lines: list[str]) -> list[str]:
    return [line.partition("│")[2] for line in lines if "│" in line]


def in_ascii(block: Map) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    print_page(Page("p", blocks=(block,)), Console(file=file, width=60))
    file.flush()
    return raw.getvalue().decode("ascii")


def test_without_colour_the_borders_of_the_cells_are_drawn() -> None:
    picture = rows(drawn(BARE, 44))
    width, height = max(map(len, picture)), len(picture)
    assert width == pytest.approx(2 * height, abs=1)
    middle = width // 2
    full = [row for row in picture if len(row.split()) == 1 and len(row.strip()) > width - 3]
    assert len(full) == 1
    upright = [row[middle - 1 : middle + 1].strip() for row in picture]
    assert all(upright)
    assert sum(bool(row.strip()) for row in picture) == height
    assert not "".join(
        row[: middle - 1] + row[middle + 1 :] for row in picture if row not in full
    ).strip()


def test_the_axes_and_the_text_are_there() -> None:
    text = "\n".join(drawn(QUARTERS))
    for part in ("Quarters", "across: width", "up: height", "4 cells", "Four of them."):
        assert part in text
    assert "█ class boundary" in text
    assert "o zeros\nx ones" in text


def test_dots_stand_where_they_are() -> None:
    picture = rows(drawn(replace(QUARTERS, creases=()), 44))
    places = {
        glyph: (i, row.index(glyph))
        for i, row in enumerate(picture)
        for glyph in "ox"
        if glyph in row
    }
    height, width = len(picture), max(map(len, picture))
    assert places["o"][0] / height == pytest.approx(0.75, abs=0.1)
    assert places["o"][1] / width == pytest.approx(0.25, abs=0.1)
    assert places["x"][0] / height == pytest.approx(0.25, abs=0.1)
    assert places["x"][1] / width == pytest.approx(0.75, abs=0.1)


def test_a_scale_is_shaded_where_there_is_no_colour() -> None:
    picture = rows(drawn(replace(SCALED, creases=())))
    assert {picture[-1].rstrip()[-1], picture[0][0], picture[0][-1]} == {"░", "█", "?"}
    assert picture[-1][0] == " "
    text = in_ascii(replace(SCALED, creases=()))
    assert "output  low  .:*# high" in text
    assert "#?" in text


def test_paint_is_the_colour_of_the_cell() -> None:
    console = Console(
        file=io.StringIO(), width=60, force_terminal=True, color_system="truecolor", _environ={}
    )
    print_page(Page("p", blocks=(replace(SCALED, creases=()),)), console)
    lines = [line for line in console.file.getvalue().splitlines() if "▀" in line]
    low, high = (paints(SCALED.key)[i] for i in (0, -1))

    def code(colour: str) -> str:
        return ";".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))

    assert f"38;2;{code(high)};48;2;{code(high)}m▀" in lines[0]
    assert f"38;2;{code(low)};48;2;{code(low)}m▀" in lines[-1]
    assert code(high) not in lines[-1]


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert any("▀" in line for line in drawn(QUARTERS, colour=True))
    assert not any("▀" in line or "\x1b" in line for line in drawn(QUARTERS))
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    print_page(Page("p", blocks=(QUARTERS,)), Console(file=file, force_terminal=True, width=60))
    assert "▀" not in file.getvalue()


def test_ascii_is_enough() -> None:
    text = in_ascii(QUARTERS)
    assert "# class boundary" in text
    assert re.search(r"\.{10,}", text)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("colour", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, colour: bool) -> None:
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in drawn(QUARTERS, width, colour=colour)]
    assert max(map(cell_len, lines)) <= width


def test_where_lines_are_too_many_the_first_levels_are_drawn() -> None:
    n = 120
    block = lattice(n)
    first = Crease("first", (tuple(range(60 * (n + 1), 61 * (n + 1))),), 0)
    rest = Crease("rest", tuple((i, i + n + 1) for i in range(n * (n + 1))), 1)
    lines = drawn(replace(block, creases=(first, rest)))
    assert (
        "Creases of 1 of 2 levels are drawn, from the first on; there is no room for more."
        in " ".join(lines)
    )
    picture = [row for row in rows(lines) if row.strip()]
    assert len(picture) == 1


def test_a_hundred_thousand_cells_are_drawn_at_once() -> None:
    block = lattice(316)
    start = time.perf_counter()
    text = to_text(Page("p", blocks=(block,)), colour=True)
    assert time.perf_counter() - start < 10
    assert "99 856 cells" in text
    assert len(text) < 200_000


@given(maps(st.text(max_size=8)), st.booleans())
def test_any_map_can_be_printed(block: Map, colour: bool) -> None:
    text = "\n".join(drawn(block, 50, colour=colour))
    assert "\x1b" not in re.sub(r"\x1b\[[\d;]*m", "", text)
    in_ascii(block)
