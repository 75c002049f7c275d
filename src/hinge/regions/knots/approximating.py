"""`approximate`: a function of one variable becomes a network of one hidden layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hinge.errors import DataError, HingeError, OptionError
from hinge.regions.knots.approximation import Approximation
from hinge.regions.knots.network import Beyond, from_knots, hinge_weights, rounding_bound
from hinge.regions.knots.placement import Fit, Function, adaptive, even, fit

Reals = npt.NDArray[np.float64]

MOST_PIECES = 2**20


def approximate(
    f: Callable[[Any], Any],
    interval: tuple[float, float],
    pieces: int = 16,
    *,
    knots: Literal["even", "adaptive"] = "adaptive",
    values: Literal["interpolate", "balanced"] = "interpolate",
    second_derivative: float | None = None,
    beyond: Beyond = "linear",
) -> Approximation:
    """Return a ReLU network of one hidden layer that is close to ``f`` on an interval.

    It is a broken line with ``pieces`` pieces, its kinks exactly at the knots: see
    `hinge.from_knots`, which also says what ``beyond`` does.

    Parameters
    ----------
    f
        Takes a float64 array ``(N,)`` and returns one, or takes and returns a float.
    interval
        Its two ends, ascending.
    pieces
        How many, at least 1.
    knots
        ``"even"``: at equal distances. ``"adaptive"``: where they make the largest error
        small, dense where ``f`` bends; never worse than even ones.
    values
        ``"interpolate"``: the line meets ``f`` at the knots. ``"balanced"``: it is shifted so
        that it errs as far above as below, which halves the error of a convex function.
    second_derivative
        A number that |f″| exceeds nowhere in the interval. With it `Approximation.bound`
        holds; without it the bound is an estimate and says so.

    Raises
    ------
    DataError
        ``f`` fails, returns arrays of another shape, or values that are not finite; the
        interval is no interval, or has no room for the pieces.
    OptionError
        An option means nothing.

    Notes
    -----
    Between knots at distance h the error is at most max|f″| h² / 8 (de Boor, A Practical
    Guide to Splines, chapter III). So it falls with the square of ``pieces``; a best placing
    of n + 1 knots makes it about (∫ sqrt|f″|)² / (8 n²) for smooth f.

    >>> found = approximate(lambda x: x * x, (0.0, 1.0), pieces=8, second_derivative=2.0)
    >>> found.bound, found.measured, found.network.n_units
    (0.00390625, 0.00390625, 9)
    """
    low, high = _interval(interval)
    _check_options(pieces, knots, values, second_derivative)
    function = _on_arrays(f)
    if knots == "even":
        found = fit(function, even(low, high, pieces))
    else:
        found = adaptive(function, low, high, pieces)
    shift = _middle(found) if values == "balanced" else 0.0
    heights = found.values - shift
    network = from_knots(found.knots, heights, beyond=beyond)
    errors = found.errors - shift
    bound, estimated = _bound(found, shift, second_derivative)
    worst = np.unravel_index(int(np.argmax(np.abs(errors))), errors.shape)
    return Approximation(
        network=network,
        knots=found.knots,
        values=heights,
        bound=bound,
        bound_is_estimate=estimated,
        measured=float(np.abs(errors[worst])),
        measured_at=float(found.grid[worst]),
        rounding=rounding_bound(found.knots, heights, hinge_weights(found.knots, heights)),
        placing=knots,
        fitting=values,
        grid=np.append(found.grid[:, :-1].ravel(), high),
        truth=np.append(found.truth[:, :-1].ravel(), found.values[-1]),
    )


def _bound(found: Fit, shift: float, largest: float | None) -> tuple[float, bool]:
    """The bound of the error, and whether it is an estimate.

    A convex or a concave function errs to one side; shifting by half the way takes the
    shift off the bound. Whether it is one is only seen on the grid.
    """
    squares = np.diff(found.knots) ** 2 / 8
    one_sided = found.errors.min() >= 0 or found.errors.max() <= 0
    rest = -abs(shift) if one_sided else abs(shift)
    if largest is not None:
        return float(largest * squares.max()) + rest, bool(shift) and bool(one_sided)
    estimate = float((found.curvature() * squares).max()) + rest
    return max(estimate, float(np.abs(found.errors - shift).max())), True


def _middle(found: Fit) -> float:
    return float(found.errors.max() / 2 + found.errors.min() / 2)


def _on_arrays(f: Callable[[Any], Any]) -> Function:
    """``f`` on an array of any length: in one call where it can, else point by point."""

    def values(x: Reals) -> Reals:
        with np.errstate(all="ignore"):
            found = _all_at_once(f, x)
            if found is None:
                found = np.array([_at(f, one) for one in x.tolist()])
        if not np.isfinite(found).all():
            at = int(np.argmin(np.isfinite(found)))
            raise DataError(
                "the function is not finite everywhere",
                where=f"f({x[at]!r})",
                found=f"{found[at]}",
                do="take an interval on which it is finite",
            )
        return found

    return values


def _all_at_once(f: Callable[[Any], Any], x: Reals) -> Reals | None:
    """The values in one call; None if ``f`` takes or returns single floats."""
    try:
        found = np.asarray(f(x.copy()))
    except HingeError:
        raise
    except Exception:  # noqa: BLE001 # the function is the user's; it is tried on floats next
        return None
    if found.shape == () and found.dtype.kind in "biuf":
        return None
    if found.shape != x.shape or found.dtype.kind not in "biuf":
        raise DataError(
            "the function returns something else than one real number per point",
            where=f"f on an array of shape {x.shape}",
            found=f"shape {found.shape}, dtype {found.dtype}",
            do="return an array of the shape of the argument, or a float for a float",
        )
    return found.astype(np.float64)


def _at(f: Callable[[Any], Any], x: float) -> float:
    try:
        found = f(x)
        value = float(found) if np.ndim(found) == 0 else None
    except HingeError:
        raise
    except Exception as error:
        raise DataError(
            "the function cannot be evaluated",
            where=f"f({x!r})",
            found=f"{type(error).__name__}: {error}",
            do="pass a function of a float or of a NumPy array, defined on the interval",
        ) from error
    if value is None:
        raise DataError(
            "the function returns something else than one real number per point",
            where=f"f({x!r})",
            found=f"shape {np.shape(found)}",
            do="return a float for a float",
        )
    return value


def _interval(given: tuple[float, float]) -> tuple[float, float]:
    try:
        low, high = map(float, given)
    except (TypeError, ValueError) as error:
        raise DataError(
            "an interval has two ends",
            where="approximate(interval=...)",
            found=repr(given),
            do="pass two floats, such as (0.0, 1.0)",
        ) from error
    if not (low < high and math.isfinite(high - low)):
        raise DataError(
            "the interval is upside down, empty or not finite",
            where="approximate(interval=...)",
            found=f"from {low} to {high}",
            do="pass two finite floats, the smaller one first",
        )
    return low, high


def _check_options(pieces: int, knots: str, values: str, largest: float | None) -> None:
    whole = isinstance(pieces, (int, np.integer)) and not isinstance(pieces, bool)
    complaints = (
        (
            not whole or not 1 <= pieces <= MOST_PIECES,
            "pieces",
            pieces,
            f"an integer from 1 to {MOST_PIECES:,}",
        ),
        (knots not in ("even", "adaptive"), "knots", knots, "'even' or 'adaptive'"),
        (
            values not in ("interpolate", "balanced"),
            "values",
            values,
            "'interpolate' or 'balanced'",
        ),
        (
            largest is not None and not 0 <= largest < math.inf,
            "second_derivative",
            largest,
            "a finite bound of |f″|, not below 0",
        ),
    )
    for wrong, name, found, wanted in complaints:
        if wrong:
            raise OptionError(
                "the option has a value that means nothing",
                where=f"approximate({name}=...)",
                found=repr(found),
                do=f"pass {wanted}",
            )
