"""What the templates draw of a map: paths, ticks, and a key that explains them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hinge.page import Map
from hinge.report.axes import Reals, ticks
from hinge.report.keys import SHAPES, Entry, ScaleView, crease_look, entries, fill_looks, scale_view
from hinge.report.planar import BLANK, Planar, planar
from hinge.report.text import one_line, plural, round_number

_MOST_CELLS = 25_000
_MOST_TITLES = 4_000
_MOST_JOINTS = 120_000
_MOST_DOTS = 4_000
_MANY = 1_500
"""With more cells than this, lines are thinner."""

WIDTH = 640
_LEFT, _RIGHT, _TOP = 58, 14, 14
_SIDE, _SHORTEST = WIDTH - _LEFT - _RIGHT, 220
_WIDEST, _TALLEST = 2.5, 0.4
"""Between these ratios of the axes' lengths, both have one scale; beyond, each has its own."""

_ROW = 20
_AXIS, _AXIS_NAME = 26, 18
_SCALE_HEIGHT = 46
_X_TICKS, _Y_TICKS = 9, 9
_TIE = 1e-7
"""Added before rounding, so that the last bits of a sum never decide a digit."""


@dataclass(frozen=True)
class Label:
    """A text and where it stands, in pixels."""

    at: str
    text: str


@dataclass(frozen=True)
class Patch:
    """A cell that tells about itself: its outline and its line of text."""

    path: str
    title: str


@dataclass(frozen=True)
class Layer:
    """The cells of one colour: those with a title, and the outlines of all others as one."""

    look: str
    patches: list[Patch]
    path: str


@dataclass(frozen=True)
class CreaseView:
    """A crease: its look, its name, the path of its chains."""

    look: str
    name: str
    path: str


@dataclass(frozen=True)
class DotsView:
    """Dots of one kind: the shape drawn at each place."""

    name: str
    shape: str
    places: list[tuple[str, str]]


@dataclass(frozen=True)
class MapView:
    """Everything that the template of a map needs, in pixels."""

    block: Map
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    many: bool
    layers: list[Layer]
    creases: list[CreaseView]
    dots: list[DotsView]
    x_ticks: list[Label]
    y_ticks: list[Label]
    scale: ScaleView | None
    key: list[Entry]
    about: str
    remarks: list[str]


