"""Functions with learned parameters, one set per channel: one pass forward, one backward."""

from __future__ import annotations

import math

import torch

from hinge.kernels.native import native
from hinge.kernels.plain import TYPES, is_plain

PARAMETERS = {"prelu": 1, "swish": 1, "star_relu": 2, "srelu": 4, "jump_relu": 1}
"""The functions, and how many parameters each has."""

BANDWIDTH = 0.001
"""The width of JumpReLU's kernel estimate, as its authors chose it."""


def takes(x: torch.Tensor, parameters: tuple[torch.Tensor, ...]) -> bool:
    """Whether `forward` and `backward` can read ``x`` and ``parameters``.

    ``x`` has a dtype in `TYPES` and is contiguous, also in channels-last order. The parameters
    have dtypes in `TYPES` and one value each, or all one for each entry of x's axis 1.
    """
    size = parameters[0].numel()
    return (
        is_plain(x)
        and all(is_plain(p) and p.numel() == size for p in parameters)
        and (size == 1 or (x.dim() > 1 and x.shape[1] == size))
        and (x.is_contiguous() or _is_channels_last(x))
    )


def forward(
    name: str,
    x: torch.Tensor,
    parameters: tuple[torch.Tensor, ...],
    *,
    bandwidth: float = BANDWIDTH,
) -> torch.Tensor:
    """Compute one of `PARAMETERS` of ``x``. A slope of zero gives a constant, also at infinity.

    * ``prelu(weight)``: x where x > 0, else weight·x. He et al., Delving Deep into Rectifiers,
      2015.
    * ``swish(beta)``: x·σ(beta·x). Ramachandran et al., Searching for Activation Functions, 2017.
    * ``star_relu(scale, bias)``: scale·relu(x)² + bias. Yu et al., MetaFormer Baselines for
      Vision, 2022.
    * ``srelu(t_l, a_l, t_r, a_r)``: t_r + a_r·(x − t_r) where x ≥ t_r, else t_l + a_l·(x − t_l)
      where x ≤ t_l, else x. Jin et al., Deep Learning with S-shaped Rectified Linear Activation
      Units, 2015.
    * ``jump_relu(threshold)``: x where x > threshold, else 0. Rajamanoharan et al., Jumping
      Ahead: Improving Reconstruction Fidelity with JumpReLU Sparse Autoencoders, 2024.

    Parameters
    ----------
    name
        One of `PARAMETERS`.
    x, parameters
        Tensors that `takes` allows.
    bandwidth
        Of `backward`; without meaning here.

    Returns
    -------
    torch.Tensor
        With the shape, dtype and layout of ``x``. Computed in float32.
    """
    y = torch.empty_like(x)
    values = _side_by_side(parameters)
    native.per_channel(
        name,
        TYPES[x.dtype],
        x.data_ptr(),
        y.data_ptr(),
        values.data_ptr(),
        *_layout(x, parameters[0].numel()),
        bandwidth,
        torch.get_num_threads(),
    )
    return y


def backward(
    name: str,
    gradient: torch.Tensor,
    x: torch.Tensor,
    parameters: tuple[torch.Tensor, ...],
    *,
    bandwidth: float = BANDWIDTH,
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Give the gradients of ``x`` and of each parameter, from that of `forward`'s result.

    A parameter's gradient is summed in float32 over at most 4096 values, then in float64: the
    same bits on any number of threads. The derivative at a kink: prelu's at 0 is the weight,
    star_relu's at 0 is 0, srelu's at its thresholds are the outer slopes, jump_relu's is 0.
    JumpReLU's derivative in the threshold is the estimate −(threshold / bandwidth) where
    abs(x − threshold) < bandwidth / 2, else 0.

    Parameters
    ----------
    name, x, parameters
        As for `forward`.
    gradient
        Shaped like ``x``, of its dtype; copied if it is not in x's layout.
    bandwidth
        Of the estimate for ``jump_relu``, above 0.

    Returns
    -------
    tuple
        The gradient of ``x``, NaN where ``x`` is NaN, with the layout and dtype of ``x``; and
        those of the parameters, each with the shape and dtype of its parameter.
    """
    if gradient.stride() != x.stride():
        gradient = torch.empty_like(x).copy_(gradient)
    out = torch.empty_like(x)
    values = _side_by_side(parameters)
    channels = parameters[0].numel()
    sums = x.new_empty((len(parameters), channels), dtype=torch.float64)
    native.per_channel_backward(
        name,
        TYPES[x.dtype],
        gradient.data_ptr(),
        x.data_ptr(),
        out.data_ptr(),
        values.data_ptr(),
        sums.data_ptr(),
        *_layout(x, channels),
        bandwidth,
        torch.get_num_threads(),
    )
    return out, tuple(
        total.to(p.dtype).view(p.shape) for total, p in zip(sums.unbind(), parameters, strict=True)
    )


def _is_channels_last(x: torch.Tensor) -> bool:
    order = {4: torch.channels_last, 5: torch.channels_last_3d}.get(x.dim())
    return order is not None and x.is_contiguous(memory_format=order)


def _side_by_side(parameters: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """All parameters in float32, one after the other."""
    if len(parameters) == 1 and parameters[0].dtype == torch.float32:
        return parameters[0]
    return torch.cat([p.detach().reshape(-1).float() for p in parameters])


def _layout(x: torch.Tensor, channels: int) -> tuple[int, int, int]:
    """The lengths of the three axes as the memory has them; the channels are the middle one."""
    if channels == 1:
        return 1, 1, x.numel()
    if x.is_contiguous():
        return x.shape[0], channels, math.prod(x.shape[2:])
    return x.numel() // channels, channels, 1
