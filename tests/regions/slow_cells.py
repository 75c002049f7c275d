"""A subdivision in fractions, cell by cell: slow, plain, and exact. For small tests only."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from hinge.regions.cutting.mesh import Mesh
from hinge.regions.programs.program import Bend, Fold, Join, Larger, Linear, Program, Total

Point = tuple[Fraction, Fraction]
Form = tuple[Fraction, Fraction, Fraction]
"""a, b and c of a * x + b * y + c."""


@dataclass
class Piece:
    """A convex polygon, the affine forms of each buffer on it, and the signs met so far."""

    corners: list[Point]
    buffers: dict[int, list[Form]]
    signs: dict[int, int] = field(default_factory=dict)
    forms: dict[int, Form] = field(default_factory=dict)


def at(form: Form, point: Point) -> Fraction:
    """The form's value there."""
    return form[0] * point[0] + form[1] * point[1] + form[2]


def subdivide(program: Program, corners: list[tuple[float, float]]) -> Mesh:
    """Follow the program over a convex polygon, counter-clockwise corners given."""
    outline = [(Fraction(x), Fraction(y)) for x, y in corners]
    one, zero = Fraction(1), Fraction(0)
    pieces = [Piece(outline, {0: [(one, zero, zero), (zero, one, zero)]})]
    fold = 0
    for operation in program.operations:
        if isinstance(operation, Fold):
            base = program.first_words[fold] * 64
            fold += 1
            pairs = zip(operation.columns.tolist(), operation.breaks.tolist(), strict=True)
            for number, (column, place) in enumerate(pairs):
                pieces = [
                    part
                    for piece in pieces
                    for part in _cut(piece, base + number, operation.source, column, place)
                ]
        else:
            for piece in pieces:
                piece.buffers[operation.target] = _value(operation, piece)
    return _mesh(pieces, outline, program.first_words[-1])


def _cut(piece: Piece, mark: int, source: int, column: int, place: float) -> list[Piece]:
    a, b, c = piece.buffers[source][column]
    form = (a, b, c - Fraction(place))
    values = [at(form, corner) for corner in piece.corners]
    found = []
    for sign in (1, -1):
        if any(value * sign > 0 for value in values):
            kept = _half(piece.corners, [value * sign for value in values])
            found.append(_part(piece, kept, mark, sign, form))
    return found or [_part(piece, piece.corners, mark, 0, form)]


def _part(piece: Piece, corners: list[Point], mark: int, sign: int, form: Form) -> Piece:
    signs, forms = {**piece.signs, mark: sign}, {**piece.forms, mark: form}
    return replace(piece, corners=corners, signs=signs, forms=forms, buffers=dict(piece.buffers))


def _half(corners: list[Point], values: list[Fraction]) -> list[Point]:
    kept = []
    for i, (here, value) in enumerate(zip(corners, values, strict=True)):
        before, earlier = corners[i - 1], values[i - 1]
        if value * earlier < 0:
            t = earlier / (earlier - value)
            kept.append(tuple(p + t * (q - p) for p, q in zip(before, here, strict=True)))
        if value >= 0:
            kept.append(here)
    return kept


def _value(operation: Linear | Total | Join | Bend | Larger, piece: Piece) -> list[Form]:
    n = len(piece.corners)
    middle = tuple(sum(corner[axis] for corner in piece.corners) / n for axis in (0, 1))
    match operation:
        case Linear():
            matrix = operation.matrix
            rows = (matrix if isinstance(matrix, np.ndarray) else matrix.toarray()).tolist()
            source = piece.buffers[operation.source]
            biases = operation.bias.tolist()
            return [_sum(row, source, bias) for row, bias in zip(rows, biases, strict=True)]
        case Total():
            columns = zip(*(piece.buffers[source] for source in operation.sources), strict=True)
            return [_sum([1.0] * len(column), column, 0.0) for column in columns]
        case Join():
            return [form for source in operation.sources for form in piece.buffers[source]]
        case Larger():
            source = piece.buffers[operation.source]
            pairs = zip(operation.first.tolist(), operation.second.tolist(), strict=True)
            return [max(source[i], source[j], key=lambda form: at(form, middle)) for i, j in pairs]
        case Bend():
            forms = piece.buffers[operation.source]
            return [_bent(operation, j, form, middle) for j, form in enumerate(forms)]


