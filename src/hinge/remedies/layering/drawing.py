"""How weights are drawn anew: methods as values, each for one layer's rows at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from hinge.errors import OptionError

RAI_SCALE = 0.6007
"""Times 1/√fan_in: the standard deviation that keeps the length of vectors (Lu et al., sec. 4)."""


class Method(Protocol):
    """A way to draw the weights of a layer."""

    @property
    def name(self) -> str:
        """Its name in the receipt."""

    def draw(
        self, units: int, fan_in: float, columns: int, gain: float, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Weights of shape ``(units, columns)`` and biases ``(units,)``, float64, on the CPU.

        ``gain`` is that of the activation behind the layer; ``fan_in`` says how many inputs
        reach one output, which is ``columns`` but for transposed convolutions with a stride.
        """


@dataclass(frozen=True)
class He:
    """Normal, of variance gain²/fan_in; biases 0 (He et al., 2015, eq. 10).

    The gain is that of the activation behind the layer, or with ``a`` that of a leaky ReLU of
    slope ``a``, 2/(1 + a²), behind every layer (eq. 15).
    """

    a: float | None = None
    name: ClassVar[str] = "he"

    def draw(
        self, units: int, fan_in: float, columns: int, gain: float, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """See `Method`."""
        if self.a is not None:
            gain = math.sqrt(2 / (1 + self.a**2))
        return _normal(units, columns, gain / math.sqrt(fan_in), random)


@dataclass(frozen=True)
class LeCun:
    """Normal, of variance 1/fan_in; biases 0 (LeCun et al., Efficient BackProp, 1998, sec. 4.6)."""

    name: ClassVar[str] = "lecun"

    def draw(
        self, units: int, fan_in: float, columns: int, gain: float, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """See `Method`."""
        del gain
        return _normal(units, columns, 1 / math.sqrt(fan_in), random)


@dataclass(frozen=True)
class Orthogonal:
    """Rows or columns orthogonal, of the length of the gain; biases 0 (Saxe et al., 2014)."""

    name: ClassVar[str] = "orthogonal"

    def draw(
        self, units: int, fan_in: float, columns: int, gain: float, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """See `Method`."""
        del fan_in
        rows = torch.empty(units, columns, dtype=torch.float64)
        torch.nn.init.orthogonal_(rows, gain, generator=random)
        return rows, torch.zeros(units, dtype=torch.float64)


@dataclass(frozen=True)
class Lsuv:
    """Orthonormal, then divided by the standard deviation of what comes out over the data.

    Layer by layer in the order of the forward pass, each until its variance is within
    ``tolerance`` of 1, at most ``iterations`` times (Mishkin & Matas, All You Need Is a Good
    Init, 2016, algorithm 1).
    """

    tolerance: float = 0.1
    iterations: int = 10
    name: ClassVar[str] = "lsuv"

    def __post_init__(self) -> None:
        if not (self.tolerance > 0 and self.iterations > 0):
            raise OptionError(
                "LSUV needs a tolerance and a number of iterations above 0",
                where="Lsuv(...)",
                found=f"tolerance={self.tolerance!r}, iterations={self.iterations!r}",
                do="pass numbers above 0; the paper takes 0.1 and 10",
            )

    def draw(
        self, units: int, fan_in: float, columns: int, gain: float, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """See `Method`; the scale is found afterwards."""
        del gain
        return Orthogonal().draw(units, fan_in, columns, 1.0, random)


@dataclass(frozen=True)
class Rai:
    """Randomised asymmetric: fewer networks are born dead (Lu et al., 2020, arXiv 1903.06733).

    Of each unit's weights and bias, all normal of deviation 0.6007/√fan_in, one at random is
    drawn from Beta(2, 1) instead, which is positive.
    """

    name: ClassVar[str] = "rai"

    def draw(
        self, units: int, fan_in: float, columns: int, gain: float, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """See `Method`."""
        del gain
        both, _ = _normal(units, columns + 1, RAI_SCALE / math.sqrt(fan_in), random)
        chosen = torch.randint(columns + 1, (units, 1), generator=random)
        # The distribution function of Beta(2, 1) is x².
        positive = torch.rand(units, 1, generator=random, dtype=torch.float64).sqrt()
        both.scatter_(1, chosen, positive)
        return both[:, :-1], both[:, -1]


METHODS: dict[str, Method] = {one.name: one for one in (He(), LeCun(), Orthogonal(), Lsuv(), Rai())}


def method_named(by: str | Method) -> Method:
    """Find a method by its name; a method is itself. Raises `OptionError`."""
    found = METHODS.get(by) if isinstance(by, str) else by
    if found is None or not callable(getattr(found, "draw", None)):
        raise OptionError(
            "there is no such way to draw weights",
            where="reinit(by=...)",
            found=repr(by),
            do=f"pass one of {', '.join(map(repr, METHODS))}, or one of the classes in "
            "hinge.remedies, such as He(a=0.1)",
        )
    return found


def _normal(
    units: int, columns: int, deviation: float, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    rows = torch.randn(units, columns, generator=random, dtype=torch.float64) * deviation
    return rows, torch.zeros(units, dtype=torch.float64)
