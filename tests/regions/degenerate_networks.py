"""Small networks and polygons of small integers, drawn at random: they meet every degeneracy."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import strategies as st
from slow_networks import ACTIVATIONS, Largest, Layer, Layers, Residual, dense

Corner = tuple[int, int]
Pick = Callable[[int, int], int]
"""Chooses an integer from the first to the second, both included."""


@st.composite
def networks(draw: st.DrawFn, n_inputs: int = 2) -> Layers:
    """Draw 1 to 3 layers of 1 to 5 units; what fails is made as simple as can be."""
    return _network(lambda low, high: draw(st.integers(low, high)), n_inputs, smallest=1)


def rich_network(seed: int, n_inputs: int = 2) -> Layers:
    """Return 1 to 3 layers of 4 or 5 units, which have many more cells than those of `networks`."""
    pick = random.Random(seed).randint  # noqa: S311 - no secret
    return _network(pick, n_inputs, smallest=4)


def _network(pick: Pick, n_inputs: int, smallest: int) -> Layers:
    """Weights from -2 to 2: equal, parallel and concurrent creases, zero rows, flat units."""
    layers: list[Layer] = []
    size = n_inputs
    for _ in range(pick(1, 3)):
        made, size = _block(pick, size, pick(smallest, 5))
        layers += made
    return (*layers, _dense(pick, size, pick(1, 2)))


def _block(pick: Pick, size: int, inner: int) -> tuple[list[Layer], int]:
    bent = ACTIVATIONS[pick(0, len(ACTIVATIONS) - 1)]
    match pick(0, 5):
        case 4:
            window = pick(2, 3)
            return [_dense(pick, size, 2 * window), Largest(window)], 2
        case 5:
            return [Residual((_dense(pick, size, inner), bent, _dense(pick, inner, size)))], size
        case _:
            return [_dense(pick, size, inner), bent], inner


def _dense(pick: Pick, before: int, after: int) -> Layer:
    weight = [[pick(-2, 2) for _ in range(before)] for _ in range(after)]
    return dense(weight, [pick(-2, 2) for _ in range(after)])


@st.composite
def polygons(draw: st.DrawFn) -> tuple[Corner, ...]:
    """Draw a convex polygon with integer corners, counter-clockwise, no three on a line."""
    grid = st.tuples(st.integers(-3, 3), st.integers(-3, 3))
    points = st.lists(grid, min_size=3, max_size=7, unique=True)
    return draw(points.map(hull).filter(lambda corners: len(corners) > 2))


def hull(points: list[Corner]) -> tuple[Corner, ...]:
    """Return the corners of the convex hull (Andrew's monotone chain)."""
    lower, upper = _chain(sorted(points)), _chain(sorted(points, reverse=True))
    return (*lower[:-1], *upper[:-1])


def _chain(points: list[Corner]) -> list[Corner]:
    kept: list[Corner] = []
    for point in points:
        while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
            kept.pop()
        kept.append(point)
    return kept


def _turn(p: Corner, q: Corner, r: Corner) -> int:
    return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