def _bent(bend: Bend, j: int, form: Form, middle: Point) -> Form:
    breaks, slopes = map(Fraction, bend.breaks[j]), [Fraction(s) for s in bend.slopes[j]]
    steps = list(breaks)
    number = sum(at(form, middle) > step for step in steps)
    height = Fraction(bend.heights[j])
    for i in range(1, number):
        height += slopes[i] * (steps[i] - steps[i - 1])
    anchor = steps[max(number - 1, 0)]
    slope = slopes[number]
    return slope * form[0], slope * form[1], slope * (form[2] - anchor) + height


def _sum(row, source, bias: float) -> Form:
    weights = [Fraction(weight) for weight in row]
    total = [sum(w * form[k] for w, form in zip(weights, source, strict=True)) for k in range(3)]
    return total[0], total[1], total[2] + Fraction(bias)


def _between(start: Point, end: Point, point: Point) -> Fraction | None:
    """How far along the open side the point lies; None where it lies elsewhere."""
    along = (end[0] - start[0], end[1] - start[1])
    off = (point[0] - start[0], point[1] - start[1])
    if along[0] * off[1] != along[1] * off[0]:
        return None
    length = along[0] * along[0] + along[1] * along[1]
    share = (along[0] * off[0] + along[1] * off[1]) / length
    return share if 0 < share < 1 else None


def _mesh(pieces: list[Piece], outline: list[Point], n_words: int) -> Mesh:
    points = sorted({corner for piece in pieces for corner in piece.corners})
    number = {point: i for i, point in enumerate(points)}
    edges: dict[tuple[int, int], int] = {}
    beside: dict[int, list[Piece]] = {}
    offsets, sides = [0], []
    for piece in pieces:
        for i, start in enumerate(piece.corners):
            end = piece.corners[(i + 1) % len(piece.corners)]
            found = [(share, p) for p in points if (share := _between(start, end, p)) is not None]
            stops = [start, *(p for _, p in sorted(found)), end]
            for u, v in itertools.pairwise(stops):
                pair = (number[u], number[v])
                if pair[::-1] in edges:
                    edge = edges[pair[::-1]]
                    sides.append(2 * edge + 1)
                else:
                    edge = edges.setdefault(pair, len(edges))
                    sides.append(2 * edge)
                beside.setdefault(edge, []).append(piece)
        offsets.append(len(sides))
    sets: dict[tuple[int, ...], int] = {}
    ends = {edge: (points[u], points[v]) for (u, v), edge in edges.items()}
    labels = [
        sets.setdefault(_marks(ends[edge], beside[edge], outline), len(sets))
        for edge in range(len(edges))
    ]
    patterns = np.zeros((len(pieces), n_words), np.uint64)
    flat = []
    for i, piece in enumerate(pieces):
        for mark, sign in piece.signs.items():
            if sign > 0:
                patterns[i, mark // 64] |= np.uint64(1 << (mark % 64))
            if sign == 0:
                flat.append((i, mark))
    return Mesh(
        np.array([[float(x), float(y)] for x, y in points]),
        np.array(list(edges), np.int32),
        np.array(labels, np.int32),
        tuple(sets),
        np.array(offsets, np.int64),
        np.array(sides, np.int32),
        patterns,
        np.array(flat, np.int32).reshape(-1, 2),
    )


def _marks(ends: tuple[Point, Point], beside: list[Piece], outline: list[Point]) -> tuple[int, ...]:
    marks = set()
    for piece in beside:
        for mark, form in piece.forms.items():
            if piece.signs[mark] and not at(form, ends[0]) and not at(form, ends[1]):
                marks.add(mark)
    if len(beside) == 1:
        for i, corner in enumerate(outline):
            last = outline[(i + 1) % len(outline)]
            inner = [p for p in ends if _between(corner, last, p) is None]
            if all(point in (corner, last) for point in inner):
                marks.add(-1 - i)
    return tuple(sorted(marks))
