"""The rules by which a max step takes its maximum: over windows, axes, or several inputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from hinge.layout import Place
from hinge.network.operators.affine import Shape
from hinge.network.operators.convolution import outside

_POOLS = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
_ADAPTIVE = (
    functional.adaptive_max_pool1d,
    functional.adaptive_max_pool2d,
    functional.adaptive_max_pool3d,
)


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """Which values each result is the largest of."""

    @abstractmethod
    def apply(self, *values: Tensor) -> Tensor:
        """The maxima of a batch."""

    @abstractmethod
    def place(self, old: Place | None, rank: int) -> Place | None:
        """Where the units lie afterwards; ``rank`` counts the input's axes and the batch."""


@dataclass(frozen=True, kw_only=True)
class Windows(Rule):
    """Over windows of the last ``len(kernel)`` axes, as in ``torch.nn.MaxPool2d``.

    Padding never wins: it is minus infinity.
    """

    kernel: Shape
    stride: Shape
    padding: Shape
    dilation: Shape
    ceil: bool = False

    @override
    def apply(self, *values: Tensor) -> Tensor:
        pool = _POOLS[len(self.kernel) - 1]
        result: Tensor = pool(
            values[0], self.kernel, self.stride, self.padding, self.dilation, self.ceil
        )
        return result

    @override
    def place(self, old: Place | None, rank: int) -> Place | None:
        return outside(old, rank - 1 - len(self.kernel))

    def __str__(self) -> str:
        return f"over windows of {'x'.join(map(str, self.kernel))}"


@dataclass(frozen=True, kw_only=True)
class Adaptive(Rule):
    """Over as many windows as ``size`` says, as in ``torch.nn.AdaptiveMaxPool2d``."""

    size: Shape

    @override
    def apply(self, *values: Tensor) -> Tensor:
        result: Tensor = _ADAPTIVE[len(self.size) - 1](values[0], self.size)
        return result

    @override
    def place(self, old: Place | None, rank: int) -> Place | None:
        return outside(old, rank - 1 - len(self.size))

    def __str__(self) -> str:
        return f"over windows to {'x'.join(map(str, self.size))}"


@dataclass(frozen=True, kw_only=True)
class Over(Rule):
    """Over whole ``axes`` (the batch is 0)."""

    axes: Shape
    keep: bool = False

    @override
    def apply(self, *values: Tensor) -> Tensor:
        return values[0].amax(self.axes, keepdim=self.keep)

    @override
    def place(self, old: Place | None, rank: int) -> Place | None:
        return None if old is None else old.reduced(self.axes, rank, keepdim=self.keep)

    def __str__(self) -> str:
        return f"over axes {', '.join(map(str, self.axes))}"


@dataclass(frozen=True, kw_only=True)
class Between(Rule):
    """Of several inputs of one shape, value by value."""

    @override
    def apply(self, *values: Tensor) -> Tensor:
        return reduce(torch.maximum, values)

    @override
    def place(self, old: Place | None, rank: int) -> Place | None:
        return old

    def __str__(self) -> str:
        return "of its inputs"
