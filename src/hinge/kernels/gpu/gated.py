"""Gated linear units on a GPU: one pass each way, from the inputs alone, none overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hinge.kernels.gpu.launch import ROUNDED, Tiles, on_device_of, rows_from, tiles
from hinge.kernels.gpu.programs import gated as programs
from hinge.kernels.gpu.programs import rectifiers, smooth


class Gate(NamedTuple):
    """A gate's device functions, whether it is shut below 0, whether the first half is it."""

    value: Any
    slope: Any
    hinged: bool
    first: bool


GATES: Mapping[str, Gate] = MappingProxyType(
    {
        "glu": Gate(smooth.sigmoid, smooth.sigmoid_slope, hinged=False, first=False),
        "reglu": Gate(rectifiers.relu, rectifiers.relu_slope, hinged=True, first=True),
        "geglu": Gate(smooth.gelu, smooth.gelu_slope, hinged=False, first=True),
        "swiglu": Gate(smooth.silu, smooth.silu_slope, hinged=False, first=True),
    }
)
"""The units and what gates them: the first half in all but ``glu``, where the second does."""


def forward(name: str, x: Tensor, dim: int) -> Tensor:
    """Split ``x`` into halves (a, b) along ``dim``: the gate of one times the other.

    ``glu`` is a·σ(b) as in torch (Dauphin et al., Language Modeling with Gated Convolutional
    Networks, 2016); ``reglu``, ``geglu`` and ``swiglu`` are relu(a)·b, gelu(a)·b with the exact
    Φ, and silu(a)·b (Shazeer, GLU Variants Improve Transformer, 2020).

    Parameters
    ----------
    name
        A key of `GATES`.
    x
        A tensor that `hinge.kernels.gpu.takes` allows, of even size along ``dim``.
    dim
        The axis of the halves.

    Returns
    -------
    Tensor
        Shaped like a half, of x's dtype.
    """
    rows, columns = rows_from(x.shape, dim)
    shape = list(x.shape)
    shape[dim] //= 2
    y = torch.empty(shape, dtype=x.dtype, device=x.device)
    a, b = _halves(x, columns)
    _forward(name, (a, b, y), columns, tiles(rows, columns // 2))
    return y


def backward(name: str, gradient: Tensor, x: Tensor, dim: int) -> Tensor:
    """Give the gradient of ``x``, from the ``gradient`` of `forward`'s result."""
    rows, columns = rows_from(x.shape, dim)
    out = torch.empty_like(x)
    halves = gradient.contiguous(), *_halves(x, columns), *_halves(out, columns)
    _backward(name, halves, columns, tiles(rows, columns // 2))
    return out


def forward_pair(name: str, a: Tensor, b: Tensor) -> Tensor:
    """`forward` for halves that are tensors of their own, equally shaped."""
    y = torch.empty_like(a)
    _forward(name, (a, b, y), a.numel(), tiles(1, a.numel()))
    return y


def backward_pair(name: str, gradient: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Give the gradients of ``a`` and ``b``, from the ``gradient`` of the result."""
    out_a, out_b = torch.empty_like(a), torch.empty_like(b)
    tensors = gradient.contiguous(), a, b, out_a, out_b
    _backward(name, tensors, a.numel(), tiles(1, a.numel()))
    return out_a, out_b


def _halves(x: Tensor, columns: int) -> tuple[Tensor, Tensor]:
    """The memory of x from the first element of either half on."""
    flat = x.view(-1)
    return flat, flat[columns // 2 :]


def _forward(name: str, tensors: tuple[Tensor, ...], step: int, cut: Tiles) -> None:
    """``tensors``: the halves a and b, and where the result goes."""
    gate = GATES[name]
    a, b, y = tensors
    if not gate.first:
        a, b = b, a
    if y.numel():
        with on_device_of(y):
            programs.values[cut.grid](
                a,
                b,
                y,
                step,
                cut.rows,
                cut.columns,
                gate.value,
                gate.hinged,
                cut.tall,
                cut.wide,
                **ROUNDED,
            )


def _backward(name: str, tensors: tuple[Tensor, ...], step: int, cut: Tiles) -> None:
    """``tensors``: the result's gradient, the halves a and b, and where their gradients go."""
    gate = GATES[name]
    gradient, a, b, out_a, out_b = tensors
    if not gate.first:
        a, b, out_a, out_b = b, a, out_b, out_a
    if gradient.numel():
        with on_device_of(gradient):
            programs.gradients[cut.grid](
                gradient,
                a,
                b,
                out_a,
                out_b,
                step,
                cut.rows,
                cut.columns,
                gate.value,
                gate.slope,
                gate.hinged,
                cut.tall,
                cut.wide,
                **ROUNDED,
            )
