"""Piecewise-linear functions: breaks and slopes are declared, everything else follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hinge.activations.arrays import Array, Namespace
from hinge.activations.entries import Entry, Sum, is_zero, number, symbolic, text
from hinge.activations.form import Jump, Parameters, Side
from hinge.errors import OptionError


@dataclass(frozen=True)
class Pieces:
    """The function with ``slopes[i]`` left of ``breaks[i]`` and the last one beyond.

    ``height`` is its value at the first break, come to from the left (at 0 if there is no
    break). ``at_break`` says for each break which side's slope is the derivative there.
    The function is continuous but for ``steps``, by which it rises at each break; where
    it jumps, it takes the value of the side in ``at_break``.
    """

    breaks_at: tuple[Entry, ...]
    slopes: tuple[Entry, ...]
    at_break: tuple[Side, ...] = ()
    height: Entry = 0.0
    steps: tuple[Entry, ...] = ()

    def __post_init__(self) -> None:
        number_of_breaks = len(self.breaks_at)
        if not len(self.slopes) - 1 == number_of_breaks == len(self.at_break):
            raise OptionError(
                "a piecewise-linear function has one slope more than breaks, and a side per break",
                where="Pieces(breaks_at, slopes, at_break)",
                found=f"{number_of_breaks}, {len(self.slopes)} and {len(self.at_break)}",
                do="declare the slopes from left to right, and the side at each break",
            )
        if self.steps and (len(self.steps) != number_of_breaks or Side.MEAN in self.at_break):
            raise OptionError(
                "where a function jumps it takes the value of one side",
                where="Pieces(at_break, steps)",
                found=f"{len(self.steps)} steps, sides {', '.join(self.at_break)}",
                do="declare a step (or 0) and a side, left or right, for each break",
            )

    @property
    def piecewise_linear(self) -> bool:
        """True."""
        return True

    @property
    def derivative_of_value(self) -> None:
        """None: the derivative is constant between the breaks."""

    @property
    def formula(self) -> str:
        """The lines, from left to right, each with the place where it holds."""
        return formula(self)

    @property
    def derivative_formula(self) -> str:
        """The slopes, from left to right, each with the place where it holds."""
        return "; ".join(
            f"{text(slope)} {_place_text(self, i, '<')}".rstrip()
            for i, slope in enumerate(self.slopes)
        )

    def value(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f(x). Where two lines meet, the one through 0 keeps the sign of zero."""
        slopes = [number(slope, parameters) for slope in self.slopes]
        ties = [Side.RIGHT if is_zero(slope) else Side.LEFT for slope in slopes[:-1]]
        for i, step in enumerate(self.steps):
            ties[i] = self.at_break[i] if step else ties[i]
        result = x
        for slope, (anchor, height), here in zip(
            slopes, self._anchors(parameters), self._places(x, ties, parameters), strict=True
        ):
            inside = xp.where(here, x, anchor)  # finite beyond the piece: so are its gradients
            result = xp.where(here, _line(xp, inside, slope, anchor, height), result)
        return result

    def derivative(self, xp: Namespace, x: Array, parameters: Parameters) -> Array:
        """f'(x), at a break the slope of the declared side."""
        slopes = [number(slope, parameters) for slope in self.slopes]
        result = x  # stays where no piece holds: at NaN
        for slope, here in zip(slopes, self._places(x, self.at_break, parameters), strict=True):
            result = xp.where(here, slope, result)
        for i, at in enumerate(self.breaks(parameters)):
            if self.at_break[i] is Side.MEAN:
                result = xp.where(x == at, (slopes[i] + slopes[i + 1]) / 2, result)
        return result

    def breaks(self, parameters: Parameters) -> tuple[float, ...]:
        """Where one piece follows another."""
        return tuple(number(entry, parameters) for entry in self.breaks_at)

    joints = breaks

    def jumps(self, parameters: Parameters) -> tuple[Jump, ...]:
        """The breaks with a step, and the values that the function comes to on both sides."""
        anchors = list(self._anchors(parameters))[1:]
        steps = [number(step, parameters) for step in self.steps]
        return tuple(
            Jump(at, above - step, above)
            for step, (at, above) in zip(steps, anchors, strict=False)
            if not is_zero(step)
        )

    def _anchors(self, parameters: Parameters) -> Iterator[tuple[Array, Array]]:
        """One known point on the line of each piece: its left break, of the first its right."""
        breaks = self.breaks(parameters) or (0.0,)
        height = number(self.height, parameters)
        yield breaks[0], height
        for i, left in enumerate(breaks[: len(self.breaks_at)]):
            step = number(self.steps[i], parameters) if self.steps else 0.0
            height = step if is_zero(height) else height if is_zero(step) else height + step
            yield left, height
            if i + 1 < len(breaks):
                slope, right = number(self.slopes[i + 1], parameters), breaks[i + 1]
                through = _through_origin(slope, left, height)
                height = slope * right if through else height + slope * (right - left)

    def _places(self, x: Array, ties: Sequence[Side], p: Parameters) -> list[Array]:
        """Where each piece holds; nowhere at NaN. ``ties`` says who takes each break."""
        breaks = self.breaks(p)
        if not breaks:
            return [x == x]  # noqa: PLR0124  false at NaN alone
        pairs = list(zip(breaks, ties, strict=True))
        below = [x < b if tie is Side.RIGHT else x <= b for b, tie in pairs]
        above = [x >= b if tie is Side.RIGHT else x > b for b, tie in pairs]
        between = [left & right for left, right in zip(above, below[1:], strict=False)]
        return [below[0], *between, above[-1]]


