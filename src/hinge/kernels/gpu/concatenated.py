"""CReLU on a GPU: the positive and the negative part side by side, in one pass each way."""

from __future__ import annotations

import torch
from torch import Tensor

from hinge.kernels.gpu.launch import on_device_of, rows_from, tiles
from hinge.kernels.gpu.programs import concatenated as programs


def forward(x: Tensor, dim: int) -> Tensor:
    """Concatenate relu(x) and relu(−x) along ``dim``.

    Shang et al., Understanding and Improving Convolutional Neural Networks via Concatenated
    Rectified Linear Units, 2016.

    Parameters
    ----------
    x
        A tensor that `hinge.kernels.gpu.takes` allows.
    dim
        The axis whose size doubles.

    Returns
    -------
    Tensor
        Of x's dtype; NaN in both parts where x is NaN.
    """
    cut = tiles(*rows_from(x.shape, dim))
    shape = list(x.shape)
    shape[dim] *= 2
    y = torch.empty(shape, dtype=x.dtype, device=x.device)
    if x.numel():
        with on_device_of(x):
            programs.crelu[cut.grid](x, y, *cut)
    return y


def backward(gradient: Tensor, y: Tensor, dim: int) -> Tensor:
    """Give the gradient of x, from `forward`'s result ``y`` and its ``gradient``.

    It is the gradient of relu(x) where x > 0, less that of relu(−x) where x < 0, 0 where x = 0
    and NaN where x is NaN.
    """
    rows, columns = rows_from(y.shape, dim)
    cut = tiles(rows, columns // 2)
    shape = list(y.shape)
    shape[dim] //= 2
    out = torch.empty(shape, dtype=y.dtype, device=y.device)
    if out.numel():
        with on_device_of(y):
            programs.crelu_backward[cut.grid](gradient.contiguous(), y, out, *cut)
    return out
