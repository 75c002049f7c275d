"""Subdivides a polygon or a segment by a network, slowly, in rational numbers only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from slow_networks import Bent, Dense, Largest, Layer, Residual

Point = tuple[Fraction, ...]
Form = tuple[Fraction, ...]
"""An affine function of a point: its slopes, then its value at zero."""


@dataclass(frozen=True)
class Cell:
    """One cell: its corners in order, and each value of the network there as a form.

    ``pieces`` holds, fold by fold, the piece of each unit (counted from the left), or, of a
    max, its winners as bits. ``flat`` holds the units that are at a break in the whole cell.
    """

    corners: tuple[Point, ...]
    values: tuple[Form, ...]
    pieces: tuple[tuple[int, ...], ...] = ()
    flat: tuple[frozenset[int], ...] = ()

    @property
    def centre(self) -> Point:
        """A point inside."""
        n = len(self.corners)
        return tuple(sum(one, Fraction(0)) / n for one in zip(*self.corners, strict=True))

    @property
    def area(self) -> Fraction:
        """Its area; of a piece of a segment its length."""
        if len(self.corners[0]) == 1:
            return self.corners[1][0] - self.corners[0][0]
        twice = sum(p[0] * q[1] - p[1] * q[0] for p, q in _sides(self.corners))
        return Fraction(twice) / 2


def at(form: Form, point: Point) -> Fraction:
    """Return the form's value at a point."""
    return sum((a * x for a, x in zip(form, point, strict=False)), form[-1])


def minus(first: Form, second: Form) -> Form:
    """Return the difference of two forms."""
    return tuple(a - b for a, b in zip(first, second, strict=True))


