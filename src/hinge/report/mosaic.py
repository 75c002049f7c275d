"""A map in the terminal: painted where there is colour, in shades or in lines where not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from hinge.page import Map, Scale
from hinge.report.brushes import DOTS, Canvas, painted, ruled, shaded
from hinge.report.keys import names_of
from hinge.report.paints import CREASE, STRONG, bar_of, paints, ramp
from hinge.report.planar import NAMES, Planar, planar
from hinge.report.screen import Screen
from hinge.report.text import one_line, plural, round_number

_MOST_CELLS = 200_000
_WIDEST, _NARROWEST = 72, 16
_TALLEST, _SHORTEST = 30, 6
_GLYPH_RATIO = 0.5
"""A character is about half as wide as it is high."""


def draw_map(block: Map, screen: Screen) -> RenderableType:
    """Draw a map in characters, with the ends of its axes and what its colours stand for."""
    parts: list[RenderableType] = []
    if block.title:
        parts.append(screen.line(block.title, "bold"))
    plan = planar(block, _MOST_CELLS)
    if plan is None:
        return Group(*parts, Text("nothing finite to draw", "dim"))
    labels = [screen.spelled(round_number(_short(y))) for y in reversed(plan.frame.y_range)]
    margin = max(map(len, labels))
    height, width = _size(plan, screen.width - margin - 2)
    canvas, remarks = _brush(block, screen)(block, plan, height, width)
    _put_dots(canvas, block, plan)
    bar = screen.spelled("│")
    for i, row in enumerate(canvas):
        label = labels[0] if i == 0 else labels[1] if i == height - 1 else ""
        parts.append(Text.assemble((f"{label:>{margin}} {bar}", "dim"), _text(row)))
    parts += _foot(block, plan, width, margin, screen)
    parts += _key(block, screen)
    said = (plural(len(block.starts) - 1, block.noun), *plan.remarks, *remarks, block.caption)
    return Group(*parts, *(screen.say(remark, "dim") for remark in said if remark))


def _brush(
    block: Map, screen: Screen
) -> Callable[[Map, Planar, int, int], tuple[Canvas, tuple[str, ...]]]:
    ascii_only = screen.ascii_only
    if screen.colour and not ascii_only:
        return painted
    draw = shaded if isinstance(block.key, Scale) else ruled
    return lambda *given: draw(*given, ascii_only=ascii_only)


def _size(plan: Planar, room: int) -> tuple[int, int]:
    """How many rows and columns, so that a circle is round where the screen allows it."""
    (left, right), (low, high) = plan.frame.x_range, plan.frame.y_range
    ratio = (right / 2 - left / 2) / (high / 2 - low / 2)
    widest = max(_NARROWEST, min(room, _WIDEST))
    height = min(_TALLEST, max(_SHORTEST, round(widest * _GLYPH_RATIO / max(ratio, 0.01))))
    width = max(_NARROWEST, min(widest, round(height * min(ratio, 100.0) / _GLYPH_RATIO)))
    return height, width


def _put_dots(canvas: Canvas, block: Map, plan: Planar) -> None:
    """Set a character where there are dots; several in one place look like the last."""
    height, width = len(canvas), len(canvas[0])
    placed: dict[tuple[int, int], int] = {}
    for i, kind in enumerate(block.dots):
        x, y = (np.asarray(values, dtype=np.float64) for values in (kind.x, kind.y))
        inside = plan.within(x, y)
        columns = np.minimum((plan.frame.across(x[inside]) * width).astype(int), width - 1)
        rows = np.minimum(((1 - plan.frame.up(y[inside])) * height).astype(int), height - 1)
        placed |= dict.fromkeys(zip(rows.tolist(), columns.tolist(), strict=True), i)
    for (row, column), i in placed.items():
        ground = canvas[row][column][1].partition(" on ")[0]
        ink = "#ffffff" if ground == CREASE else "#000000"
        style = f"bold {ink} on {ground}" if ground else ""
        canvas[row][column] = (DOTS[i % len(DOTS)], style)


def _text(row: list[tuple[str, str]]) -> Text:
    """Join characters of one style, which keeps the escape codes few."""
    runs = groupby(row, key=lambda one: one[1])
    return Text.assemble(*(("".join(glyph for glyph, _ in run), style) for style, run in runs))


def _foot(block: Map, plan: Planar, width: int, margin: int, screen: Screen) -> list[Text]:
    low, high = (screen.spelled(round_number(_short(x))) for x in plan.frame.x_range)
    lines = [
        Text(screen.spelled(" " * (margin + 1) + "└" + "─" * width), "dim"),
        Text(" " * (margin + 2) + low + " " * max(1, width - len(low) - len(high)) + high, "dim"),
    ]
    names = (("across", block.x_label), ("up", block.y_label))
    return lines + [screen.line(f"{axis}: {name}", "dim") for axis, name in names if name]


def _key(block: Map, screen: Screen) -> list[Text]:
    """Explain the colours, what stands out, and the dots, as far as they are drawn."""
    lines = []
    painting = screen.colour and not screen.ascii_only
    if isinstance(block.key, Scale):
        ends = (block.key.low, block.key.high)
        bar = bar_of(block.key) if painting else [(glyph, "") for glyph in ramp(screen.ascii_only)]
        low, high = (screen.line(end) for end in ends)
        name = screen.line(block.key.name, "dim")
        lines.append(Text.assemble(name, "  ", low, " ", *bar, " ", high))
    elif painting:
        colours = paints(block.key)
        lines += [
            Text.assemble(("██", colours[i % NAMES]), " ", screen.line(name))
            for i, name in enumerate(names_of(block))
        ]
    strong = dict.fromkeys(one_line(one.name) for one in block.creases if one.level is None)
    sign = "#" if screen.ascii_only else "█"
    style = STRONG if painting else ""
    lines += [Text.assemble((sign, style), " ", screen.line(name)) for name in strong]
    lines += [
        screen.line(f"{DOTS[i % len(DOTS)]} {one_line(kind.name)}")
        for i, kind in enumerate(block.dots)
    ]
    return lines


def _short(value: float) -> float:
    return float(f"{value:.3g}")
