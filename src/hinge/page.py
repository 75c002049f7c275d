"""What a result shows, not how: a page of plain blocks that any renderer can draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Value = str | int | float | bool | None
Tone = Literal["info", "good", "warning", "bad"]
Kind = Literal["text", "code", "integer", "number", "share"]


@dataclass(frozen=True)
class Heading:
    """A title; ``level`` 1 opens a section, 2 a part of it."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Note:
    """A paragraph. ``title`` is its short form, ``text`` the whole, all plain text.

    ``points`` are sentences that stand below, one by one: what follows from it.
    """

    text: str
    title: str = ""
    tone: Tone = "info"
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """A table's column. ``kind`` says what its values are, ``help`` what they mean."""

    name: str
    kind: Kind = "text"
    help: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of plain values under typed columns.

    ``brief`` is how many rows a narrow renderer may stop after; it then says how
    many it left out. ``None`` means all of them, everywhere.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    title: str = ""
    caption: str = ""
    brief: int | None = None


@dataclass(frozen=True)
class Shade:
    """One category of a grid: its name, its meaning and how alarming it is."""

    name: str
    meaning: str
    tone: Tone = "info"


@dataclass(frozen=True)
class Strip:
    """One labelled row of a grid; ``cells`` are indices into the grid's legend."""

    label: str
    cells: tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """Many small cells, one per unit, each in the shade of its category."""

    legend: tuple[Shade, ...]
    strips: tuple[Strip, ...]
    title: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Curve:
    """Values over an axis.

    ``style`` ``bars`` draws a distribution: ``x`` then holds the len(y) + 1 edges of
    its bins. ``line`` joins len(y) points. ``marks`` are labelled places on the x axis.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    style: Literal["bars", "line"] = "bars"
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Line:
    """A line through points, in the order given; a coordinate that is NaN lifts the pen.

    ``dots`` are points of their own: where the line jumps, the value that holds.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    dots: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Lines:
    """Lines over one axis. ``marks`` are labelled places on the x axis."""

    lines: tuple[Line, ...]
    title: str = ""
    x_label: str = ""
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Scale:
    """What the shade of a map's cell says: a value, from 0 (``low``) to 1 (``high``).

    Where ``middle`` has a text, 0.5 is a middle of its own, from which both sides are told
    apart, such as the zero of an output.
    """

    name: str
    low: str
    high: str
    middle: str = ""


@dataclass(frozen=True)
class Crease:
    """Where something folds: chains of a map's points, joined in the order given.

    ``level`` is an index into the map's ``levels``: the first is the widest. With ``None``
    it stands out from all levels and is named on its own.
    """

    name: str
    chains: tuple[tuple[int, ...], ...]
    level: int | None = 0
    dashed: bool = False


@dataclass(frozen=True)
class Dots:
    """Points of one kind on a map, such as the data of one class."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Map:
    """A part of a plane, cut into cells that share their corners.

    ``x`` and ``y`` hold its points, each once. Cell i has the corners
    ``corners[starts[i]:starts[i + 1]]``, numbers of points in order round the cell;
    ``starts`` begins with 0 and ends with ``len(corners)``. ``titles`` has a line about
    each cell, or none at all.

    ``key`` says what ``shades``, one per cell, mean: under a `Scale` they are numbers from 0
    to 1 (NaN for no value), under names they are indices into those, and without either
    there are none: neighbours then differ in colour, which says no more. ``noun`` is what a
    cell is called where they are counted.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    corners: tuple[int, ...]
    starts: tuple[int, ...] = (0,)
    shades: tuple[float, ...] = ()
    key: Scale | tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    creases: tuple[Crease, ...] = ()
    levels: tuple[str, ...] = ()
    dots: tuple[Dots, ...] = ()
    title: str = ""
    caption: str = ""
    x_label: str = ""
    y_label: str = ""
    noun: str = "cell"


@dataclass(frozen=True)
class Check:
    """A condition that was asked for: what, whether it held, and what was found."""

    name: str
    passed: bool
    message: str


Block = Heading | Note | Table | Grid | Curve | Lines | Map | Check


@dataclass(frozen=True)
class Page:
    """A result, ready to be shown: a title, one sentence that sums it up, and blocks."""

    title: str
    summary: str = ""
    blocks: tuple[Block, ...] = field(default=())