def _sides(corners: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    return zip(corners, (*corners[1:], corners[0]), strict=True)


def halves(cell: Cell, form: Form) -> list[Cell]:
    """Return the cell cut where the form is 0: both parts, or the cell itself if it is uncut."""
    signs = [at(form, corner) for corner in cell.corners]
    if not min(signs) < 0 < max(signs):
        return [cell]
    below: list[Point] = []
    above: list[Point] = []
    following = (*signs[1:], signs[0])
    for (p, q), s, t in zip(_sides(cell.corners), signs, following, strict=True):
        if s <= 0:
            below.append(p)
        if s >= 0:
            above.append(p)
        if s * t < 0:
            met = tuple(a + (b - a) * s / (s - t) for a, b in zip(p, q, strict=True))
            below.append(met)
            above.append(met)
    if len(cell.corners[0]) == 1:  # both sides of a piece are the piece, once there and once back
        below, above = sorted(set(below)), sorted(set(above))
    return [replace(cell, corners=tuple(below)), replace(cell, corners=tuple(above))]


def subdivide(layers: Sequence[Layer], corners: Sequence[Sequence[Fraction | int]]) -> Subdivision:
    """Cut a convex polygon (corners counter-clockwise), or a segment ``[(t0,), (t1,)]``."""
    points = tuple(tuple(Fraction(one) for one in corner) for corner in corners)
    n = len(points[0])
    itself = tuple(tuple(Fraction(int(i == j)) for j in range(n + 1)) for i in range(n))
    return Subdivision(tuple(_followed([Cell(points, itself)], layers)))


def _followed(cells: list[Cell], layers: Sequence[Layer]) -> list[Cell]:
    for layer in layers:
        cells = [part for cell in cells for part in _through(cell, layer)]
    return cells


def _through(cell: Cell, layer: Layer) -> list[Cell]:
    match layer:
        case Dense():
            return [replace(cell, values=_mapped(layer, cell.values))]
        case Bent():
            return _bent(cell, layer)
        case Largest():
            return _largest(cell, layer.size)
        case Residual():
            return [
                replace(part, values=tuple(map(_plus, cell.values, part.values)))
                for part in _followed([cell], layer.body)
            ]


def _plus(first: Form, second: Form) -> Form:
    return tuple(a + b for a, b in zip(first, second, strict=True))


def _mapped(layer: Dense, values: tuple[Form, ...]) -> tuple[Form, ...]:
    columns = list(zip(*values, strict=True))
    found = []
    for row, bias in zip(layer.weight, layer.bias, strict=True):
        form = [
            sum((w * v for w, v in zip(row, column, strict=True) if w), Fraction(0))
            for column in columns
        ]
        form[-1] += bias
        found.append(tuple(form))
    return tuple(found)


def _bent(cell: Cell, layer: Bent) -> list[Cell]:
    parts = [cell]
    for value in cell.values:
        for one in layer.breaks:
            parts = [half for part in parts for half in halves(part, _shifted(value, one))]
    return [_activated(part, layer) for part in parts]


def _shifted(value: Form, by: Fraction) -> Form:
    return (*value[:-1], value[-1] - by)


def _activated(part: Cell, layer: Bent) -> Cell:
    inside = [at(value, part.centre) for value in part.values]
    pieces = tuple(sum(z > one for one in layer.breaks) for z in inside)
    flat = frozenset(j for j, z in enumerate(inside) if z in layer.breaks)
    values = []
    for value, index in zip(part.values, pieces, strict=True):
        slope, height = layer.piece(index)
        values.append((*(slope * one for one in value[:-1]), slope * value[-1] + height))
    return Cell(part.corners, tuple(values), (*part.pieces, pieces), (*part.flat, flat))


def _largest(cell: Cell, size: int) -> list[Cell]:
    parts = [replace(cell, pieces=(*cell.pieces, ()), flat=(*cell.flat, frozenset()))]
    for start in range(0, len(cell.values), size):
        rivals = cell.values[start : start + size]
        parts = [won for part in parts for won in _won(part, rivals)]
    return [replace(part, values=_winning(part.pieces[-1], cell.values, size)) for part in parts]


def _winning(wins: tuple[int, ...], values: tuple[Form, ...], size: int) -> tuple[Form, ...]:
    lowest = (bits & -bits for bits in wins)
    return tuple(values[size * i + one.bit_length() - 1] for i, one in enumerate(lowest))


def _won(part: Cell, rivals: tuple[Form, ...]) -> Iterator[Cell]:
    """Yield where each of the different rivals is the largest, if it is in a set with an area."""
    for rival in dict.fromkeys(rivals):
        kept: Cell | None = part
        for other in set(rivals) - {rival}:
            kept = _where_positive(kept, minus(rival, other))
        if kept is not None:
            winners = sum(1 << i for i, one in enumerate(rivals) if one == rival)
            yield replace(kept, pieces=(*kept.pieces[:-1], (*kept.pieces[-1], winners)))


def _where_positive(cell: Cell | None, form: Form) -> Cell | None:
    if cell is None:
        return None
    return next((half for half in halves(cell, form) if at(form, half.centre) > 0), None)


@dataclass(frozen=True)
class Subdivision:
    """The cells, and what can be counted of them."""

    cells: tuple[Cell, ...]

    @cached_property
    def vertices(self) -> tuple[Point, ...]:
        """Every corner of a cell, once."""
        return tuple(sorted({corner for cell in self.cells for corner in cell.corners}))

    @cached_property
    def edges(self) -> dict[frozenset[Point], list[int]]:
        """The numbers of the cells at each edge: an edge ends at every vertex that lies on it."""
        lines: dict[Form, set[Point]] = {}
        for cell in self.cells:
            for p, q in _sides(cell.corners):
                lines.setdefault(_line(p, q), set()).update((p, q))
        found: dict[frozenset[Point], list[int]] = {}
        for number, cell in enumerate(self.cells):
            for p, q in _sides(cell.corners):
                low, high = min(p, q), max(p, q)
                on_it = sorted(one for one in lines[_line(p, q)] if low <= one <= high)
                for edge in pairwise(on_it):
                    found.setdefault(frozenset(edge), []).append(number)
        return found

    @property
    def n_regions(self) -> int:
        """Connected unions of cells with one affine map: the linear regions."""
        leader = list(range(len(self.cells)))

        def led(i: int) -> int:
            while leader[i] != i:
                i = leader[i]
            return i

        for sides in self._neighbours():
            if len(sides) == 2 and self.cells[sides[0]].values == self.cells[sides[1]].values:
                leader[led(sides[0])] = led(sides[1])
        return len({led(i) for i in range(len(leader))})

    def _neighbours(self) -> Iterator[list[int]]:
        if len(self.cells[0].corners[0]) == 2:
            yield from self.edges.values()
            return
        order = sorted(range(len(self.cells)), key=lambda i: self.cells[i].corners)
        yield from (list(pair) for pair in pairwise(order))

    @property
    def points(self) -> list[Fraction]:
        """Of a segment: where its pieces begin and end."""
        return [point[0] for point in self.vertices]


def _line(p: Point, q: Point) -> Form:
    """Return the line through two points, written in one way only."""
    a, b = q[1] - p[1], p[0] - q[0]
    c = -(a * p[0] + b * p[1])
    scale = a or b
    return (a / scale, b / scale, c / scale)
