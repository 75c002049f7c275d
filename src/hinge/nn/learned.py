"""The activations with learned parameters as modules: one value, or one for each channel.

Channels are axis 1 of the input, as for `torch.nn.PReLU`. The input has any shape
``(B, C, ...)`` and is float16, bfloat16, float32 or float64; the result has its shape and
dtype. With ``num_parameters`` 1 one value serves all channels, and inputs of any shape do.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from hinge import activations
from hinge.activations import Activation
from hinge.activations.on_torch import check_real
from hinge.errors import OptionError
from hinge.nn.applying import learned


class Learned(torch.nn.Module):
    """Applies ``record`` with its parameters, which are the module's of the same names."""

    record: ClassVar[Activation]

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation, elementwise."""
        parameters = [getattr(self, one.name) for one in self.record.parameters]
        return learned(self.record, input, *parameters, **self._options())

    def _options(self) -> dict[str, float]:
        """What the record needs beside its parameters."""
        return {}

    def _hold(self, num_parameters: int, **values: float) -> None:
        """Make a parameter of each value, ``num_parameters`` times."""
        if num_parameters < 1:
            raise OptionError(
                "there is no such number of channels",
                where=f"{type(self).__name__}(num_parameters=...)",
                found=repr(num_parameters),
                do="pass 1 for a value that all channels share, or the number of channels",
            )
        self.num_parameters = num_parameters
        for name, value in values.items():
            setattr(self, name, torch.nn.Parameter(torch.full((num_parameters,), float(value))))

    def extra_repr(self) -> str:
        """How many values each parameter has."""
        return f"num_parameters={self.num_parameters}"


class PReLU(Learned, torch.nn.PReLU):
    """`torch.nn.PReLU` by the record `hinge.activations.prelu` (He et al., 2015)."""

    record = activations.prelu

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation, elementwise."""
        check_real(input, self.record.name)
        fits = self.num_parameters in (1, *input.shape[1:2]) and self.weight.dtype is input.dtype
        if fits and self.record.learned_on_torch.torch_serves(input):
            return torch.nn.functional.prelu(input, self.weight)
        return super().forward(input)


class Swish(Learned):
    """x·σ(β·x) with a learned β (Ramachandran et al., Searching for Activation Functions, 2017)."""

    record = activations.silu

    def __init__(self, num_parameters: int = 1, init: float = 1.0) -> None:
        super().__init__()
        self._hold(num_parameters, beta=init)


class StarReLU(Learned):
    """scale·max(x, 0)² + bias (Yu et al., MetaFormer Baselines for Vision, 2022).

    The defaults, 2/√5 and −1/√5, turn standard normal inputs into outputs of mean 0 and
    variance 1, as the paper derives; its authors' code begins with 1 and 0.
    """

    record = activations.star_relu

    def __init__(
        self, num_parameters: int = 1, scale: float = 2 / 5**0.5, bias: float = -1 / 5**0.5
    ) -> None:
        super().__init__()
        self._hold(num_parameters, scale=scale, bias=bias)


class SReLU(Learned):
    """Three lines that meet at two learned thresholds (Jin et al., 2015).

    Right of ``right_threshold`` the slope is ``right_slope``, left of ``left_threshold``
    ``left_slope``, between them 1.
    """

    record = activations.srelu

    def __init__(
        self,
        num_parameters: int = 1,
        left_threshold: float = 0.0,
        left_slope: float = 0.2,
        right_threshold: float = 1.0,
        right_slope: float = 1.0,
    ) -> None:
        super().__init__()
        self._hold(
            num_parameters,
            left_threshold=left_threshold,
            left_slope=left_slope,
            right_threshold=right_threshold,
            right_slope=right_slope,
        )


class JumpReLU(Learned):
    """x above a learned threshold, else 0 (Rajamanoharan et al., Jumping Ahead, 2024).

    The value does not change with the threshold except by jumps, so that its derivative is
    estimated: −(threshold / ``bandwidth``) where |x − threshold| < ``bandwidth`` / 2, else 0.
    """

    record = activations.jump_relu

    def __init__(
        self, num_parameters: int = 1, threshold: float = 0.001, bandwidth: float = 0.001
    ) -> None:
        super().__init__()
        if not bandwidth > 0:
            raise OptionError(
                "the estimate needs a width",
                where="JumpReLU(bandwidth=...)",
                found=repr(bandwidth),
                do="pass a number above 0; its authors take 0.001",
            )
        self._hold(num_parameters, threshold=threshold)
        self.bandwidth = bandwidth

    def _options(self) -> dict[str, float]:
        return {"bandwidth": self.bandwidth}
