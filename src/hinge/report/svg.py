"""Lines and maps as one SVG file that needs nothing else; lines as a picture in any page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from hinge.page import Lines, Map
from hinge.report.axes import Reals, ticks
from hinge.report.files import StrPath, write_text
from hinge.report.maps import map_view
from hinge.report.sources import environment, source
from hinge.report.strokes import Frame, apart, dots, frame, strokes
from hinge.report.text import one_line, round_number

WIDTH, HEIGHT = 480, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 34, 40
_X_TICKS, _Y_TICKS = 9, 6
_KINDS = 4
"""So many lines look different; a fifth looks like the first."""

_TIE = 1e-6
"""Added before rounding, so that the last bits of a sum never decide a digit."""


@dataclass(frozen=True)
class Label:
    """A text and where it stands, in pixels."""

    at: str
    text: str


@dataclass(frozen=True)
class Drawn:
    """One line: its look, its name, the path of its strokes, its dots."""

    look: int
    name: str
    path: str
    dots: list[tuple[str, str]]


@dataclass(frozen=True)
class LinesView:
    """Everything that the template of a picture needs, in pixels."""

    block: Lines
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    lines: list[Drawn]
    x_ticks: list[Label]
    y_ticks: list[Label]
    zero_across: str
    zero_down: str
    marks: list[str]
    said: str
    beyond: list[str]

    @property
    def about(self) -> str:
        """A sentence on the picture, for those who do not see it."""
        return f"Marked: {self.said}" if self.said else ""


def lines_view(block: Lines) -> LinesView | None:
    """Lay out lines; None when nothing in them is finite."""
    held = frame(block.lines)
    if held is None:
        return None
    near, beyond = apart(block.marks, held)
    said = "; ".join(f"{one_line(label)} at {round_number(x)}" for x, label in near)
    return LinesView(
        block=block,
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        top=_TOP,
        bottom=HEIGHT - _BOTTOM,
        lines=[
            Drawn(
                place % _KINDS,
                one_line(line.name),
                " ".join(_path(held, *stroke) for stroke in strokes(line)),
                [(_x(held, x), _y(held, y)) for x, y in dots(line)],
            )
            for place, line in enumerate(block.lines)
        ],
        x_ticks=[Label(_x(held, x), round_number(x)) for x in ticks(*held.x_range, _X_TICKS)],
        y_ticks=[Label(_y(held, y), round_number(y)) for y in ticks(*held.y_range, _Y_TICKS)],
        zero_across=_x(held, 0.0) if held.holds(0.0) else "",
        zero_down=_y(held, 0.0),
        marks=[_x(held, x) for x, _ in near],
        said=said,
        beyond=[f"{one_line(label)} at {round_number(x)}, beyond the axis" for x, label in beyond],
    )


def to_svg(block: Lines | Map) -> str:
    """Draw lines or a map as a complete SVG document, readable on light and on dark paper.

    It holds no script and refers to nothing. Coordinates are rounded, so that the
    same block gives the same bytes on every machine.
    """
    view = lines_view(block) if isinstance(block, Lines) else map_view(block)
    kind = type(block).__name__.lower()
    names = ("picture.css", "lines.css", "map.css")[: 2 + isinstance(block, Map)]
    rendered = (
        environment()
        .get_template("picture.svg")
        .render(
            view=view,
            kind=kind,
            block=block,
            width=view.width if view else WIDTH,
            height=view.height if view else HEIGHT,
            style=Markup("\n".join(source(name) for name in names)),  # noqa: S704 - our own files
        )
    )
    return str(rendered) + "\n"


def write_svg(block: Lines | Map, path: StrPath) -> Path:
    """Write `to_svg` to a file, as a whole or not at all, and return its path."""
    return write_text(path, to_svg(block))


def _path(held: Frame, x: Reals, y: Reals) -> str:
    points = zip(x, y, strict=True)
    return "M" + " ".join(f"{_x(held, across)},{_y(held, up)}" for across, up in points)


def _x(held: Frame, x: float) -> str:
    return _pixel(_LEFT + float(held.across(x)) * (WIDTH - _LEFT - _RIGHT))


def _y(held: Frame, y: float) -> str:
    return _pixel(_TOP + (1 - float(held.up(y))) * (HEIGHT - _TOP - _BOTTOM))


def _pixel(value: float) -> str:
    return f"{round(value + _TIE, 1):g}"
