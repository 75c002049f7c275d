"""Grids and curves drawn with characters."""

from __future__ import annotations

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from hinge.page import Curve, Grid
from hinge.report.axes import Plot, plot
from hinge.report.cells import Band, Indices, bands, coarseness, ranked, runs, tally, totals
from hinge.report.screen import STYLES, Screen
from hinge.report.text import grouped, number, plural

_MOST_STRIPS = 64
_CELLS_PER_STRIP = 1024
_CELLS_IN_ALL = 8192
_WIDEST = 96
"""Longer rows of cells or bars are hard to follow with the eye."""

_ROOMY = 60
_ROWS = 6
_MOST_BARS = 4096
_INDENT = 2


def draw_grid(grid: Grid, screen: Screen) -> RenderableType:
    """Draw every unit as a character, or bins of units where there are too many."""
    glyphs = screen.glyphs(grid.legend)
    per_strip = min(_CELLS_PER_STRIP, max(_WIDEST, _CELLS_IN_ALL // max(1, len(grid.strips))))
    drawn = bands(grid, _MOST_STRIPS, per_strip, _CELLS_IN_ALL)
    parts: list[RenderableType] = []
    if grid.title:
        parts.append(screen.line(grid.title, "bold"))
    parts += [_legend(grid, glyphs, screen), Text()]
    for band in drawn:
        parts.append(_strip_head(band, grid, screen))
        parts.append(_strip_cells(band, glyphs, screen))
    remarks = (coarseness(drawn, len(grid.strips)), grid.caption)
    parts.extend(screen.say(remark, "dim") for remark in remarks if remark)
    return Group(*parts)


def draw_curve(curve: Curve, screen: Screen) -> RenderableType:
    """Draw bars or a line in a few rows of block characters, with the marks below."""
    parts: list[RenderableType] = []
    if curve.title:
        parts.append(screen.line(curve.title, "bold"))
    drawn = plot(curve, _MOST_BARS)
    if drawn is None:
        parts.append(Text("nothing finite to draw", "dim"))
        return Group(*parts)
    labels = [screen.spelled(number(y)) for y in reversed(drawn.y_range)]
    margin = max(len(label) for label in labels)
    width = max(8, min(screen.width - margin - 2, _WIDEST))
    rows = (
        _line_rows(drawn, width, screen)
        if curve.style == "line"
        else _bar_rows(drawn, width, screen)
    )
    bar = screen.spelled("│")
    for i, row in enumerate(rows):
        label = labels[0] if i == 0 else labels[1] if i == _ROWS - 1 else ""
        parts.append(Text.assemble((f"{label:>{margin}} {bar}", "dim"), (row, STYLES["info"][0])))
    parts.extend(_x_axis(curve, drawn, width, margin, screen))
    return Group(*parts)


def _legend(grid: Grid, glyphs: list[tuple[str, str]], screen: Screen) -> RenderableType:
    """List the categories that occur, the worst first."""
    counts = totals(grid)
    listed = RichTable.grid(padding=(0, 2, 0, 0))
    listed.add_column(width=1)
    listed.add_column(justify="right", no_wrap=True)
    listed.add_column(no_wrap=screen.width >= _ROOMY)
    listed.add_column(overflow="fold")
    for i in ranked(grid.legend):
        if counts[i]:
            shade = grid.legend[i]
            listed.add_row(
                Text(*glyphs[i]),
                screen.spelled(grouped(counts[i])),
                screen.line(shade.name),
                screen.line(shade.meaning, "dim"),
            )
    return listed


def _strip_head(band: Band, grid: Grid, screen: Screen) -> Text:
    about = f"{plural(band.n_units, 'unit')}: {tally(band.counts, grid.legend)}"
    if band.per_cell > 1:
        about += f"; a cell is {plural(band.per_cell, 'unit')}, the worst shown"
    return Text("   ").join([screen.line(band.label), screen.line(about, "dim")])


def _strip_cells(band: Band, glyphs: list[tuple[str, str]], screen: Screen) -> Text:
    columns = _row_length(band.cells, screen.width - _INDENT)
    drawn = Text()
    for run in runs(band.cells, columns):
        if run.start % columns == 0:
            drawn.append("\n" * bool(run.start) + " " * _INDENT)
        glyph, style = glyphs[run.shade]
        drawn.append(glyph * run.length, style)
    return drawn


def _row_length(cells: Indices, room: int) -> int:
    """Prefer rows of a power of two, as layers often are, where they use the room well."""
    room = max(8, min(room, _WIDEST))
    return min(room, 1 << (room.bit_length() - 1)) if cells.size > room else room


def _bar_rows(drawn: Plot, width: int, screen: Screen) -> list[str]:
    first = np.minimum((drawn.across(drawn.left) * width).astype(int), width - 1)
    last = np.maximum(np.ceil(drawn.across(drawn.right) * width).astype(int), first + 1)
    height = np.zeros(width)
    for start, stop, share in zip(first, last, drawn.up(drawn.value), strict=True):
        height[start:stop] = np.maximum(height[start:stop], share)
    levels = screen.levels()
    full = len(levels) - 1
    steps = np.ceil(height * _ROWS * full - 1e-9).astype(int)
    return [
        "".join(levels[min(full, max(0, step - row * full))] for step in steps)
        for row in reversed(range(_ROWS))
    ]


def _line_rows(drawn: Plot, width: int, screen: Screen) -> list[str]:
    order = np.argsort(drawn.left, kind="stable")
    centres = (np.arange(width) + 0.5) / width
    x, y = drawn.across(drawn.left)[order], drawn.up(drawn.value)[order]
    row = np.minimum((np.interp(centres, x, y) * _ROWS).astype(int), _ROWS - 1)
    inside = (centres >= x[0] - 1 / width) & (centres <= x[-1] + 1 / width)
    glyph = "*" if screen.ascii_only else "•"
    return [
        "".join(glyph if on and at == level else " " for at, on in zip(row, inside, strict=True))
        for level in reversed(range(_ROWS))
    ]


def _x_axis(curve: Curve, drawn: Plot, width: int, margin: int, screen: Screen) -> list[Text]:
    pad = " " * (margin + 2)
    axis = [" "] * width
    for x, _ in drawn.marks:
        axis[min(width - 1, int(drawn.across(x) * width))] = "▲"
    low, high = (screen.spelled(number(x)) for x in drawn.x_range)
    lines = [Text(screen.spelled(" " * (margin + 1) + "└" + "─" * width), "dim")]
    if drawn.marks:
        lines.append(Text(screen.spelled(pad + "".join(axis)), STYLES["warning"][0]))
    lines.append(Text(pad + low + " " * max(1, width - len(low) - len(high)) + high, "dim"))
    said = [f"▲ {number(x)}: {label}" for x, label in drawn.marks]
    said += [f"{number(x)}: {label} (beyond the axis)" for x, label in drawn.beyond]
    if curve.x_label:
        lines.append(screen.line(f"across: {curve.x_label}", "dim"))
    if curve.y_label:
        lines.append(screen.line(f"up: {curve.y_label}", "dim"))
    if drawn.dropped:
        said.append(f"{plural(drawn.dropped, 'value')} not finite, left out")
    return lines + [screen.line(remark) for remark in said]
