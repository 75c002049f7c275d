"""Affine operators that move, drop, repeat or sum values: reshape, permute, take, pad, sum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from hinge.layout import Place
from hinge.network.operators.affine import Operator, Shape


@dataclass(frozen=True, eq=False, kw_only=True)
class Reshape(Operator):
    """The same values in the shape ``to_shape``."""

    to_shape: Shape

    @override
    def linear(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], *self.to_shape)

    @override
    def place(self, old: Place | None) -> Place | None:
        if old is None or old.axis == 0:
            return None
        # Without the batch: an index of size 1 could otherwise be found in the batch axis.
        moved = replace(old, axis=old.axis - 1).reshaped(self.input_shape, self.to_shape)
        return None if moved is None else replace(moved, axis=moved.axis + 1)

    @property
    @override
    def details(self) -> str:
        return f"to {'x'.join(map(str, self.to_shape)) or 'a number'}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Permute(Operator):
    """Axes in another order: result axis ``i`` is the old axis ``order[i]``; ``order[0]`` is 0."""

    order: Shape

    @override
    def linear(self, x: Tensor) -> Tensor:
        return x.permute(self.order)

    @override
    def place(self, old: Place | None) -> Place | None:
        return None if old is None else old.permuted(self.order)

    @property
    @override
    def details(self) -> str:
        return f"axes {', '.join(map(str, self.order))}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Take(Operator):
    """Position ``i`` along ``axis`` (the batch is 0) is the old position ``index[i]``.

    Slices, splits, flips, rolls, repeats, nearest upsampling and pads that mirror.
    """

    axis: int
    index: Tensor

    @override
    def linear(self, x: Tensor) -> Tensor:
        return x.index_select(self.axis, self.index)

    @override
    def place(self, old: Place | None) -> Place | None:
        return _resized(old, self.axis, self.input_shape, len(self.index))

    @property
    @override
    def details(self) -> str:
        return f"{len(self.index)} of {self.input_shape[self.axis - 1]} along axis {self.axis}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Pad(Operator):
    """``value`` before and after along axes: ``pads`` as in `torch.nn.functional.pad`.

    ``pads`` names the last axis first: (left, right, top, bottom, ..); negative ones crop.
    """

    pads: Shape
    value: float = 0.0

    @override
    def linear(self, x: Tensor) -> Tensor:
        return functional.pad(x, self.pads)

    @override
    def apply(self, x: Tensor) -> Tensor:
        return functional.pad(x, self.pads, value=self.value)

    @property
    @override
    def shift(self) -> Tensor | None:
        if not self.value:
            return None
        zeros = torch.zeros(self.input_shape, dtype=torch.float64)
        return functional.pad(zeros, self.pads, value=self.value)

    @override
    def place(self, old: Place | None) -> Place | None:
        if old is None:
            return None
        last = len(self.input_shape)
        for pair in range(len(self.pads) // 2):
            axis, grown = last - pair, self.pads[2 * pair] + self.pads[2 * pair + 1]
            old = _resized(old, axis, self.input_shape, self.input_shape[axis - 1] + grown)
        return old

    @property
    @override
    def details(self) -> str:
        return f"{', '.join(map(str, self.pads))} with {self.value:g}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Expand(Operator):
    """Axes of length 1 repeated to ``to_shape``, which has as many axes."""

    to_shape: Shape

    @override
    def linear(self, x: Tensor) -> Tensor:
        return x.expand(x.shape[0], *self.to_shape)

    @override
    def place(self, old: Place | None) -> Place | None:
        if old is None or old.axis == 0:
            return old
        same = self.input_shape[old.axis - 1] == self.to_shape[old.axis - 1]
        return old if same else None

    @property
    @override
    def details(self) -> str:
        return f"to {'x'.join(map(str, self.to_shape))}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Sum(Operator):
    """The sum over ``axes`` (the batch is 0) by ``divisor``: a mean, if that is their size."""

    axes: Shape
    keep: bool = False
    divisor: int = 1

    @override
    def linear(self, x: Tensor) -> Tensor:
        return x.sum(self.axes, keepdim=self.keep) / self.divisor

    @override
    def place(self, old: Place | None) -> Place | None:
        if old is None:
            return None
        return old.reduced(self.axes, len(self.input_shape) + 1, keepdim=self.keep)

    @property
    @override
    def details(self) -> str:
        divided = "" if self.divisor == 1 else f", divided by {self.divisor}"
        return f"over axes {', '.join(map(str, self.axes))}{divided}"


def _resized(place: Place | None, axis: int, shape: Shape, length: int) -> Place | None:
    if place is None or place.axis != axis or shape[axis - 1] == length:
        return place
    plain = place.inner == 1 and shape[axis - 1] == place.size
    return Place(axis, length) if plain else None
