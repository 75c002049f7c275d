"""The key of a map: what its colours, lines and dots stand for, and the looks they have."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from hinge.page import Crease, Map, Scale
from hinge.report.adjacency import TINTS
from hinge.report.planar import NAMES, STEPS
from hinge.report.text import grouped, one_line

DEPTHS = 6
"""So many levels look different; deeper ones look like the last."""

SHAPES = (
    "m-3.4,0a3.4,3.4 0 1 0 6.8,0a3.4,3.4 0 1 0 -6.8,0z",
    "m-3,-3h6v6h-6z",
    "m0,-4l3.8,6.6h-7.6z",
    "m0,-4.4l4.4,4.4l-4.4,4.4l-4.4,-4.4z",
)
"""Paths from the middle of a dot: a disc, a square, a triangle, a diamond."""

_STEP = 24
_COLUMN, _COLUMNS, _ROW = 194, 3, 20
_LONGEST = 23
_MOST = 24


@dataclass(frozen=True)
class Entry:
    """A line of the key: a sample and its text. ``look`` is a class, or a dot's shape."""

    kind: str
    look: str
    x: int
    y: int
    text: str


@dataclass(frozen=True)
class ScaleView:
    """A bar of colours with texts below it: how far along, which end of the text, the text."""

    top: int
    name: str
    looks: list[str]
    texts: list[tuple[int, str, str]]


def fill_looks(key: Scale | tuple[str, ...]) -> list[str]:
    """The classes of a map's colours, by their index."""
    if isinstance(key, Scale):
        return [f"{'side' if key.middle else 'scale'}-{i}" for i in range(STEPS)]
    return [f"name-{i}" for i in range(NAMES)] if key else [f"tint-{i}" for i in range(TINTS)]


def crease_look(crease: Crease) -> str:
    """The classes of a crease."""
    look = "crease-strong" if crease.level is None else level_look(crease.level)
    return look + " dashed" * crease.dashed


def level_look(level: int) -> str:
    """The class of all creases of a level."""
    return f"crease-{min(level, DEPTHS - 1)}"


def scale_view(key: Scale | tuple[str, ...], top: int) -> ScaleView | None:
    """Lay out the bar of a scale; None where there is none."""
    if not isinstance(key, Scale):
        return None
    whole = STEPS * _STEP
    texts = [(0, "start", key.low), (whole // 2, "middle", key.middle), (whole, "end", key.high)]
    return ScaleView(
        top,
        one_line(key.name),
        fill_looks(key),
        [(at, anchor, one_line(text)) for at, anchor, text in texts if text],
    )


def entries(block: Map, left: int, top: int) -> list[Entry]:
    """Lay out the other lines of the key, in columns."""
    names = () if isinstance(block.key, Scale) else block.key
    fills = (("fill", look, name) for name, look in zip(names, _cycled(block), strict=True))
    levels = (("crease", level_look(i), name) for i, name in enumerate(block.levels))
    strong = (("crease", crease_look(c), c.name) for c in block.creases if c.level is None)
    dots = (("dot", SHAPES[i % len(SHAPES)], kind.name) for i, kind in enumerate(block.dots))
    lines = list(dict.fromkeys(chain(fills, levels, strong, dots)))
    if len(lines) > _MOST:
        more = len(lines) - _MOST + 1
        lines = [*lines[: _MOST - 1], ("more", "", f"and {grouped(more)} more")]
    return [
        Entry(
            kind,
            look,
            left + _COLUMN * (place % _COLUMNS),
            top + _ROW * (place // _COLUMNS),
            _short(text),
        )
        for place, (kind, look, text) in enumerate(lines)
    ]


def _cycled(block: Map) -> list[str]:
    if isinstance(block.key, Scale):
        return []
    return [f"name-{i % NAMES}" for i in range(len(block.key))]


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
