"""Where the knots of a broken line should lie, and how far it then is from the function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.errors import DataError

Reals = npt.NDArray[np.float64]
Function = Callable[[Reals], Reals]

DENSITY = 64
"""Parts of each piece at whose ends the error is measured; even, so that its middle is one."""

_STRIDE = 8
"""Second differences are taken over so many of these parts: fewer would drown in rounding."""

_FLOOR = 1e-3
"""Share of the mean density that no part of the interval falls below."""

_ROUNDS = 12
"""By then the knots hardly move."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A broken line beside its function on a grid of `DENSITY` parts per piece.

    ``grid``, ``truth`` (the function's values) and ``errors`` (line minus function) are
    ``(n, DENSITY + 1)``; row i is piece i.
    """

    knots: Reals
    values: Reals
    grid: Reals
    truth: Reals
    errors: Reals

    @property
    def worst(self) -> float:
        """The largest error found."""
        return float(np.abs(self.errors).max())

    def curvature(self) -> Reals:
        """The largest second difference quotient in each piece, ``(n,)``: an estimate of |f″|."""
        step = (self.grid[:, _STRIDE::_STRIDE] - self.grid[:, :-_STRIDE:_STRIDE])[:, :1]
        left, middle, right = (
            self.truth[:, start : DENSITY + 1 + stop]
            for start, stop in ((0, -2 * _STRIDE), (_STRIDE, -_STRIDE), (2 * _STRIDE, 0))
        )
        with np.errstate(over="ignore", divide="ignore"):
            bent = np.abs(left - 2 * middle + right).max(axis=1) / step[:, 0] ** 2
        return np.asarray(bent)


def fit(function: Function, knots: Reals) -> Fit:
    """Interpolate the function at the knots, and look at the error between them."""
    shares = np.arange(DENSITY + 1) / DENSITY
    grid = knots[:-1, None] + np.diff(knots)[:, None] * shares
    grid[:, -1] = knots[1:]
    inner = function(grid[:, :-1].ravel()).reshape(-1, DENSITY)
    last = function(knots[-1:])
    ends = np.append(inner[1:, 0], last)[:, None]
    truth = np.hstack([inner, ends])
    values = np.append(inner[:, 0], last)
    line = values[:-1, None] + (values[1:] - values[:-1])[:, None] * shares
    return Fit(knots, values, grid, truth, line - truth)


def even(low: float, high: float, pieces: int) -> Reals:
    """Knots at equal distances, ``(pieces + 1,)``."""
    knots = np.linspace(low, high, pieces + 1)
    if not (np.diff(knots) > 0).all():
        raise DataError(
            "the interval has no room for so many pieces",
            where="approximate(interval, pieces)",
            found=f"{pieces} pieces from {low!r} to {high!r}",
            do="ask for fewer pieces, or take a wider interval",
        )
    return knots


def adaptive(function: Function, low: float, high: float, pieces: int) -> Fit:
    """The fit with knots where they make the largest error small; never worse than even knots.

    For a smooth function the largest error is asymptotically least where all pieces have an
    equal share of the integral of sqrt(|f″|) (de Boor, A Practical Guide to Splines,
    chapter III). On one piece of length h the error e is about |f″| h² / 8, so that
    sqrt(e) / h stands for the density wanted there: knots are spread by it, again and again,
    and the best ones met are kept.
    """
    best = found = fit(function, even(low, high, pieces))
    for _ in range(_ROUNDS):
        knots = _spread(found)
        if not (np.diff(knots) > 0).all():
            break
        found = fit(function, knots)
        best = min(best, found, key=lambda one: one.worst)
    return best


def _spread(found: Fit) -> Reals:
    """Knots that share the integral of the density equally."""
    lengths = np.diff(found.knots)
    shares = np.sqrt(np.abs(found.errors).max(axis=1))
    total = shares.sum()
    if total == 0:
        return found.knots
    shares = shares / total + _FLOOR * lengths / lengths.sum()
    integral = np.concatenate([[0.0], np.cumsum(shares)])
    knots = np.interp(np.linspace(0, integral[-1], len(found.knots)), integral, found.knots)
    knots[[0, -1]] = found.knots[[0, -1]]
    return knots
