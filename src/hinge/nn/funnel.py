"""The funnel activation as a module: the larger of the input and what surrounds it."""

from __future__ import annotations

import torch
from torch import Tensor

from hinge import activations
from hinge.activations.on_torch import check_real
from hinge.nn.applying import joined


class FReLU(torch.nn.Module):
    """max(x, T(x)): T a depthwise convolution and batch normalisation (Ma et al., 2020).

    Parameters
    ----------
    channels
        C of the inputs ``(B, C, H, W)``; the result has their shape.
    kernel_size
        Of the convolution, odd.
    """

    def __init__(self, channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.condition = torch.nn.Sequential(
            torch.nn.Conv2d(
                channels,
                channels,
                kernel_size,
                padding=kernel_size // 2,
                groups=channels,
                bias=False,
            ),
            torch.nn.BatchNorm2d(channels),
        )

    def forward(self, input: Tensor) -> Tensor:
        """Give the larger of each value and its condition."""
        check_real(input, activations.frelu.name)
        return joined(activations.frelu, input, self.condition(input))
