"""Affine operators that slide over space: convolutions and average pooling."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from hinge.layout import Place
from hinge.network.operators.affine import Operator, Shape

_AVERAGE = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)
_ADAPTIVE: tuple[Callable[[Tensor, Any], Tensor], ...] = (
    functional.adaptive_avg_pool1d,
    functional.adaptive_avg_pool2d,
    functional.adaptive_avg_pool3d,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Convolution(Operator):
    """A convolution over 1 to 3 spatial axes; ``bias`` has one entry per output channel.

    ``weight`` is ``(outputs, inputs / groups, *kernel)``, or, transposed,
    ``(inputs, outputs / groups, *kernel)``, as in torch.
    """

    weight: Tensor
    bias: Tensor | None = None
    stride: Shape
    padding: Shape
    dilation: Shape
    groups: int = 1
    transposed: bool = False
    output_padding: Shape = ()

    @override
    def linear(self, x: Tensor) -> Tensor:
        return self._slide(x, None)

    @override
    def apply(self, x: Tensor) -> Tensor:
        return self._slide(x, self.bias)

    def _slide(self, x: Tensor, bias: Tensor | None) -> Tensor:
        extra = self.output_padding or (0,) * len(self.stride)
        return torch.convolution(
            x,
            self.weight,
            bias,
            self.stride,
            self.padding,
            self.dilation,
            self.transposed,
            extra,
            self.groups,
        )

    @property
    def channels(self) -> int:
        """The number of output channels."""
        return self.weight.shape[1] * self.groups if self.transposed else self.weight.shape[0]

    @property
    @override
    def shift(self) -> Tensor | None:
        return None if self.bias is None else self.bias.reshape(-1, *[1] * len(self.stride))

    @override
    def absolute(self) -> Operator:
        return dataclasses.replace(self, weight=self.weight.abs())

    @override
    def place(self, old: Place | None) -> Place:
        return Place(1, self.channels)

    @property
    @override
    def details(self) -> str:
        kernel = "x".join(map(str, self.weight.shape[2:]))
        words = [f"{self.input_shape[0]} -> {self.channels}", f"kernel {kernel}"]
        words += ["transposed"] if self.transposed else []
        words += [f"{self.groups} groups"] if self.groups > 1 else []
        return ", ".join(words)


@dataclass(frozen=True, eq=False, kw_only=True)
class AveragePool(Operator):
    """The mean over windows of the last ``len(kernel)`` axes, as in ``torch.nn.AvgPool2d``.

    ``divisor`` replaces the number of a window's values if it is given.
    """

    kernel: Shape
    stride: Shape
    padding: Shape
    ceil: bool = False
    count_padding: bool = True
    divisor: int | None = None

    @override
    def linear(self, x: Tensor) -> Tensor:
        pool = _AVERAGE[len(self.kernel) - 1]
        options = {} if self.divisor is None else {"divisor_override": self.divisor}
        pooled: Tensor = pool(
            x, self.kernel, self.stride, self.padding, self.ceil, self.count_padding, **options
        )
        return pooled

    @override
    def place(self, old: Place | None) -> Place | None:
        return outside(old, len(self.input_shape) - len(self.kernel))

    @property
    @override
    def details(self) -> str:
        return f"kernel {'x'.join(map(str, self.kernel))}"


@dataclass(frozen=True, eq=False, kw_only=True)
class AdaptiveAveragePool(Operator):
    """The mean over as many windows as ``size`` says, as in ``torch.nn.AdaptiveAvgPool2d``."""

    size: Shape

    @override
    def linear(self, x: Tensor) -> Tensor:
        return _ADAPTIVE[len(self.size) - 1](x, self.size)

    @override
    def place(self, old: Place | None) -> Place | None:
        return outside(old, len(self.input_shape) - len(self.size))

    @property
    @override
    def details(self) -> str:
        return f"to {'x'.join(map(str, self.size))}"


def outside(place: Place | None, last: int) -> Place | None:
    """Return the place if its axis is at most ``last``: a window mixes the later ones."""
    return place if place is not None and place.axis <= last else None
