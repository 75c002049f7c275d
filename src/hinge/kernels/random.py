"""RReLU with slopes that are a function of a seed, so that nothing random need be kept."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from hinge.kernels.native import native
from hinge.kernels.plain import TYPES, is_plain


def takes(x: torch.Tensor) -> bool:
    """Whether `rrelu` can read ``x``: contiguous, of a dtype in `TYPES`."""
    return is_plain(x) and x.is_contiguous()


def rrelu(x: torch.Tensor, lower: float, upper: float, seed: int) -> torch.Tensor:
    """Give x where x > 0, else x times a random slope, another for each element.

    Xu et al., Empirical Evaluation of Rectified Activations in Convolutional Network, 2015, as
    torch states it: the slope is uniform in [lower, upper]. Element i in row-major order takes
    the upper 24 bits of word i of the Philox4x32-10 stream whose key is ``seed``, four words to
    a counter (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011).

    Parameters
    ----------
    x
        A tensor that `takes` allows.
    lower, upper
        The ends of the interval of slopes.
    seed
        In [0, 2⁶⁴).

    Returns
    -------
    torch.Tensor
        Like ``x``: the same bits on every machine and any number of threads.
    """
    y = torch.empty_like(x)
    native.rrelu(
        TYPES[x.dtype],
        x.data_ptr(),
        y.data_ptr(),
        x.numel(),
        lower,
        upper,
        seed,
        torch.get_num_threads(),
    )
    return y


def rrelu_backward(
    gradient: torch.Tensor, kept: torch.Tensor, lower: float, upper: float, seed: int
) -> torch.Tensor:
    """Give the gradient of x, with the slopes that `rrelu` drew; at 0 too the slope.

    ``kept`` is the input or, if ``lower`` > 0, the output: its signs are those of x. NaN there
    gives NaN.
    """
    gradient = gradient.contiguous()
    out = torch.empty_like(kept)
    native.rrelu_backward(
        TYPES[kept.dtype],
        gradient.data_ptr(),
        kept.data_ptr(),
        out.data_ptr(),
        kept.numel(),
        lower,
        upper,
        seed,
        torch.get_num_threads(),
    )
    return out


def slopes(
    shape: Sequence[int], dtype: torch.dtype, lower: float, upper: float, seed: int
) -> torch.Tensor:
    """Give the slopes that `rrelu` draws for a tensor of this shape, rounded to ``dtype``."""
    below = torch.full(tuple(shape), -1.0, dtype=dtype, device="cpu")
    return -rrelu(below, lower, upper, seed)
