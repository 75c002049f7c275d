"""Randomized Leaky ReLU as a module: random slopes while training, their mean otherwise."""

from __future__ import annotations

import torch
from torch import Tensor

from hinge.nn import functional


class RReLU(torch.nn.RReLU):
    """`torch.nn.RReLU` by Philox counters: nothing random is kept for the backward pass.

    Training draws one seed from torch's default generator for each call; `torch.manual_seed`
    repeats it. Also float16, and under `torch.func.vmap` with its ``randomness``.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation, elementwise."""
        return functional.rrelu(input, self.lower, self.upper, self.training, self.inplace)
