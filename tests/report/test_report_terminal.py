from __future__ import annotations

import io
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_pages import HAND_BUILT, PAGES, large_page
from rich.cells import cell_len
from rich.console import Console

from hinge.page import Note, Page
from hinge.report.terminal import print_page, to_text


def test_the_page_is_all_there() -> None:
    lines = to_text(HAND_BUILT, width=80).splitlines()
    text = "\n".join(lines)
    assert lines[0] == "digits.onnx"
    assert "✗ fc1: unit 0 is dead\n  Its bias sank to -3.\n  → Raise it by 3." in text
    assert "✗ failed  dead=5%\n  25 % are dead" in text
    assert "✓ passed  blocked=5%\n  none is blocked" in text
    assert "Findings\n────────" in text


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(cell_len(line) for line in to_text(HAND_BUILT, width).splitlines()) <= width


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" not in to_text(HAND_BUILT)
    assert "\x1b[" in to_text(HAND_BUILT, colour=True)
    assert (
        re.sub(r"\x1b\[[\d;]*m", "", to_text(HAND_BUILT, colour=True)).split()
        == to_text(HAND_BUILT).split()
    )


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    print_page(HAND_BUILT, Console(file=file, force_terminal=True, width=80))
    assert not re.search(r"\x1b\[(?:\d+;)*[34]\d", file.getvalue())


def test_a_terminal_that_knows_only_ascii_gets_ascii() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    print_page(HAND_BUILT, Console(file=file, width=80))
    file.flush()
    text = raw.getvalue().decode("ascii")
    assert "x fc1: unit 0 is dead" in text
    assert "  #..\n" in re.sub(" +\n", "\n", text)


def test_foreign_text_is_neither_markup_nor_an_escape_code() -> None:
    text = to_text(Page("[red]x[/red]", "a\x1b[31mb", (Note(":smile: [link=x]y[/link]"),)))
    assert "[red]x[/red]" in text
    assert "a�[31mb" in text
    assert ":smile: [link=x]y[/link]" in text


@settings(max_examples=60)
@given(PAGES, st.sampled_from([40, 100]), st.booleans())
def test_any_page_can_be_printed(page: Page, width: int, colour: bool) -> None:
    text = to_text(page, width, colour=colour)
    text.encode("utf-8")
    assert "\x1b" not in re.sub(r"\x1b\[[\d;]*m", "", text)


def test_a_million_units_stay_readable() -> None:
    start = time.perf_counter()
    text = to_text(large_page(10**6), width=100)
    assert time.perf_counter() - start < 5
    assert len(text) < 5000
    assert "1 000 000 units" in text
    assert "shows the worst category" in text
