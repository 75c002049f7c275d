"""Functions with learned parameters, one set per channel, on a GPU: one pass each way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hinge.kernels.gpu.launch import ROUNDED, Tiles, on_device_of, tiles
from hinge.kernels.gpu.programs import learned
from hinge.kernels.gpu.programs import per_channel as programs

LONG = 64
"""Values of one channel that lie together in rows worth a sum of their own."""

PROGRAMS = 2048
"""About as many, at least, keep a large GPU busy."""


class Learned(NamedTuple):
    """Device functions for the values and the derivatives, and the number of parameters."""

    value: Any
    derivatives: Any
    parameters: int


FUNCTIONS: Mapping[str, Learned] = MappingProxyType(
    {
        "prelu": Learned(learned.prelu, learned.prelu_derivatives, 1),
        "star_relu": Learned(learned.star_relu, learned.star_relu_derivatives, 2),
        "srelu": Learned(learned.srelu, learned.srelu_derivatives, 4),
    }
)
"""The functions by name."""


class Layout(NamedTuple):
    """The axes before, of, and after the channels, as lengths."""

    outer: int
    channels: int
    inner: int

    @property
    def along(self) -> bool:
        """Whether rows hold one channel each; else columns belong to channels."""
        return self.inner >= LONG or self.channels == 1

    def tiles(self) -> Tiles:
        """Of the matrix that `along` speaks of."""
        if self.along:
            return tiles(self.outer * self.channels, self.inner)
        return tiles(self.outer, self.channels * self.inner)


def forward(name: str, x: Tensor, parameters: tuple[Tensor, ...]) -> Tensor:
    """Compute one of `FUNCTIONS` of ``x``. A slope of zero gives a constant, also at infinity.

    * ``prelu(weight)``: x where x > 0, else weight·x. He et al., Delving Deep into Rectifiers,
      2015.
    * ``star_relu(scale, bias)``: scale·relu(x)² + bias. Yu et al., MetaFormer Baselines for
      Vision, 2022.
    * ``srelu(t_l, a_l, t_r, a_r)``: t_r + a_r·(x − t_r) where x ≥ t_r, else t_l + a_l·(x − t_l)
      where x ≤ t_l, else x. Jin et al., Deep Learning with S-shaped Rectified Linear Activation
      Units, 2015.

    Parameters
    ----------
    name
        A key of `FUNCTIONS`.
    x
        A tensor that `hinge.kernels.gpu.takes` allows.
    parameters
        Tensors on x's device, of one value each, or all of one for each entry of x's axis 1.

    Returns
    -------
    Tensor
        Like ``x``. Computed in float32.
    """
    function = FUNCTIONS[name]
    rows = _side_by_side(parameters)
    layout = _layout(x, rows.shape[1])
    cut = layout.tiles()
    y = torch.empty_like(x)
    if x.numel():
        with on_device_of(x):
            programs.values[cut.grid](
                x,
                y,
                rows,
                cut.rows,
                cut.columns,
                layout.channels,
                layout.inner,
                function.value,
                function.parameters,
                layout.along,
                cut.tall,
                cut.wide,
                **ROUNDED,
            )
    return y


def backward(
    name: str, gradient: Tensor, x: Tensor, parameters: tuple[Tensor, ...]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Give the gradients of ``x`` and of each parameter, from that of `forward`'s result.

    A parameter's gradient is summed by tiles in float32, then in float64, always in the same
    order. The derivative at a kink: prelu's at 0 is the weight, star_relu's at 0 is 0, srelu's
    at its thresholds are the outer slopes.

    Returns
    -------
    tuple
        The gradient of ``x``, NaN where ``x`` is NaN, like ``x``; and those of the parameters,
        each with the shape and dtype of its parameter.
    """
    function = FUNCTIONS[name]
    rows = _side_by_side(parameters)
    layout = _layout(x, rows.shape[1])
    out = torch.empty_like(x)
    if x.numel():
        reduced = _along if layout.along else _across
        sums = reduced(function, (gradient.contiguous(), x, out, rows), layout)
    else:
        sums = torch.zeros_like(rows, dtype=torch.float64)
    return out, tuple(
        total.to(p.dtype).view(p.shape) for total, p in zip(sums, parameters, strict=True)
    )


def _along(function: Learned, tensors: tuple[Tensor, ...], layout: Layout) -> Tensor:
    """Write the gradient of x; give those of the parameters, (count, channels) in float64.

    ``tensors``: the gradient, x, where the gradient of x goes, and the parameters.
    """
    cut = layout.tiles()
    shape = (function.parameters, layout.outer, layout.channels, cut.across)
    sums = torch.empty(shape, dtype=torch.float32, device=tensors[0].device)
    with on_device_of(sums):
        programs.gradients_along[cut.grid](
            *tensors,
            sums,
            sums[0].numel(),
            cut.rows,
            cut.columns,
            layout.channels,
            function.derivatives,
            function.parameters,
            cut.tall,
            cut.wide,
            **ROUNDED,
        )
    return sums.sum((1, 3), dtype=torch.float64)


def _across(function: Learned, tensors: tuple[Tensor, ...], layout: Layout) -> Tensor:
    """The same where columns belong to channels."""
    cut = layout.tiles()
    high = -(-cut.rows // cut.tall)  # tiles one below the other
    deep = max(1, min(high * cut.across // PROGRAMS, high))
    down = -(-high // deep)
    shape = (function.parameters, down, layout.channels, layout.inner)
    sums = torch.empty(shape, dtype=torch.float32, device=tensors[0].device)
    with on_device_of(sums):
        programs.gradients_across[(down * cut.across,)](
            *tensors,
            sums,
            sums[0].numel(),
            cut.rows,
            cut.columns,
            layout.channels,
            layout.inner,
            deep,
            function.derivatives,
            function.parameters,
            cut.tall,
            cut.wide,
            **ROUNDED,
        )
    return sums.sum((1, 3), dtype=torch.float64)


def _side_by_side(parameters: tuple[Tensor, ...]) -> Tensor:
    """All parameters in float32, one row each."""
    return torch.cat([p.detach().reshape(1, -1).float() for p in parameters])


def _layout(x: Tensor, channels: int) -> Layout:
    if channels == 1:
        return Layout(1, 1, x.numel())
    return Layout(x.shape[0], channels, math.prod(x.shape[2:]))
