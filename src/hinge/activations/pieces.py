"""Piecewise-linear functions: breaks and slopes are declared, everything else follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hinge.activations.arrays import Array, Namespace
from hinge.activations.form import Parameters, Side
from hinge.errors import OptionError

Entry = float | str
"""A number, or the name of the parameter that holds it."""


@dataclass(frozen=True)
class Pieces:
    """The continuous function with ``slopes[i]`` left of ``breaks[i]`` and the last one beyond.

    ``height`` is its value at the first break (at 0 if there is none). ``at_break`` says
    for each break which side's slope is the derivative there.
    """

    breaks_at: tuple[Entry, ...]
    slopes: tuple[Entry, ...]
    at_break: tuple[Side, ...] = ()
    height: Entry = 0.0

    def __post_init__(self) -> None:
        if not len(self.slopes) - 1 == len(self.breaks_at) == len(self.at_break):
            raise OptionError(
                "a piecewise-linear function has one slope more than breaks, and a side per break",
                where="Pieces(breaks_at, slopes, at_break)",
                found=f"{len(self.breaks_at)}, {len(self.slopes)} and {len(self.at_break)}",
                do="declare the slopes from left to right, and the side at each break",
            )

    @property
    def piecewise_linear(self) -> bool:
        """True."""
        return True

    @property
    def formula(self) -> str:
        """The lines, from left to right, each with the place where it holds."""
        if not self.breaks_at:
            return _line_text(self.slopes[0], 0.0, self.height)
        height, lines = self.height, []
        for number, slope in enumerate(self.slopes):
            anchor = self.breaks_at[max(number - 1, 0)]
            if number > 1:
                height = self._rise_text(number - 1, height)
            lines.append(f"{_line_text(slope, anchor, height)} {self._place_text(number)}")
        return "; ".join(lines)

    def value(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f(x). At a break the two lines meet; a line through 0 there keeps the sign of zero."""
        slopes = [_number(slope, parameters) for slope in self.slopes]
        ties = [Side.RIGHT if _is_zero(slope) else Side.LEFT for slope in slopes[:-1]]
        result = x
        for slope, (anchor, height), here in zip(
            slopes, self._anchors(parameters), self._places(x, ties, parameters), strict=True
        ):
            inside = xp.where(here, x, anchor)  # finite beyond the piece: so are its gradients
            result = xp.where(here, _line(xp, inside, slope, anchor, height), result)
        return result

    def derivative(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f'(x), at a break the slope of the declared side."""
        result = x  # stays where no piece holds: at NaN
        places = self._places(x, self.at_break, parameters)
        for slope, here in zip(self.slopes, places, strict=True):
            result = xp.where(here, _number(slope, parameters), result)
        return result

    def breaks(self, parameters: Parameters) -> tuple[float, ...]:
        """Where one piece follows another."""
        return tuple(_number(entry, parameters) for entry in self.breaks_at)

    joints = breaks

    def _anchors(self, parameters: Parameters) -> Iterator[tuple[Array, Array]]:
        """One known point on the line of each piece: its left break, of the first its right."""
        breaks = self.breaks(parameters) or (0.0,)
        height = _number(self.height, parameters)
        yield breaks[0], height
        for slope, left, right in zip(self.slopes[1:], breaks, (*breaks[1:], None), strict=False):
            yield left, height
            if right is not None:
                height = height + _number(slope, parameters) * (right - left)

    def _places(self, x: Array, ties: Sequence[Side], p: Parameters) -> list[Array]:
        """Where each piece holds; nowhere at NaN. ``ties`` says who takes each break."""
        breaks = self.breaks(p)
        if not breaks:
            return [x == x]  # noqa: PLR0124  false at NaN alone
        below = [x <= b if tie is Side.LEFT else x < b for b, tie in zip(breaks, ties, strict=True)]
        above = [x > b if tie is Side.LEFT else x >= b for b, tie in zip(breaks, ties, strict=True)]
        between = [left & right for left, right in zip(above, below[1:], strict=False)]
        return [below[0], *between, above[-1]]

    def _rise_text(self, number: int, height: Entry) -> Entry:
        parts = (self.slopes[number], self.breaks_at[number - 1], self.breaks_at[number], height)
        slope, left, right, start = parts
        if all(isinstance(part, (int, float)) for part in parts):
            return float(start) + float(slope) * (float(right) - float(left))
        return f"{_text(start)} + {_text(slope)}·({_text(right)} − {_text(left)})"

    def _place_text(self, number: int) -> str:
        left = _text(self.breaks_at[number - 1]) if number else ""
        right = _text(self.breaks_at[number]) if number < len(self.breaks_at) else ""
        if left and right:
            return f"for {left} ≤ x ≤ {right}"
        return f"for x ≤ {right}" if right else f"for x ≥ {left}"


def _number(entry: Entry, parameters: Parameters) -> Array:
    return parameters[entry] if isinstance(entry, str) else float(entry)


def _is_zero(number: Array) -> bool:
    return isinstance(number, float) and number == 0


def _line(xp: Namespace, x: Array, slope: Array, anchor: float, height: float) -> Array:
    """The line through (anchor, height). A flat one is constant, also at infinity."""
    if _is_zero(slope):
        return height + xp.zeros_like(x)
    if not isinstance(slope, float):
        largest = float(xp.finfo(x.dtype).max)
        x = xp.where(slope == 0, xp.clip(x, -largest, largest), x)
    if _is_zero(anchor) and _is_zero(height):
        return slope * x  # adding 0 would lose the sign of zero
    return height + slope * (x - anchor)


def _text(entry: Entry) -> str:
    return entry if isinstance(entry, str) else f"{entry:g}"


def _line_text(slope: Entry, anchor: Entry, height: Entry) -> str:
    if slope == 0:
        return _text(height)
    run = "x" if anchor == 0 else f"(x − {_text(anchor)})"
    rise = run if slope == 1 else f"{_text(slope)}·{run}"
    return rise if height == 0 else f"{_text(height)} + {rise}"
