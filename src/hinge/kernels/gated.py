"""Gated linear units, a gate of one half of the features times the other half, in one pass."""

from __future__ import annotations

import math

import torch

from hinge.kernels.native import native
from hinge.kernels.plain import TYPES, is_plain

GATES = {"glu": "sigmoid", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}
"""The units and what gates them: the first half in all but ``glu``, where the second does."""

SHORTEST = 16
"""Shorter rows than this cost more here than several passes of torch."""


def takes(x: torch.Tensor, dim: int) -> bool:
    """Whether `forward` and `backward` can split ``x`` along ``dim``.

    It must be contiguous, of a dtype in `TYPES`, have an even size along ``dim``, and its halves
    must lie in runs of at least `SHORTEST` values.
    """
    if not is_plain(x) or x.dim() == 0 or not x.is_contiguous() or x.shape[dim] % 2:
        return False
    _, inner = _rows(x, dim)
    return inner >= SHORTEST or inner == 0


def takes_pair(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether `forward_pair` and `backward_pair` can read ``a`` and ``b``.

    They must be contiguous, equally shaped and of one dtype in `TYPES`.
    """
    return is_plain(a, b) and a.shape == b.shape and a.is_contiguous() and b.is_contiguous()


def forward(name: str, x: torch.Tensor, dim: int) -> torch.Tensor:
    """Split ``x`` into halves (a, b) along ``dim``: the gate of one times the other.

    ``glu`` is a·σ(b) as in torch (Dauphin et al., Language Modeling with Gated Convolutional
    Networks, 2016); ``reglu``, ``geglu`` and ``swiglu`` are relu(a)·b, gelu(a)·b with the exact
    Φ, and silu(a)·b (Shazeer, GLU Variants Improve Transformer, 2020).

    Parameters
    ----------
    name
        One of `GATES`.
    x
        A tensor that `takes` allows.
    dim
        The axis of the halves.

    Returns
    -------
    torch.Tensor
        Shaped like a half, of x's dtype.
    """
    outer, inner = _rows(x, dim)
    shape = list(x.shape)
    shape[dim] //= 2
    y = x.new_empty(shape)
    a, b = _gate_first(name, *_halves(x, inner))
    native.gated(
        GATES[name],
        TYPES[x.dtype],
        a,
        b,
        y.data_ptr(),
        outer,
        inner,
        2 * inner,
        torch.get_num_threads(),
    )
    return y


def backward(name: str, gradient: torch.Tensor, x: torch.Tensor, dim: int) -> torch.Tensor:
    """Give the gradient of ``x``, from the ``gradient`` of `forward`'s result."""
    gradient = gradient.contiguous()
    outer, inner = _rows(x, dim)
    out = torch.empty_like(x)
    a, b = _gate_first(name, *_halves(x, inner))
    out_a, out_b = _gate_first(name, *_halves(out, inner))
    native.gated_backward(
        GATES[name],
        TYPES[x.dtype],
        gradient.data_ptr(),
        a,
        b,
        out_a,
        out_b,
        outer,
        inner,
        2 * inner,
        torch.get_num_threads(),
    )
    return out


def forward_pair(name: str, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """`forward` for halves that are tensors of their own, as `takes_pair` allows them."""
    y = torch.empty_like(a)
    gate, other = _gate_first(name, a.data_ptr(), b.data_ptr())
    native.gated(
        GATES[name],
        TYPES[a.dtype],
        gate,
        other,
        y.data_ptr(),
        1,
        a.numel(),
        a.numel(),
        torch.get_num_threads(),
    )
    return y


def backward_pair(
    name: str, gradient: torch.Tensor, a: torch.Tensor, b: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the gradients of ``a`` and ``b``, from the ``gradient`` of the result."""
    gradient = gradient.contiguous()
    out_a, out_b = torch.empty_like(a), torch.empty_like(b)
    gate, other = _gate_first(name, a.data_ptr(), b.data_ptr())
    out_gate, out_other = _gate_first(name, out_a.data_ptr(), out_b.data_ptr())
    native.gated_backward(
        GATES[name],
        TYPES[a.dtype],
        gradient.data_ptr(),
        gate,
        other,
        out_gate,
        out_other,
        1,
        a.numel(),
        a.numel(),
        torch.get_num_threads(),
    )
    return out_a, out_b


def _rows(x: torch.Tensor, dim: int) -> tuple[int, int]:
    """How many rows there are along the axes before ``dim``, and how long half a row is."""
    dim %= x.dim()
    return math.prod(x.shape[:dim]), math.prod(x.shape[dim:]) // 2


def _halves(x: torch.Tensor, inner: int) -> tuple[int, int]:
    return x.data_ptr(), x.data_ptr() + inner * x.element_size()


def _gate_first(name: str, a: int, b: int) -> tuple[int, int]:
    return (b, a) if name == "glu" else (a, b)
