"""Domains of one and two dimensions: a segment, a polygon, a part of a plane of inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from hinge.domains.checks import (
    Numbers,
    Reals,
    combined,
    coordinates,
    difference,
    finite,
    fitting,
    kept,
    ordered,
    parallel,
    refused,
)
from hinge.domains.convex import convex

_SQUARE = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
_TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Segment:
    """The inputs from ``a`` to ``b``, two different points of one shape: ``a + c (b - a)``.

    Its own coordinate ``c`` runs from 0 to 1. The direction ``b - a`` is rounded to float64.
    Raises `DataError` where ``a`` and ``b`` are equal, of two shapes, or not finite.

    >>> Segment([0.0, 1.0], [2.0, 1.0]).point([[0.0], [0.25]])
    array([[0. , 1. ],
           [0.5, 1. ]])
    """

    a: Reals
    b: Reals

    def __init__(self, a: Numbers, b: Numbers) -> None:
        start, end = kept("Segment", a=a, b=b)
        direction = difference("Segment", end, start)
        if not direction.any():
            raise refused("the two ends are equal", "Segment", "one point twice", "give two points")
        object.__setattr__(self, "a", start)
        object.__setattr__(self, "b", end)

    dimension = 1

    @property
    def corners(self) -> Reals:
        """The two ends in its own coordinate: ``(2, 1)``, 0 and 1."""
        return np.array([[0.0], [1.0]])

    def embedding(self, input_shape: Iterable[int]) -> tuple[Reals, Reals]:
        """Return ``(matrix (n_in, 1), origin (n_in,))``, so that ``x = matrix @ c + origin``.

        Raises `DataError` if inputs of ``input_shape`` are not of its points' shape.
        """
        fitting("Segment", self.a.shape, tuple(input_shape))
        return (self.b - self.a).reshape(-1, 1), self.a.reshape(-1)

    def point(self, c: Numbers) -> Reals:
        """Return the inputs ``(..., *shape of a)`` at coordinates ``(..., 1)``."""
        return combined(coordinates("Segment.point", c, 1), self.a, (self.b - self.a,))


@dataclass(frozen=True, eq=False)
class Polygon:
    """A convex polygon in the plane of the inputs of a network that has two of them.

    ``vertices`` ``(n, 2)`` are its corners in order, either way round. ``corners`` has them
    counter-clockwise and begins with the first; one in the middle of a side is left out.
    Raises `DataError` for fewer than three corners, equal ones, a polygon that is not convex,
    crosses itself or has no area, and numbers that are not finite.

    >>> Polygon([[0, 0], [0, 2], [2, 2], [2, 1], [2, 0]]).corners.tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]
    """

    corners: Reals

    def __init__(self, vertices: Numbers) -> None:
        object.__setattr__(self, "corners", convex(finite(vertices, "Polygon", "vertices")))

    dimension = 2

    @classmethod
    def rectangle(cls, lower: Numbers, upper: Numbers) -> Polygon:
        """Return the rectangle between two opposite corners, two numbers each.

        >>> Polygon.rectangle([-1, 0], [1, 2]).corners.tolist()
        [[-1.0, 0.0], [1.0, 0.0], [1.0, 2.0], [-1.0, 2.0]]
        """
        low, high = kept("Polygon.rectangle", lower=lower, upper=upper)
        if low.shape != (2,):
            found = f"shape {low.shape}"
            raise refused(
                "a rectangle lies in two dimensions",
                "Polygon.rectangle",
                found,
                "give two bounds each",
            )
        ordered("Polygon.rectangle", low, high)
        (left, bottom), (right, top) = low.tolist(), high.tolist()
        return cls([(left, bottom), (right, bottom), (right, top), (left, top)])

    def embedding(self, input_shape: Iterable[int]) -> tuple[Reals, Reals]:
        """Return the identity ``(2, 2)`` and zeros ``(2,)``: its coordinates are the inputs.

        Raises `DataError` if an input of ``input_shape`` is not two numbers.
        """
        shape = tuple(input_shape)
        if prod(shape) != len(self.corners[0]):
            found = f"inputs of shape {shape}"
            raise refused(
                "a polygon is for networks of two inputs", "Polygon", found, "take a Plane"
            )
        return np.eye(2), np.zeros(2)

    def point(self, c: Numbers) -> Reals:
        """Return the inputs ``(..., 2)`` at coordinates ``(..., 2)``: the same numbers."""
        return coordinates("Polygon.point", c, 2)


@dataclass(frozen=True, eq=False)
class Plane:
    """A part of the plane ``origin + s u + t v``, whose own coordinates are ``(s, t)``.

    ``origin``, ``u`` and ``v`` have one shape, that of an input. ``polygon`` says which part:
    a `Polygon`, or its corners ``(n, 2)``, in the plane's coordinates; ``[-1, 1]^2`` unless
    given. Raises `DataError` where ``u`` and ``v`` are parallel, shapes differ, or numbers
    are not finite.
    """

    origin: Reals
    u: Reals
    v: Reals
    polygon: Polygon

    def __init__(
        self, origin: Numbers, u: Numbers, v: Numbers, polygon: Polygon | Numbers = None
    ) -> None:
        start, first, second = kept("Plane", origin=origin, u=u, v=v)
        if parallel(zip(first.flat, second.flat, strict=True)):
            do = "choose two directions that are not parallel"
            raise refused("u and v span no plane", "Plane", "parallel directions", do)
        part = Polygon(_SQUARE) if polygon is None else polygon
        object.__setattr__(self, "origin", start)
        object.__setattr__(self, "u", first)
        object.__setattr__(self, "v", second)
        object.__setattr__(self, "polygon", part if isinstance(part, Polygon) else Polygon(part))

    dimension = 2

    @classmethod
    def through(cls, x1: Numbers, x2: Numbers, x3: Numbers, margin: float = 0.0) -> Plane:
        """Return the triangle of three inputs: ``x1`` at (0, 0), ``x2`` at (1, 0), ``x3`` at (0, 1).

        The directions ``x2 - x1`` and ``x3 - x1`` are rounded to float64. ``margin`` moves
        the corners away from their centroid by that share of the distance. Raises
        `DataError` if the three lie on one line.

        >>> Plane.through([0, 0, 1], [2, 0, 1], [0, 4, 1]).point([0.5, 0.5])
        array([1., 2., 1.])
        """  # noqa: E501 - one sentence
        where = "Plane.through"
        first, second, third = kept(where, x1=x1, x2=x2, x3=x3)
        if parallel(
            (Fraction(q) - Fraction(p), Fraction(r) - Fraction(p))
            for p, q, r in zip(first.flat, second.flat, third.flat, strict=True)
        ):
            do = "choose three inputs that are not on one line"
            raise refused("the three inputs span no plane", where, "they lie on one line", do)
        if not 0 <= margin < float("inf"):
            raise refused("the margin means nothing", where, f"{margin}", "give 0 or more")
        corners = np.array(_TRIANGLE)
        if margin:
            centroid = corners.mean(axis=0)
            corners = centroid + (1 + margin) * (corners - centroid)
        u, v = (difference(where, other, first) for other in (second, third))
        return cls(first, u, v, Polygon(corners))

    @property
    def corners(self) -> Reals:
        """The corners of its polygon, ``(n, 2)``, counter-clockwise, in its own coordinates."""
        return self.polygon.corners

    def embedding(self, input_shape: Iterable[int]) -> tuple[Reals, Reals]:
        """Return ``(matrix (n_in, 2), origin (n_in,))``, so that ``x = matrix @ c + origin``.

        Raises `DataError` if inputs of ``input_shape`` are not of its origin's shape.
        """
        fitting("Plane", self.origin.shape, tuple(input_shape))
        return np.stack([self.u.reshape(-1), self.v.reshape(-1)], axis=1), self.origin.reshape(-1)

    def point(self, c: Numbers) -> Reals:
        """Return the inputs ``(..., *shape of origin)`` at coordinates ``(..., 2)``."""
        return combined(coordinates("Plane.point", c, 2), self.origin, (self.u, self.v))
