"""Facts of a record in words: its range, its kinks, its traits, its slopes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hinge.activations.form import Side
from hinge.activations.record import Activation
from hinge.report.text import round_number

LETTERS = {
    "monotone": "m",
    "convex": "c",
    "odd": "o",
    "homogeneous": "h",
    "bounded": "b",
}
"""Each trait's letter in a list."""


def digits(value: float, places: int = 4) -> str:
    """A number with so many significant digits, without zeros that carry nothing.

    >>> digits(-0.278464542761), digits(math.inf), digits(6.0)
    ('−0.2785', '∞', '6')
    """
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return round_number(float(f"{value:.{places}g}"))


def interval_text(low: float, high: float, places: int = 4) -> str:
    """An interval that holds its finite ends.

    >>> interval_text(0.0, math.inf)
    '[0, ∞)'
    """
    start, end = "[" if math.isfinite(low) else "(", "]" if math.isfinite(high) else ")"
    return f"{start}{digits(low, places)}, {digits(high, places)}{end}"


def range_text(record: Activation, places: int = 4) -> str:
    """The range as an interval; an end that is only a limit is open.

    >>> from hinge.activations import elu, relu6
    >>> range_text(relu6), range_text(elu)
    ('[0, 6]', '(−1, ∞)')
    """
    low, high = record.range()
    closed = interval_text(low, high, places)
    start = closed[0] if _is_taken(record, low) else "("
    end = closed[-1] if _is_taken(record, high) else ")"
    return f"{start}{closed[1:-1]}{end}"


def kinks_text(record: Activation) -> str:
    """The kinks, from left to right."""
    return ", ".join(map(digits, record.kinks())) or "none"


def traits(record: Activation) -> dict[str, bool]:
    """Each trait in `LETTERS`, and whether the function has it with its default parameters."""
    return {
        "monotone": record.monotone,
        "convex": record.convex(),
        "odd": record.odd(),
        "homogeneous": record.homogeneous(),
        "bounded": record.bounded(),
    }


def traits_text(record: Activation) -> str:
    """The traits that it has, as letters."""
    return "".join(LETTERS[name] for name, held in traits(record).items() if held)


def defaults(record: Activation) -> dict[str, float]:
    """The default of each parameter."""
    return {one.name: one.default for one in record.parameters}


def derivative_text(record: Activation) -> str:
    """f′ as text; of a piecewise-linear function the slopes, each with the place of its piece."""
    return record.form.derivative_formula


def sides(record: Activation, at: float) -> tuple[float, float]:
    """The slopes on the left and on the right of a kink."""
    left, right = math.nextafter(at, -math.inf), math.nextafter(at, math.inf)
    return float(record.derivative(left)), float(record.derivative(right))


def taken(side: Side, slopes: tuple[float, float]) -> float:
    """The slope that a convention takes at a kink."""
    left, right = slopes
    by: Mapping[Side, float] = {Side.LEFT: left, Side.RIGHT: right, Side.MEAN: (left + right) / 2}
    return by[side]


def _is_taken(record: Activation, value: float) -> bool:
    """Whether a value is f(x) for some x; one that is a limit at infinity only is not."""
    joints = record.form.joints(defaults(record)) or (0.0,)
    probes = [joints[0] - 1, *joints, joints[-1] + 1]
    return math.isfinite(value) and any(record(float(at)) == value for at in probes)
