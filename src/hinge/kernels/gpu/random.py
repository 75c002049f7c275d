"""RReLU on a GPU, with slopes that are a function of a seed, so that nothing random is kept."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hinge.kernels.gpu.launch import ROUNDED, TILE, on_device_of
from hinge.kernels.gpu.programs import random as programs


def rrelu(x: Tensor, lower: float, upper: float, seed: int) -> Tensor:
    """Give x where x > 0, else x times a random slope, another for each element.

    Xu et al., Empirical Evaluation of Rectified Activations in Convolutional Network, 2015, as
    torch states it: the slope is uniform in [lower, upper]. Element i in row-major order takes
    the upper 24 bits of word i of the Philox4x32-10 stream whose key is ``seed``, four words to
    a counter (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011): the slopes of
    the compiled kernel in main memory.

    Parameters
    ----------
    x
        A tensor that `hinge.kernels.gpu.takes` allows.
    lower, upper
        The ends of the interval of slopes.
    seed
        In [0, 2⁶⁴).

    Returns
    -------
    Tensor
        Like ``x``.
    """
    y = torch.empty_like(x)
    if x.numel():
        with on_device_of(x):
            programs.rrelu[_grid(x)](
                x,
                y,
                x.numel(),
                *_line(lower, upper),
                _signed(seed),
                TILE // 4,
                **ROUNDED,
            )
    return y


def rrelu_backward(gradient: Tensor, kept: Tensor, lower: float, upper: float, seed: int) -> Tensor:
    """Give the gradient of x, with the slopes that `rrelu` drew; at 0 too the slope.

    ``kept`` is the input or, if ``lower`` > 0, the output: its signs are those of x. NaN there
    gives NaN.
    """
    out = torch.empty_like(kept)
    if kept.numel():
        with on_device_of(kept):
            programs.rrelu_backward[_grid(kept)](
                gradient.contiguous(),
                kept,
                out,
                kept.numel(),
                *_line(lower, upper),
                _signed(seed),
                TILE // 4,
                **ROUNDED,
            )
    return out


def _grid(x: Tensor) -> tuple[int]:
    return (-(-x.numel() // TILE),)


def _line(lower: float, upper: float) -> tuple[float, float]:
    """The least slope, and what a unit of 24 bits adds, both float32."""
    low = np.float32(lower)
    return float(low), float((np.float32(upper) - low) * np.float32(2**-24))


def _signed(seed: int) -> int:
    """The same 64 bits as a signed number, which is what Triton passes."""
    return int(np.uint64(seed).astype(np.int64))
