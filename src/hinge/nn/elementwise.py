"""The elementwise activations that torch has as modules too: its names, signatures and state.

Each applies one record of `hinge.activations` to a tensor of any shape and of float16,
bfloat16, float32 or float64; the result has its shape and dtype. Torch's module is the base
class, so that signature, ``state_dict``, ``repr`` and `isinstance` are torch's. Calls raise
`hinge.errors.DataError` for other dtypes and `hinge.errors.OptionError` for parameters
outside their range.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from hinge import activations
from hinge.activations import Activation
from hinge.activations.on_torch import Operator
from hinge.nn.applying import applied, gelu_record


class Elementwise(torch.nn.Module):
    """Applies ``record``, whose parameters are the module's attributes of the same names."""

    record: ClassVar[Activation]
    inplace: bool = False
    _names: ClassVar[tuple[str, ...]]
    _run: ClassVar[Operator]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._names = tuple(parameter.name for parameter in cls.record.parameters)
        cls._run = cls.record.on_torch

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation, elementwise."""
        run, names = self._run, self._names
        numbers = [getattr(self, name) for name in names] if names else ()
        return run.in_place(input, *numbers) if self.inplace else run(input, *numbers)


class ReLU(Elementwise, torch.nn.ReLU):
    """`torch.nn.ReLU` by the record `hinge.activations.relu`."""

    record = activations.relu


class LeakyReLU(Elementwise, torch.nn.LeakyReLU):
    """`torch.nn.LeakyReLU` by the record `hinge.activations.leaky_relu`."""

    record = activations.leaky_relu


class ReLU6(Elementwise, torch.nn.ReLU6):
    """`torch.nn.ReLU6` by the record `hinge.activations.relu6`."""

    record = activations.relu6


class Hardtanh(Elementwise, torch.nn.Hardtanh):
    """`torch.nn.Hardtanh` by the record `hinge.activations.hardtanh`."""

    record = activations.hardtanh


class Hardsigmoid(Elementwise, torch.nn.Hardsigmoid):
    """`torch.nn.Hardsigmoid` by the record `hinge.activations.hardsigmoid`."""

    record = activations.hardsigmoid


class Hardswish(Elementwise, torch.nn.Hardswish):
    """`torch.nn.Hardswish` by the record `hinge.activations.hardswish`."""

    record = activations.hardswish


class Hardshrink(Elementwise, torch.nn.Hardshrink):
    """`torch.nn.Hardshrink` by the record `hinge.activations.hardshrink`."""

    record = activations.hardshrink


class Softshrink(Elementwise, torch.nn.Softshrink):
    """`torch.nn.Softshrink` by the record `hinge.activations.softshrink`."""

    record = activations.softshrink


class ELU(Elementwise, torch.nn.ELU):
    """`torch.nn.ELU` by the record `hinge.activations.elu`."""

    record = activations.elu


class CELU(Elementwise, torch.nn.CELU):
    """`torch.nn.CELU` by the record `hinge.activations.celu`."""

    record = activations.celu


class SELU(Elementwise, torch.nn.SELU):
    """`torch.nn.SELU` by the record `hinge.activations.selu`."""

    record = activations.selu


class Softplus(Elementwise, torch.nn.Softplus):
    """`torch.nn.Softplus` by the record `hinge.activations.softplus`.

    ``threshold`` is kept for torch's sake: no input is switched to the line.
    """

    record = activations.softplus


class Softsign(Elementwise, torch.nn.Softsign):
    """`torch.nn.Softsign` by the record `hinge.activations.softsign`."""

    record = activations.softsign


class Sigmoid(Elementwise, torch.nn.Sigmoid):
    """`torch.nn.Sigmoid` by the record `hinge.activations.sigmoid`."""

    record = activations.sigmoid


class LogSigmoid(Elementwise, torch.nn.LogSigmoid):
    """`torch.nn.LogSigmoid` by the record `hinge.activations.logsigmoid`."""

    record = activations.logsigmoid


class Tanh(Elementwise, torch.nn.Tanh):
    """`torch.nn.Tanh` by the record `hinge.activations.tanh`."""

    record = activations.tanh


class Tanhshrink(Elementwise, torch.nn.Tanhshrink):
    """`torch.nn.Tanhshrink` by the record `hinge.activations.tanhshrink`."""

    record = activations.tanhshrink


class Mish(Elementwise, torch.nn.Mish):
    """`torch.nn.Mish` by the record `hinge.activations.mish`."""

    record = activations.mish


class SiLU(Elementwise, torch.nn.SiLU):
    """`torch.nn.SiLU` by the record `hinge.activations.silu` with ``beta`` 1."""

    record = activations.silu
    beta = 1.0


class GELU(Elementwise, torch.nn.GELU):
    """`torch.nn.GELU` by the records `hinge.activations.gelu` and ``gelu_tanh``."""

    record = activations.gelu

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation, elementwise."""
        return applied(gelu_record(self.approximate), input)
