"""The network of one hidden layer that is a given broken line: knots become kinks."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from hinge.activations import relu
from hinge.errors import DataError, OptionError
from hinge.network import Dense, Network
from hinge.network.building.builder import Builder, Call

Reals = npt.NDArray[np.float64]
Beyond = Literal["linear", "constant", "fewest"]

UNIT = 2.0**-53
"""Half the distance from 1 to the next float64: the largest relative error of a rounding."""


def from_knots(x: npt.ArrayLike, y: npt.ArrayLike, *, beyond: Beyond = "linear") -> Network:
    """Return the network that joins the points (x[i], y[i]) by straight lines.

    With n pieces, that is n + 1 knots, it has one hidden layer of n units, unit i being
    ``relu(input - x[i])`` with the change of slope at x[i] as its outgoing weight, and one
    unit more unless ``beyond`` is ``"fewest"``. Weights are float64, input and output
    ``(N, 1)``.

    *Exactness.* The kinks are the knots, to the bit: the weight 1 and the bias ``-x[i]`` are
    exact, and a float64 difference has the right sign. The outgoing weights are found in
    rational arithmetic, one after the other, each making good for the rounding of those
    before: in real arithmetic the network differs from ``y[i + 1]`` by at most
    ``2**-53 * |weight i| * (x[i + 1] - x[i])``. What running it in float64 adds is bounded by
    `rounding_bound`.

    Parameters
    ----------
    x, y
        ``(n + 1,)`` floats; ``x`` ascends, without repetition.
    beyond
        What the network does outside of ``[x[0], x[-1]]``: ``"linear"`` goes on as the first
        and the last piece do; ``"constant"`` keeps the values at the ends (its slope is 0 to
        rounding); ``"fewest"`` saves the unit that both of them need and is constant on the
        left, linear on the right.

    Raises
    ------
    DataError
        The arrays do not fit together, or hold values that are not finite; a knot is
        repeated or out of order; a slope is too steep for a float64.
    OptionError
        ``beyond`` is none of the three.

    >>> hat = from_knots([0, 1, 2], [0, 1, 0])
    >>> hat(np.array([[0.0], [0.5], [1.0], [1.75], [3.0]])).ravel().tolist()
    [0.0, 0.5, 1.0, 0.25, -1.0]
    """
    if beyond not in ("linear", "constant", "fewest"):
        raise OptionError(
            "there is no such way to go on beyond the knots",
            where="from_knots(beyond=...)",
            found=repr(beyond),
            do="pass 'linear', 'constant' or 'fewest'",
        )
    knots, values = checked_knots(x, y)
    weights = hinge_weights(knots, values)
    inward, shifts, outward = np.ones(len(weights)), -knots[:-1], weights
    if beyond == "linear":
        inward, shifts = np.append(inward, -1.0), np.append(shifts, knots[0])
        outward = np.append(outward, -weights[0])
    elif beyond == "constant":
        last_slope = sum(map(Fraction, weights.tolist()), Fraction(0))
        inward, shifts = np.append(inward, 1.0), np.append(shifts, -knots[-1])
        outward = np.append(outward, -float(last_slope))
    return _network(inward, shifts, outward, float(values[0]))


def rounding_bound(knots: Reals, values: Reals, weights: Reals) -> float:
    """By how much `from_knots`, run in float64 on the interval, may differ from the line.

    The errors of n + 4 roundings in whatever order (Higham, Accuracy and Stability of
    Numerical Algorithms, section 3.1), where the terms are largest: at the right end; and
    those of the stored weights.
    """
    terms = abs(float(values[0])) + float(np.abs(weights) @ (knots[-1] - knots[:-1]))
    steps = (len(weights) + 4) * UNIT
    stored = float(np.max(np.abs(weights) * np.diff(knots))) * UNIT
    return terms * steps / (1 - steps) + stored


def hinge_weights(knots: Reals, values: Reals) -> Reals:
    """The changes of slope at all knots but the last, ``(n,)``, where left of them it is flat.

    Raises `DataError` where one is beyond the largest float64.
    """
    at = [Fraction(one) for one in knots.tolist()]
    wanted = [Fraction(one) for one in values.tolist()]
    height, slope = wanted[0], Fraction(0)
    weights = np.empty(len(at) - 1)
    for i, (here, after) in enumerate(pairwise(at)):
        try:
            weights[i] = float((wanted[i + 1] - height) / (after - here) - slope)
        except OverflowError as error:
            raise DataError(
                "a slope is too steep to be stored",
                where=f"between the knots {knots[i]!r} and {knots[i + 1]!r}",
                found=f"values {values[i]:.6g} and {values[i + 1]:.6g}",
                do="leave out one of the two knots, or scale the values",
            ) from error
        slope += Fraction(weights[i])
        height += slope * (after - here)
    return weights


def checked_knots(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Reals, Reals]:
    """Return knots and values as float64; raise `DataError` for what no broken line has."""
    knots, values = (_floats(one, name) for one, name in ((x, "x"), (y, "y")))
    if knots.shape != values.shape or len(knots) < 2:  # noqa: PLR2004 # a line has two ends
        raise DataError(
            "a broken line needs two knots or more, and one value for each",
            where="from_knots(x, y)",
            found=f"{len(knots)} knots and {len(values)} values",
            do="pass two arrays of one length",
        )
    ascends = knots[:-1] < knots[1:]
    if not ascends.all():
        at = int(np.argmin(ascends))
        again = knots[at] == knots[at + 1]
        raise DataError(
            "a knot is there twice" if again else "the knots do not ascend",
            where=f"x[{at}] and x[{at + 1}]",
            found=f"{knots[at]!r} and {knots[at + 1]!r}",
            do="keep one value per knot: a network is continuous"
            if again
            else "sort x, and y along with it",
        )
    if not math.isfinite(float(knots[-1]) - float(knots[0])):
        raise DataError(
            "the knots are too far apart",
            where="from_knots(x, y)",
            found=f"from {knots[0]:.6g} to {knots[-1]:.6g}",
            do="scale x, so that differences of knots are float64 numbers",
        )
    return knots, values


def _floats(given: npt.ArrayLike, name: str) -> Reals:
    try:
        array = np.array(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            "the knots are no real numbers",
            where=name,
            found=f"{type(error).__name__}: {error}",
            do="pass one-dimensional arrays of floats",
        ) from error
    if array.ndim != 1:
        raise DataError(
            "knots and their values are one-dimensional",
            where=name,
            found=f"shape {array.shape}",
            do="pass one-dimensional arrays of floats",
        )
    if not np.isfinite(array).all():
        at = int(np.argmin(np.isfinite(array)))
        raise DataError(
            "a knot is not finite",
            where=f"{name}[{at}]",
            found=f"{array[at]}",
            do="leave out what is NaN or infinite",
        )
    return array


def _network(inward: Reals, shifts: Reals, outward: Reals, height: float) -> Network:
    build = Builder((1,), Call("hidden"))
    hidden = build.affine(
        build.input,
        Dense(
            input_shape=(1,),
            weight=torch.from_numpy(inward)[:, None],
            bias=torch.from_numpy(shifts),
        ),
    )
    build.call = Call("relu", "relu", alone=True)
    folded = build.activate(hidden, relu, {})
    build.call = Call("output")
    output = build.affine(
        folded,
        Dense(
            input_shape=folded.shape,
            weight=torch.from_numpy(outward)[None, :],
            bias=torch.tensor([height], dtype=torch.float64),
        ),
    )
    return build.network(output, torch.float64, "knots")