def _line(xp: Namespace, x: Array, slope: Array, anchor: Array, height: Array) -> Array:
    """The line through (anchor, height). A flat one is constant, also at infinity."""
    if is_zero(slope):
        return height + xp.zeros_like(x)
    if not isinstance(slope, float):
        largest = float(xp.finfo(x.dtype).max)
        x = xp.where(slope == 0, xp.clip(x, -largest, largest), x)
    if not _through_origin(slope, anchor, height):
        return height + slope * (x - anchor)
    rises = not isinstance(slope, float) or slope > 0
    return slope * x if rises else slope * x + 0.0  # adding 0 turns −0 into 0, as in |x|


def _through_origin(slope: Array, anchor: Array, height: Array) -> bool:
    """Whether the line is known to pass through (0, 0), so that it is ``slope * x``."""
    if not isinstance(slope, float):
        return is_zero(anchor) and is_zero(height)
    if isinstance(anchor, float) and isinstance(height, float):
        return height == slope * anchor
    return slope == 1 and anchor is height  # one array, of parameters


def formula(form: Pieces) -> str:
    """Write the pieces down: "0 for x ≤ 0; x for x ≥ 0"."""
    height: Sum | str = symbolic(form.height)
    if not form.breaks_at:
        return _line_text(form.slopes[0], symbolic(0.0), height)
    lines = []
    for i, slope in enumerate(form.slopes):
        left = symbolic(form.breaks_at[max(i - 1, 0)])
        if i > 0 and form.steps and isinstance(height, Sum):
            height += symbolic(form.steps[i - 1])
        lines.append(f"{_line_text(slope, left, height)} {_place_text(form, i)}")
        if 0 < i < len(form.breaks_at):
            height = _risen(slope, left, symbolic(form.breaks_at[i]), height)
    return "; ".join(lines)


def _risen(slope: Entry, left: Sum, right: Sum, height: Sum | str) -> Sum | str:
    """The height at the next break; words where it is no sum of parameters."""
    if isinstance(height, Sum) and not isinstance(slope, (str, Sum)):
        return height + (right - left).times(slope)
    if isinstance(height, Sum) and not (right - left).weights:
        return height + symbolic(slope).times((right - left).constant)
    return f"{height} + {text(slope)}·({right} − {left})"


def _line_text(slope: Entry, anchor: Sum, height: Sum | str) -> str:
    if slope == 0:
        return str(height)
    times = _factor(slope)
    if not isinstance(slope, (str, Sum)) and height == anchor.times(slope):
        return f"{times}x"
    rest = (Sum((("x", 1),)) - anchor) if anchor != symbolic(0.0) else Sum((("x", 1),))
    if slope == 1 and isinstance(height, Sum):
        return str(rest + height)
    run = str(rest) if rest == Sum((("x", 1),)) else f"({rest})"
    line = f"{times}{run}" if height == symbolic(0.0) else f"{height} + {times}{run}"
    return line.replace("+ −", "− ")


def _factor(slope: Entry) -> str:
    """The slope as it stands before x: a sum of several terms in parentheses."""
    if slope in (1, -1):
        return "" if slope == 1 else "−"
    spelled = text(slope)
    several = any(sign in spelled for sign in (" + ", " − ")) and "(" not in spelled
    return f"({spelled})·" if several else f"{spelled}·"


def _place_text(form: Pieces, i: int, between: str = "≤") -> str:
    """Where piece ``i`` holds; at a jump one of the two neighbours does not hold the break."""
    strict = [
        side if form.steps and form.steps[k] else None for k, side in enumerate(form.at_break)
    ]
    left = text(form.breaks_at[i - 1]) if i else ""
    right = text(form.breaks_at[i]) if i < len(form.breaks_at) else ""
    from_left = "<" if i and strict[i - 1] is Side.LEFT else between
    to_right = "<" if right and strict[i] is Side.RIGHT else between
    if left and right:
        return f"for {left} {from_left} x {to_right} {right}"
    if right:
        return f"for x {to_right} {right}"
    return f"for x {'>' if from_left == '<' else '≥'} {left}" if left else ""
