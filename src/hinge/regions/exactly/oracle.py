"""Exact signs of forms at the vertices of a subdivision, for those that floats cannot decide."""

from __future__ import annotations

from collections import OrderedDict
from math import gcd
from threading import Lock

import numpy as np
import numpy.typing as npt

from hinge.regions.exactly.integers import whole
from hinge.regions.exactly.rational import ExactProgram, Run
from hinge.regions.programs.program import Indices, Program, Reals

MOST_POINTS = 200_000
"""Vertices whose positions are remembered from call to call."""

MOST_NUMBERS = 1_000_000
"""Exact values that are remembered, all vertices together."""

_Point = tuple[int, ...]
"""Coordinates and, last, their denominator, which is positive; without a common factor."""


class Oracle:
    """Knows vertices by how they came to be, and tells the signs of forms there.

    ``corners`` ``(n, d)`` float64 are those of the domain, in its own coordinates. Calls from
    several threads wait for each other.
    """

    def __init__(self, program: Program, corners: Reals) -> None:
        self.exact = ExactProgram(program)
        self._folds = program.folds
        numbers, shift = whole(np.asarray(corners, np.float64))
        self._corners = [_reduced((*row, 1 << shift)) for row in numbers.tolist()]
        self._lock = Lock()
        self._points: dict[int, _Point] = {}
        self._runs: OrderedDict[int, Run] = OrderedDict()
        self._most_runs = max(16, MOST_NUMBERS // sum(program.widths))

    def signs(self, births: Indices, wanted: Indices) -> npt.NDArray[np.int8]:
        """Return the signs of all forms of folds at vertices.

        ``births`` ``(n, 5)`` int64, parents before children: a row (id, a, b, fold, form) is the
        point between the vertices a and b at which the form is 0, where it has unlike signs at
        these; with fold -1 it is corner a of the domain. ``wanted`` ``(k, 2)`` int64: rows
        (id, fold). The result is int8, -1, 0 or 1: row by row, the fold's forms in order.
        Vertices of earlier calls need not be born again as long as they are remembered.
        """
        with self._lock:
            for vertex, a, b, fold, form in births.tolist():
                if vertex not in self._points:
                    self._points[vertex] = (
                        self._corners[a] if fold < 0 else self._crossing(a, b, fold, form)
                    )
            found = [
                _signs(self._run(vertex).forms(self._folds[fold]))
                for vertex, fold in wanted.tolist()
            ]
            self._forget()
        return np.concatenate(found) if found else np.zeros(0, np.int8)

    def point(self, vertex: int) -> _Point:
        """Return a vertex's coordinates and, last, their denominator."""
        return self._points[vertex]

    def _crossing(self, a: int, b: int, fold: int, form: int) -> _Point:
        """Where an affine function that is z at a and w at b is 0: w and z swap as weights."""
        first, second = self._run(a), self._run(b)
        z, w = first.form(self._folds[fold], form), second.form(self._folds[fold], form)
        pairs = zip(self._points[a], self._points[b], strict=True)
        return _reduced(tuple(z * there - w * here for here, there in pairs))

    def _run(self, vertex: int) -> Run:
        run = self._runs.get(vertex)
        if run is None:
            *coordinates, denominator = self._points[vertex]
            run = self._runs[vertex] = self.exact.run(coordinates, denominator)
            if len(self._runs) > self._most_runs:
                self._runs.popitem(last=False)
        else:
            self._runs.move_to_end(vertex)
        return run

    def _forget(self) -> None:
        """Drop the oldest points; a later call brings them again with its births."""
        for vertex in list(self._points)[: max(0, len(self._points) - MOST_POINTS)]:
            del self._points[vertex]


def _reduced(point: _Point) -> _Point:
    """Return the point without a common factor and with a positive denominator.

    Raises `ZeroDivisionError` where a form had the same value at both ends of an edge.
    """
    factor = gcd(*point) if point[-1] > 0 else -gcd(*point)
    if not point[-1]:
        raise ZeroDivisionError("a form has the same value at both ends of an edge that it cuts")
    return tuple(one // factor for one in point)


def _signs(values: npt.NDArray[np.object_]) -> npt.NDArray[np.int8]:
    return (values > 0).astype(np.int8) - (values < 0).astype(np.int8)
