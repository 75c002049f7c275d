"""A page in the terminal: coloured where colour is wanted, complete where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from itertools import groupby
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from hinge.page import Block, Check, Curve, Grid, Heading, Lines, Map, Note, Page, Table, Tone
from hinge.report.drawings import draw_curve, draw_grid
from hinge.report.listings import list_table
from hinge.report.mosaic import draw_map
from hinge.report.panels import draw_lines
from hinge.report.screen import STYLES, Screen, width_of

_NARROWEST = 20


def print_page(page: Page, console: Console | None = None) -> None:
    """Print a page. Without a console one is made that heeds NO_COLOR, COLUMNS and pipes."""
    console = console or Console()
    screen = Screen.of(console)
    for part in _parts(page, screen):
        console.print(part, highlight=False, markup=False, emoji=False)


def to_text(page: Page, width: int = 100, *, colour: bool = False) -> str:
    r"""Write what `print_page` prints as text; ``colour`` adds ANSI escape codes.

    >>> print(to_text(Page("mlp", "Two units of 64 are dead."), width=40), end="")
    mlp
    ════════════════════════════════════════
    Two units of 64 are dead.
    """
    file = StringIO()
    console = Console(
        file=file,
        width=max(width, _NARROWEST),
        force_terminal=colour,
        color_system="256" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        _environ={},
    )
    print_page(page, console)
    lines = (line.rstrip() for line in file.getvalue().splitlines())
    return "\n".join(lines).rstrip("\n") + "\n"


def _parts(page: Page, screen: Screen) -> Iterator[RenderableType]:
    rule = "=" if screen.ascii_only else "═"
    yield screen.line(page.title, "bold")
    yield Text(rule * min(screen.width, max(40, width_of(page.title))), "dim")
    if page.summary:
        yield _measured(screen.say(page.summary), screen)
    for is_check, blocks in groupby(page.blocks, key=lambda block: isinstance(block, Check)):
        if is_check:
            yield Text()
            yield Group(*(_check(block, screen) for block in _checks(blocks)))
        else:
            for block in blocks:
                yield Text()
                yield _DRAWN_BY[type(block)](block, screen)


def _checks(blocks: Iterable[Block]) -> Iterator[Check]:
    return (block for block in blocks if isinstance(block, Check))


def _heading(heading: Heading, screen: Screen) -> RenderableType:
    if heading.level > 1:
        return screen.line(heading.text, "bold")
    rule = "-" if screen.ascii_only else "─"
    length = min(screen.width, max(1, width_of(heading.text)))
    return Group(screen.line(heading.text, "bold cyan"), Text(rule * length, "dim"))


def _note(note: Note, screen: Screen) -> RenderableType:
    sign = Text(f"{screen.sign(note.tone)} ", STYLES[note.tone][0])
    arrow = Text(screen.spelled("→ "), STYLES["info"][0])
    head = screen.line(note.title, "bold") if note.title else screen.say(note.text)
    below = [screen.say(note.text)] if note.title and note.text else []
    points = (_hung(arrow, screen.say(point), screen) for point in note.points)
    parts = [*(_measured(text, screen) for text in below), *points]
    return Group(_hung(sign, head, screen), *(Padding(part, (0, 0, 0, 2)) for part in parts))


def _check(check: Check, screen: Screen) -> RenderableType:
    tone: Tone = "good" if check.passed else "bad"
    word = "passed" if check.passed else "failed"
    sign = Text(f"{screen.sign(tone)} ", STYLES[tone][0])
    line = Text.assemble((f"{word}  ", STYLES[tone][0]), screen.line(check.name, "bold"))
    if check.message:
        line.append_text(screen.say(f"\n{check.message}"))
    return _hung(sign, line, screen)


def _hung(sign: Text, text: Text, screen: Screen) -> RenderableType:
    """Set text beside a sign, its later lines below its first."""
    grid = RichTable.grid()
    grid.add_column(width=2)
    grid.add_column(overflow="fold", max_width=screen.measure - 2)
    grid.add_row(sign, text)
    return grid


def _measured(text: Text, screen: Screen) -> RenderableType:
    return Constrain(text, screen.measure)


_DRAWN_BY: dict[type[Block], Callable[[Any, Screen], RenderableType]] = {
    Heading: _heading,
    Note: _note,
    Table: list_table,
    Grid: draw_grid,
    Curve: draw_curve,
    Lines: draw_lines,
    Map: draw_map,
    Check: _check,
}
