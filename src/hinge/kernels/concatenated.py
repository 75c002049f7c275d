"""CReLU, the positive and the negative part side by side, in one pass."""

from __future__ import annotations

import math

import torch

from hinge.kernels.native import native
from hinge.kernels.plain import TYPES, is_plain

SHORTEST = 16
"""Shorter rows than this cost more here than several passes of torch."""


def takes(x: torch.Tensor, dim: int) -> bool:
    """Whether `forward` can concatenate along ``dim``.

    ``x`` must be contiguous, of a dtype in `TYPES`, and have at least `SHORTEST` values in the
    axes from ``dim`` on.
    """
    if not is_plain(x) or x.dim() == 0 or not x.is_contiguous():
        return False
    _, inner = _rows(x.shape, dim)
    return inner >= SHORTEST or inner == 0


def forward(
    x: torch.Tensor, dim: int, *, bits: bool = True
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Concatenate relu(x) and relu(−x) along ``dim``.

    Shang et al., Understanding and Improving Convolutional Neural Networks via Concatenated
    Rectified Linear Units, 2016.

    Parameters
    ----------
    x
        A tensor that `takes` allows.
    dim
        The axis whose size doubles.
    bits
        Whether to keep what `backward` needs.

    Returns
    -------
    tuple
        The result, of x's dtype, NaN in both parts where x is NaN; and the signs of x, two bits
        each, in uint8 (None without ``bits``).
    """
    outer, inner = _rows(x.shape, dim)
    shape = list(x.shape)
    shape[dim] *= 2
    y = x.new_empty(shape)
    signs = None
    if bits:
        signs = x.new_empty(native.crelu_bytes(outer * inner), dtype=torch.uint8)
    native.crelu(
        TYPES[x.dtype],
        x.data_ptr(),
        y.data_ptr(),
        0 if signs is None else signs.data_ptr(),
        outer,
        inner,
        torch.get_num_threads(),
    )
    return y, signs


def backward(
    gradient: torch.Tensor, bits: torch.Tensor, shape: torch.Size, dim: int
) -> torch.Tensor:
    """Give the gradient of x, from the ``gradient`` of `forward`'s result.

    It is the gradient of relu(x) where x > 0, less that of relu(−x) where x < 0, 0 where x = 0
    and NaN where x is NaN. ``shape`` is that of x.
    """
    gradient = gradient.contiguous()
    outer, inner = _rows(shape, dim)
    out = gradient.new_empty(shape)
    native.crelu_backward(
        TYPES[gradient.dtype],
        gradient.data_ptr(),
        bits.data_ptr(),
        out.data_ptr(),
        outer,
        inner,
        torch.get_num_threads(),
    )
    return out


def _rows(shape: torch.Size, dim: int) -> tuple[int, int]:
    """How many rows there are along the axes before ``dim``, and how long each is."""
    dim %= len(shape)
    return math.prod(shape[:dim]), math.prod(shape[dim:])
