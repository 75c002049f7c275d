"""Lines in the terminal: each in a panel of its own, in dots of braille where there are any."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from hinge.page import Line, Lines
from hinge.report.axes import Reals
from hinge.report.screen import STYLES, Screen
from hinge.report.strokes import Frame, apart, dots, frame, strokes
from hinge.report.text import round_number

_ROWS = 8
_WIDEST, _NARROWEST = 56, 12
_SIDE_BY_SIDE = 72
_GAP = 3
_BRAILLE = 0x2800
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The dots of a braille character, by row and column; the bits are Unicode's."""

Dots = npt.NDArray[np.bool_]


def draw_lines(block: Lines, screen: Screen) -> RenderableType:
    """Draw each line in its own panel, side by side where there is room."""
    parts: list[RenderableType] = []
    if block.title:
        parts.append(screen.line(block.title, "bold"))
    frames = [(line, frame([line])) for line in block.lines]
    drawn = [(line, held) for line, held in frames if held is not None]
    if not drawn:
        return Group(*parts, Text("nothing finite to draw", "dim"))
    beside = len(drawn) if screen.width >= _SIDE_BY_SIDE else 1
    room = (screen.width - _GAP * (beside - 1)) // beside
    panels = [_panel(line, held, block, screen, room) for line, held in drawn]
    grid = RichTable.grid(padding=(0, _GAP, 0, 0))
    for start in range(0, len(panels), beside):
        grid.add_row(*panels[start : start + beside])
    parts.append(grid)
    near, beyond = apart(block.marks, drawn[0][1])
    parts += [screen.line(f"▲ {label} at {round_number(x)}", "dim") for x, label in near]
    parts += [
        screen.line(f"{label} at {round_number(x)}, beyond the axis", "dim") for x, label in beyond
    ]
    return Group(*parts)


def _panel(line: Line, held: Frame, block: Lines, screen: Screen, room: int) -> RenderableType:
    labels = _row_labels(held, screen)
    margin = max(map(len, labels))
    width = max(_NARROWEST, min(room - margin - 2, _WIDEST))
    rows = _glyph_rows(line, held, width, screen)
    bar = screen.spelled("│")
    head = screen.line(line.name, "bold")
    parts = [Text(" " * (margin + 2)).append_text(head)]
    for label, row in zip(labels, rows, strict=True):
        parts.append(Text.assemble((f"{label:>{margin}} {bar}", "dim"), (row, STYLES["info"][0])))
    return Group(*parts, *_foot(held, block, width, margin, screen))


def _row_labels(held: Frame, screen: Screen) -> list[str]:
    """The ends of the y axis, and 0 where it lies between them."""
    low, high = held.y_range
    labels = [""] * _ROWS
    if low < 0 < high:
        labels[_row_of(0.0, held)] = "0"
    labels[0], labels[-1] = (screen.spelled(round_number(_short(y))) for y in (high, low))
    return labels


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def _row_of(y: float, held: Frame) -> int:
    return _ROWS - 1 - min(_ROWS - 1, int(float(held.up(y)) * _ROWS))


def _glyph_rows(line: Line, held: Frame, width: int, screen: Screen) -> list[str]:
    """The rows of characters, from the top."""
    high, wide = (1, 1) if screen.ascii_only else _BITS.shape
    canvas = _canvas(line, held, _ROWS * high, width * wide)
    if screen.ascii_only:
        return ["".join("*" if dot else " " for dot in row) for row in canvas]
    cells = canvas.reshape(_ROWS, high, width, wide).transpose(0, 2, 1, 3)
    codes = (cells * _BITS).sum(axis=(2, 3))
    zero = _row_of(0.0, held) if held.y_range[0] < 0 < held.y_range[1] else None
    return [
        "".join(
            chr(_BRAILLE + code) if code else "┈" if row == zero else " " for code in line_codes
        )
        for row, line_codes in enumerate(codes)
    ]


def _canvas(line: Line, held: Frame, height: int, width: int) -> Dots:
    """The dots that are set, the top row first."""
    canvas = np.zeros((height, width), dtype=bool)
    for x, y in strokes(line):
        _trace(canvas, held.across(x), held.up(y))
    for x_dot, y_dot in dots(line):
        _trace(canvas, held.across([x_dot]), held.up([y_dot]))
    return canvas[::-1]


def _trace(canvas: Dots, across: Reals, up: Reals) -> None:
    """Set the dots under a stroke, joined up and down where it is steep."""
    height, width = canvas.shape
    columns = np.minimum((across * width).astype(int), width - 1)
    between = np.arange(columns.min(), columns.max() + 1)
    order = np.argsort(across, kind="stable")
    edges = np.clip((between[:, None] + [0, 1]) / width, across.min(), across.max())
    heights = np.interp(edges, across[order], up[order])
    rows = np.minimum((heights * height).astype(int), height - 1)
    for column, (start, end) in zip(between, np.sort(rows, axis=1), strict=True):
        canvas[start : end + 1, column] = True


def _foot(held: Frame, block: Lines, width: int, margin: int, screen: Screen) -> list[Text]:
    low, high = (screen.spelled(round_number(_short(x))) for x in held.x_range)
    near, _ = apart(block.marks, held)
    axis = [" "] * width
    for x, _label in near:
        axis[min(width - 1, int(float(held.across(x)) * width))] = "▲"
    pad = " " * (margin + 2)
    name = screen.line(block.x_label).plain
    between = max(1, width - len(low) - len(high))
    fits = cell_len(name) + 2 <= between
    lines = [Text(screen.spelled(" " * (margin + 1) + "└" + "─" * width), "dim")]
    if near:
        lines.append(Text(screen.spelled(pad + "".join(axis)), STYLES["warning"][0]))
    middle = set_cell_size(f"{name:^{between}}" if fits else "", between)
    lines.append(Text(pad + low + middle + high, "dim"))
    return lines if fits else [*lines, Text(f"{pad}across: {name}", "dim")]
