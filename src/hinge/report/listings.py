"""Tables in the terminal: columns where they fit, one record below the other where not."""

from __future__ import annotations

from typing import Literal

from rich import box
from rich.align import Align
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from hinge.page import Column, Table
from hinge.report.screen import Screen, width_of
from hinge.report.text import plural, shown

_NARROWEST_TEXT = 16
"""A column of text is not squeezed below this; a narrower screen shows records instead."""

_GAP = 2

Cells = list[list[Text]]
Side = Literal["left", "right"]


def list_table(table: Table, screen: Screen) -> RenderableType:
    """Show a table in the width there is, up to its brief rows, and say how many are left."""
    rows = table.rows if table.brief is None else table.rows[: max(0, table.brief)]
    cells = [
        [
            screen.line(shown(value, column.kind))
            for column, value in zip(table.columns, row, strict=True)
        ]
        for row in rows
    ]
    parts: list[RenderableType] = []
    if table.title:
        parts.append(screen.line(table.title, "bold"))
    if cells:
        parts.append(_fitting(table.columns, cells, screen))
    left_out = len(table.rows) - len(rows)
    if left_out:
        parts.append(Text(screen.spelled(f"… and {plural(left_out, 'more row')}"), "dim"))
    elif not table.rows:
        parts.append(Text("no rows", "dim"))
    if table.caption:
        parts.append(screen.say(table.caption, "dim"))
    return Group(*parts)


def _fitting(columns: tuple[Column, ...], cells: Cells, screen: Screen) -> RenderableType:
    widths = _widths(columns, cells, screen.width - _GAP * (len(columns) - 1))
    return _columns(columns, cells, widths, screen) if widths else _records(columns, cells, screen)


def _widths(columns: tuple[Column, ...], cells: Cells, room: int) -> list[int]:
    """Share the room out, to text before headings; empty if even the least does not fit."""
    natural, least = [], []
    for i, column in enumerate(columns):
        widest = max(row[i].cell_len for row in cells)
        word = max((width_of(word) for word in column.name.split()), default=1)
        natural.append(max(1, widest, width_of(column.name)))
        least.append(max(word, min(widest, _NARROWEST_TEXT) if _is_text(column) else widest))
    if sum(least) > room:
        return []
    widths = least
    for i in sorted(range(len(columns)), key=lambda i: not _is_text(columns[i])):
        widths[i] = min(natural[i], widths[i] + room - sum(widths))
    return widths


def _columns(
    columns: tuple[Column, ...], cells: Cells, widths: list[int], screen: Screen
) -> RenderableType:
    drawn = RichTable(
        box=box.ASCII2 if screen.ascii_only else box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, _GAP - 1, 0, 0),
        header_style="bold",
        border_style="dim",
    )
    for column, width in zip(columns, widths, strict=True):
        side: Side = "left" if _is_text(column) else "right"
        drawn.add_column(
            Align(screen.line(column.name), side, vertical="bottom"),
            justify=side,
            overflow="fold",
            width=width,
        )
    for row in cells:
        drawn.add_row(*row)
    return drawn


def _records(columns: tuple[Column, ...], cells: Cells, screen: Screen) -> RenderableType:
    names = [screen.line(column.name, "dim") for column in columns]
    records = RichTable.grid(padding=(0, 2, 0, 0))
    records.add_column(overflow="fold", max_width=screen.width // 2)
    records.add_column(overflow="fold")
    for row in cells:
        for name, cell in zip(names, row, strict=True):
            records.add_row(name, cell)
        records.add_row()
    return records


def _is_text(column: Column) -> bool:
    return column.kind in ("text", "code")
