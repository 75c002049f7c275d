"""The corners of a convex polygon: checked exactly, counter-clockwise, none in mid-side."""

from __future__ import annotations

from fractions import Fraction
from typing import NoReturn

import numpy as np

from hinge.domains.checks import Reals, refused

_DO = "give the corners of a convex polygon in order, each once"
_LEAST = 3


def convex(vertices: Reals) -> Reals:
    """Return the corners of a convex polygon counter-clockwise, from the first on.

    ``vertices`` are finite, in order, either way round. Raises `DataError` unless they are
    ``(n, 2)``, three different points or more, and go once round a convex area.
    """
    _check_points(vertices)
    turns = _turns(vertices)
    outgoing = _headings(vertices)
    incoming = np.roll(outgoing, 1, axis=0)
    if not turns.any():
        _refuse("the polygon has no area", "all its corners are on one line")
    if (incoming != outgoing)[turns == 0].any():
        _refuse("the polygon is not convex", "a side that runs back along itself")
    if len(np.unique(turns[turns != 0])) > 1:
        _refuse("the polygon is not convex", "turns to the left and to the right")
    corners: Reals = vertices[turns != 0]
    if turns.sum() < 0:
        corners = np.concatenate([corners[:1], corners[:0:-1]])
    rounds = _rounds(corners)
    if rounds != 1:
        _refuse("the polygon crosses itself", f"sides that go round {rounds} times")
    corners.flags.writeable = False
    return corners


def _check_points(vertices: Reals) -> None:
    if vertices.ndim != 2 or vertices.shape[1] != 2 or len(vertices) < _LEAST:  # noqa: PLR2004 - a plane
        found = f"shape {vertices.shape}"
        _refuse("these are not the corners of a polygon", found, "give three corners or more")
    seen: set[tuple[float, ...]] = set()
    for corner in map(tuple, vertices.tolist()):
        if corner in seen:
            _refuse("two corners of the polygon are equal", f"{corner} twice")
        seen.add(corner)


def _turns(vertices: Reals) -> Reals:
    """At each vertex: 1 where the sides turn left, -1 where right, 0 where they do neither."""
    exact = [(Fraction(x), Fraction(y)) for x, y in vertices.tolist()]
    signs = []
    for (px, py), (x, y), (qx, qy) in zip(
        [exact[-1], *exact[:-1]], exact, [*exact[1:], exact[0]], strict=True
    ):
        turn = (x - px) * (qy - y) - (y - py) * (qx - x)
        signs.append((turn > 0) - (turn < 0))
    return np.array(signs, dtype=np.float64)


def _headings(vertices: Reals) -> Reals:
    """The signs of each side's direction; two parallel sides agree in them or are opposed."""
    with np.errstate(over="ignore"):
        return np.asarray(np.sign(np.roll(vertices, -1, axis=0) - vertices))


def _rounds(corners: Reals) -> int:
    """How often the sides of a polygon that only turns left go round."""
    right, up = _headings(corners).T
    rising = (up > 0) | ((up == 0) & (right > 0))
    return int(np.count_nonzero(rising & ~np.roll(rising, 1)))


def _refuse(what: str, found: str, do: str = _DO) -> NoReturn:
    raise refused(what, "Polygon", found, do)
