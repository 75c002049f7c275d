"""Affine operators x -> W x + b on batches: what each answers, and the two plainest of them."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from hinge.errors import ModelError
from hinge.layout import Place

Shape = tuple[int, ...]

MATRIX_LIMIT = 2**27
"""Entries beyond which `Operator.matrix` refuses: 1 GiB in float64."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Operator(ABC):
    """An affine map of each example of a batch: ``(N, *input_shape)`` to ``(N, *output_shape)``.

    It is never a matrix unless one asks for `matrix`. Every answer is computed in the
    dtype of the argument after ``to(dtype)``; the operator itself is never changed.
    """

    input_shape: Shape

    @abstractmethod
    def linear(self, x: Tensor) -> Tensor:
        """``W x``, for ``x`` of shape ``(N, *input_shape)``."""

    @property
    def shift(self) -> Tensor | None:
        """``b``, broadcastable to ``output_shape``; None if it is zero."""
        return None

    def apply(self, x: Tensor) -> Tensor:
        """``W x + b``."""
        y = self.linear(x)
        return y if self.shift is None else y + self.shift

    def transpose(self, y: Tensor) -> Tensor:
        """``Wᵀ y``, for ``y`` of shape ``(N, *output_shape)``."""
        zeros = y.new_zeros((y.shape[0], *self.input_shape))
        pull: Any = torch.func.vjp(self.linear, zeros)[1]
        found: Tensor = pull(y)[0]
        return found

    def magnitude(self, x: Tensor) -> Tensor:
        """``|W| x``, with the absolute value of each entry of ``W``."""
        return self.absolute().linear(x)

    def absolute(self) -> Operator:
        """Return the operator of ``|W|``: itself if none is negative. Its shift means nothing."""
        return self

    def matrix(self) -> Tensor:
        """``W`` as a dense ``(outputs, inputs)`` tensor in the operator's dtype.

        Raises `ModelError` beyond `MATRIX_LIMIT` entries.
        """
        columns, rows = prod(self.input_shape), prod(self.output_shape)
        if columns * max(rows, columns) > MATRIX_LIMIT:
            raise ModelError(
                "the operator is too large to be written as a matrix",
                where=str(self),
                found=f"{rows:,} x {columns:,} entries",
                do="use apply, linear, transpose and magnitude, which need no matrix",
            )
        basis = torch.eye(columns, dtype=self.dtype).reshape(columns, *self.input_shape)
        return self.linear(basis).reshape(columns, rows).T

    def place(self, old: Place | None) -> Place | None:
        """Where the units lie in the output (batch included), given where they lay in the input."""
        return old

    @cached_property
    def output_shape(self) -> Shape:
        """The shape of one example's output."""
        ghost = torch.empty((1, *self.input_shape), dtype=self.dtype, device="meta")
        return tuple(self.to(device="meta").linear(ghost).shape[1:])

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The tensors that the operator holds, by their names."""
        pairs = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {name: value for name, value in pairs if isinstance(value, Tensor)}

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of its weights; float64 if it has none."""
        kept = [t.dtype for t in self.tensors.values() if t.is_floating_point()]
        return kept[0] if kept else torch.float64

    def to(
        self, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> Self:
        """Return the same operator with its tensors elsewhere, floating-point ones in ``dtype``."""
        moved: dict[str, Any] = {
            name: t.to(device=device, dtype=dtype if t.is_floating_point() else None)
            for name, t in self.tensors.items()
        }
        return dataclasses.replace(self, **moved) if moved else self

    @property
    def details(self) -> str:
        """What distinguishes it from others of its class, in a few words."""
        return ""

    def __str__(self) -> str:
        return f"{type(self).__name__.lower()} {self.details}".strip()


@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(Operator):
    """A matrix along one axis: ``weight`` is ``(outputs, inputs)``, ``bias`` ``(outputs,)``.

    ``axis`` counts the batch as 0. A ``(N, T, C)`` tensor is mapped position by position.
    """

    weight: Tensor
    bias: Tensor | None = None
    axis: int = 1

    @override
    def linear(self, x: Tensor) -> Tensor:
        return self._along(x, None)

    @override
    def apply(self, x: Tensor) -> Tensor:
        return self._along(x, self.bias)

    def _along(self, x: Tensor, bias: Tensor | None) -> Tensor:
        if self.axis == len(self.input_shape):
            return functional.linear(x, self.weight, bias)
        return functional.linear(x.movedim(self.axis, -1), self.weight, bias).movedim(-1, self.axis)

    @property
    @override
    def shift(self) -> Tensor | None:
        if self.bias is None:
            return None
        return self.bias.reshape(-1, *[1] * (len(self.input_shape) - self.axis))

    @override
    def absolute(self) -> Operator:
        return dataclasses.replace(self, weight=self.weight.abs())

    @override
    def place(self, old: Place | None) -> Place:
        return Place(self.axis, self.weight.shape[0])

    @property
    @override
    def details(self) -> str:
        return f"{self.weight.shape[1]} -> {self.weight.shape[0]}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Scale(Operator):
    """``factor * x + term``, each broadcastable to the input's shape; None is 1 and 0.

    Batch normalisation with fixed statistics, constants added or multiplied, layer scale.
    """

    factor: Tensor | None = None
    term: Tensor | None = None

    @override
    def linear(self, x: Tensor) -> Tensor:
        return x if self.factor is None else x * self.factor

    @property
    @override
    def shift(self) -> Tensor | None:
        return self.term

    @override
    def absolute(self) -> Operator:
        return self if self.factor is None else dataclasses.replace(self, factor=self.factor.abs())

    @property
    @override
    def details(self) -> str:
        parts = [("factor", self.factor), ("term", self.term)]
        return ", ".join(f"{name} {_brief(t)}" for name, t in parts if t is not None)


@dataclass(frozen=True, eq=False, kw_only=True)
class Constant(Operator):
    """The same ``value`` (shape ``output_shape``) whatever the input: ``W`` is zero."""

    value: Tensor

    @override
    def linear(self, x: Tensor) -> Tensor:
        return x.new_zeros((x.shape[0], *self.value.shape))

    @property
    @override
    def shift(self) -> Tensor:
        return self.value

    @override
    def place(self, old: Place | None) -> None:
        return None


def _brief(tensor: Tensor) -> str:
    if tensor.numel() == 1:
        return f"{tensor.item():.4g}"
    return "x".join(map(str, tensor.shape))