def map_view(block: Map) -> MapView | None:
    """Lay out a map; None when no cell is finite."""
    plan = planar(block, _MOST_CELLS)
    if plan is None:
        return None
    sheet = _Sheet.of(plan)
    places = sheet.places(plan.across, plan.up)
    layers, untitled = _layers(block, plan, places)
    creases, undrawn = _creases(block, places)
    dots, hidden = _dots(block, plan, sheet)
    below = sheet.bottom + _AXIS + _AXIS_NAME * bool(block.x_label)
    scale = scale_view(block.key, below + 12)
    below += _SCALE_HEIGHT * bool(scale)
    key = entries(block, _LEFT, below + _ROW // 2)
    return MapView(
        block=block,
        width=WIDTH,
        height=below + _ROW * len({entry.y for entry in key}) + 6,
        left=_LEFT,
        right=sheet.right,
        top=_TOP,
        bottom=sheet.bottom,
        many=plan.cells.size > _MANY,
        layers=layers,
        creases=creases,
        dots=dots,
        x_ticks=sheet.x_ticks(plan),
        y_ticks=sheet.y_ticks(plan),
        scale=scale,
        key=key,
        about=f"{one_line(block.title) or 'Map'}: {plural(len(block.starts) - 1, block.noun)}",
        remarks=[*plan.remarks, *untitled, *undrawn, *hidden],
    )


@dataclass(frozen=True)
class _Sheet:
    """The rectangle that is drawn into, in pixels."""

    right: int
    bottom: int

    @classmethod
    def of(cls, plan: Planar) -> _Sheet:
        (left, right), (low, high) = plan.frame.x_range, plan.frame.y_range
        ratio = min(_WIDEST, max(_TALLEST, (right / 2 - left / 2) / (high / 2 - low / 2)))
        wide = _SIDE if ratio >= 1 else max(_SHORTEST, round(_SIDE * ratio))
        tall = _SIDE if ratio < 1 else max(_SHORTEST, round(_SIDE / ratio))
        return cls(_LEFT + wide, _TOP + tall)

    def x(self, across: float) -> str:
        return _pixel(_LEFT + across * (self.right - _LEFT))

    def y(self, up: float) -> str:
        return _pixel(_TOP + (1 - up) * (self.bottom - _TOP))

    def places(self, across: Reals, up: Reals) -> list[str]:
        """Each point as it stands in a path; empty where it is not finite."""
        return [
            f"{self.x(x)},{self.y(y)}" if x == x else ""  # noqa: PLR0124 - not NaN
            for x, y in zip(across.tolist(), up.tolist(), strict=True)
        ]

    def x_ticks(self, plan: Planar) -> list[Label]:
        held = plan.frame
        most = max(2, _X_TICKS * (self.right - _LEFT) // _SIDE)
        return [
            Label(self.x(float(held.across(x))), round_number(x))
            for x in ticks(*held.x_range, most)
        ]

    def y_ticks(self, plan: Planar) -> list[Label]:
        held = plan.frame
        most = max(2, _Y_TICKS * (self.bottom - _TOP) // _SIDE)
        return [
            Label(self.y(float(held.up(y))), round_number(y)) for y in ticks(*held.y_range, most)
        ]


def _pixel(value: float) -> str:
    return f"{round(value + _TIE, 2):g}"


def _layers(block: Map, plan: Planar, places: list[str]) -> tuple[list[Layer], list[str]]:
    """The cells by colour; the largest have titles, if there are any."""
    corners = plan.corners.tolist()
    outlines = [
        "M" + " ".join(places[corner] for corner in corners[start:end]) + "z"
        for start, end in pairwise(plan.starts.tolist())
    ]
    titled = _titled(block, plan)
    looks = fill_looks(block.key)
    colours = plan.colours(np.arange(plan.cells.size))
    layers = []
    for colour in np.unique(colours).tolist():
        mine = np.flatnonzero(colours == colour).tolist()
        layers.append(
            Layer(
                "blank" if colour == BLANK else looks[colour],
                [
                    Patch(outlines[i], one_line(block.titles[plan.cells[i]]))
                    for i in mine
                    if i in titled
                ],
                "".join(outlines[i] for i in mine if i not in titled),
            )
        )
    if not titled or len(titled) == plan.cells.size:
        return layers, []
    return layers, [
        f"Only the {plural(len(titled), f'largest {block.noun}')} have a text to point at."
    ]


def _titled(block: Map, plan: Planar) -> set[int]:
    if not block.titles:
        return set()
    if plan.cells.size <= _MOST_TITLES:
        return set(range(plan.cells.size))
    x, y = plan.across[plan.corners], plan.up[plan.corners]
    starts = plan.starts[:-1]
    spans = [np.maximum.reduceat(v, starts) - np.minimum.reduceat(v, starts) for v in (x, y)]
    return set(np.argsort(-spans[0] * spans[1], kind="stable")[:_MOST_TITLES].tolist())


def _creases(block: Map, places: list[str]) -> tuple[list[CreaseView], list[str]]:
    """The creases from the back to the front: deep levels first, what stands out last."""
    order = sorted(block.creases, key=lambda one: -1 if one.level is None else one.level)
    drawn, room, left = [], _MOST_JOINTS, 0
    for crease in order:
        paths = []
        for chain in crease.chains:
            room -= len(chain)
            left += room < 0
            if room >= 0:
                paths.append(_path([places[point] for point in chain]))
        path = "".join(paths)
        if path:
            drawn.append(CreaseView(crease_look(crease), one_line(crease.name), path))
    return drawn[::-1], [f"{plural(left, 'line')} of creases not drawn."] * bool(left)


def _path(chain: list[str]) -> str:
    """Join the places of a chain; the pen is lifted where one is missing."""
    pieces = " ".join(place or "M" for place in chain).split("M")
    return "".join(f"M{piece.strip()}" for piece in pieces if " " in piece.strip())


def _dots(block: Map, plan: Planar, sheet: _Sheet) -> tuple[list[DotsView], list[str]]:
    views, room, outside, left = [], _MOST_DOTS, 0, 0
    for i, kind in enumerate(block.dots):
        x, y = np.asarray(kind.x, dtype=np.float64), np.asarray(kind.y, dtype=np.float64)
        inside = plan.within(x, y)
        outside += int(inside.size - inside.sum())
        across, up = plan.frame.across(x[inside])[:room], plan.frame.up(y[inside])[:room]
        left += int(inside.sum()) - across.size
        room -= across.size
        places = [
            (sheet.x(at), sheet.y(high))
            for at, high in zip(across.tolist(), up.tolist(), strict=True)
        ]
        views.append(DotsView(one_line(kind.name), SHAPES[i % len(SHAPES)], places))
    remarks = [f"{plural(outside, 'point')} of the data beyond the map."] * bool(outside)
    return views, remarks + [f"{plural(left, 'point')} of the data not drawn."] * bool(left)
