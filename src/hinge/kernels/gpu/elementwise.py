"""The elementwise activations on a GPU: values and gradients, each in one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from hinge.kernels.gpu.launch import ROUNDED, TILE, on_device_of
from hinge.kernels.gpu.programs import elementwise as programs
from hinge.kernels.gpu.programs import rectifiers, smooth
from hinge.kernels.gpu.programs.mathematics import split


@dataclass(frozen=True)
class Kernel:
    """One activation: its record's name, the names of its parameters in order.

    ``value`` and ``slope`` are device functions of x and two numbers, which ``numbers`` makes
    of the parameters.
    """

    name: str
    parameters: tuple[str, ...]
    value: Any
    slope: Any
    numbers: Callable[..., tuple[float, float]]


def _none() -> tuple[float, float]:
    return 0.0, 0.0


def _one(number: float) -> tuple[float, float]:
    return float(number), 0.0


def _two(number: float, other: float) -> tuple[float, float]:
    return float(number), float(other)


def _kernel(
    name: str,
    module: Any,
    numbers: Callable[..., tuple[float, float]] = _none,
    parameters: tuple[str, ...] = (),
    function: str = "",
) -> Kernel:
    function = function or name
    slope = getattr(module, f"{function}_slope")
    return Kernel(name, parameters, getattr(module, function), slope, numbers)


KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {
        kernel.name: kernel
        for kernel in (
            _kernel("silu", smooth, split, ("beta",)),
            _kernel("quick_gelu", smooth, lambda: split(1.702), function="silu"),
            _kernel("gelu", smooth),
            _kernel("gelu_tanh", smooth),
            _kernel("mish", smooth),
            _kernel("tanhshrink", smooth),
            _kernel("softsign", smooth),
            _kernel("squareplus", smooth, _one, ("b",)),
            _kernel("hardswish", rectifiers),
            _kernel("squared_relu", rectifiers),
            _kernel("star_relu", rectifiers, _two, ("scale", "bias")),
        )
    }
)
"""Every kernel by its name. All keep the input for their backward pass, and nothing else."""


def forward(name: str, x: Tensor, parameters: tuple[float, ...] = ()) -> Tensor:
    """Compute f(x) in float32, rounded once to the dtype of ``x``.

    Parameters
    ----------
    name
        A key of `KERNELS`.
    x
        A tensor that `hinge.kernels.gpu.takes` allows.
    parameters
        A number for each of the kernel's parameters.

    Returns
    -------
    Tensor
        A new tensor like ``x``.

    Raises
    ------
    KeyError
        There is no such kernel.
    ValueError
        The number of parameters is wrong.
    """
    kernel = KERNELS[name]
    numbers = _numbers(kernel, parameters)
    y = torch.empty_like(x)
    if size := x.numel():
        with on_device_of(x):
            programs.values[_grid(size)](x, y, size, *numbers, kernel.value, TILE, **ROUNDED)
    return y


def backward(name: str, gradient: Tensor, x: Tensor, parameters: tuple[float, ...] = ()) -> Tensor:
    """Compute gradient · f'(x); where f' is 0 the result is 0, whatever the gradient is.

    ``gradient`` is of x's shape and dtype; the rest as for `forward`.
    """
    kernel = KERNELS[name]
    numbers = _numbers(kernel, parameters)
    gradient = gradient.contiguous()
    out = torch.empty_like(x)
    if size := x.numel():
        with on_device_of(x):
            programs.gradients[_grid(size)](
                gradient, x, out, size, *numbers, kernel.slope, TILE, **ROUNDED
            )
    return out


def _grid(size: int) -> tuple[int]:
    return (-(-size // TILE),)


def _numbers(kernel: Kernel, parameters: tuple[float, ...]) -> tuple[float, float]:
    if len(parameters) != len(kernel.parameters):
        listed = ", ".join(kernel.parameters) or "no parameters"
        raise ValueError(f"{kernel.name} takes {listed}, not {len(parameters)} values")
    return kernel.numbers(*parameters)
