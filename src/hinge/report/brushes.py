"""Three ways to draw the cells of a map in characters: in paint, in shades, in lines."""

from __future__ import annotations

import numpy as np

from hinge.page import Crease, Map
from hinge.report.paints import CREASE, PAPER, STRONG, paints, ramp
from hinge.report.planar import BLANK, STEPS, Indices, Planar
from hinge.report.raster import NOBODY, Marks, borders, owners, under
from hinge.report.text import plural

Canvas = list[list[tuple[str, str]]]
"""Rows of characters with their styles, the top first."""

DOTS = "ox+*"
"""The characters of the kinds of dots."""

_BRAILLE = np.array([" ", *(chr(code) for code in range(0x2801, 0x2900))])
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The dots of a braille character, by row and column; the bits are Unicode's."""

_CROWDED = 0.25
"""Lines that cover more of the room than this hide what they should show."""


def painted(block: Map, plan: Planar, height: int, width: int) -> tuple[Canvas, tuple[str, ...]]:
    """Paint two pixels per character; creases are drawn over them where they leave room."""
    owned = owners(plan, 2 * height, width)
    pixels = np.array([*paints(block.key), PAPER])[_colours(plan, owned)]
    marks, remarks = _levels(block, plan, 2 * height, width)
    pixels[marks] = CREASE
    pixels[_strong(block, plan, 2 * height, width)] = STRONG
    top, bottom = pixels[::2], pixels[1::2]
    rows = zip(top.tolist(), bottom.tolist(), strict=True)
    canvas = [
        [("▀", f"{high} on {low}") for high, low in zip(above, below, strict=True)]
        for above, below in rows
    ]
    return canvas, remarks


def shaded(
    block: Map, plan: Planar, height: int, width: int, *, ascii_only: bool
) -> tuple[Canvas, tuple[str, ...]]:
    """Shade each character by the value of the cell in its middle."""
    owned = owners(plan, height, width)
    glyphs = np.array([*ramp(ascii_only), "?"])
    colours = _colours(plan, owned)
    drawn = glyphs[np.where(colours == BLANK, BLANK, colours * (glyphs.size - 1) // STEPS)]
    drawn[owned == NOBODY] = " "
    drawn[_strong(block, plan, height, width)] = _sign(ascii_only)
    return [[(glyph, "") for glyph in row] for row in drawn.tolist()], ()


def ruled(
    block: Map, plan: Planar, height: int, width: int, *, ascii_only: bool
) -> tuple[Canvas, tuple[str, ...]]:
    """Draw the borders of the cells; where they are too many, creases of the first levels.

    Where there is no room for these either, the borders say at least where cells are small.
    """
    high, wide = (1, 1) if ascii_only else _BITS.shape
    marks = borders(owners(plan, high * height, wide * width))
    remarks: tuple[str, ...] = ()
    if marks.mean() > _CROWDED:
        creases, said = _levels(block, plan, high * height, wide * width)
        if creases.any():
            marks, remarks = creases, said
    if ascii_only:
        drawn = np.where(marks, ".", " ")
    else:
        blocks = marks.reshape(height, high, width, wide).transpose(0, 2, 1, 3)
        drawn = _BRAILLE[(blocks * _BITS).sum(axis=(2, 3))]
    drawn[_strong(block, plan, height, width)] = _sign(ascii_only)
    return [[(glyph, "") for glyph in row] for row in drawn.tolist()], remarks


def _colours(plan: Planar, owned: Indices) -> Indices:
    """The colour of each pixel; only the cells that own one are looked at."""
    seen = np.unique(owned)
    seen = seen[seen != NOBODY]
    colours = plan.colours(seen)
    if not seen.size:
        return np.full(owned.shape, BLANK)
    return np.where(owned == NOBODY, BLANK, colours[np.searchsorted(seen, owned)])


def _levels(block: Map, plan: Planar, height: int, width: int) -> tuple[Marks, tuple[str, ...]]:
    """The pixels under creases, level by level, as long as they are not too many."""
    marks = np.zeros((height, width), dtype=np.bool_)
    levels = sorted({one.level for one in block.creases if one.level is not None})
    for i, level in enumerate(levels):
        more = marks | _under(plan, [one for one in block.creases if one.level == level], marks)
        if more.mean() > _CROWDED:
            said = f"Creases of {i} of {plural(len(levels), 'level')} are drawn, from the first on"
            return marks, (f"{said}; there is no room for more.",)
        marks = more
    return marks, ()


def _strong(block: Map, plan: Planar, height: int, width: int) -> Marks:
    empty = np.zeros((height, width), dtype=np.bool_)
    return _under(plan, [one for one in block.creases if one.level is None], empty)


def _under(plan: Planar, creases: list[Crease], like: Marks) -> Marks:
    return under(plan, [chain for one in creases for chain in one.chains], *like.shape)


def _sign(ascii_only: bool) -> str:  # noqa: FBT001 - a property of the screen
    return "#" if ascii_only else "█"
