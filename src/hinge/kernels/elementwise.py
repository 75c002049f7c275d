"""The elementwise activations, compiled: values, gradients and derivatives of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import torch
from torch import Tensor

from hinge.kernels.native import native


class Keeps(StrEnum):
    """What the backward pass of a kernel needs.

    ``NOTHING``, the ``INPUT``, the ``OUTPUT``, or ``BITS``: one for each element of the input.
    """

    NOTHING = "nothing"
    INPUT = "input"
    OUTPUT = "output"
    BITS = "bits"


@dataclass(frozen=True)
class Kernel:
    """One activation: its record's name, what it keeps, the names of its parameters in order."""

    name: str
    keeps: Keeps
    parameters: tuple[str, ...]


KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {name: Kernel(name, Keeps(keeps), parameters) for name, keeps, parameters in native.elementwise}
)
"""Every kernel by its name, in the order in which the extension counts them."""

_NUMBERS = {name: number for number, name in enumerate(KERNELS)}
TYPES = {getattr(torch, name): number for number, name in enumerate(native.types)}
"""float32, bfloat16 and float16, by their numbers in the extension; all compute in float32."""

_PLAIN = {Tensor, torch.nn.Parameter}
_SHARED = 1 << 16  # from so many elements on, threads are worth asking for


def takes(*tensors: Tensor) -> bool:
    """Whether the kernels can read tensors: plain ones in main memory, of one layout and dtype.

    The dtype is float32, bfloat16 or float16; sizes and strides are equal; the elements
    fill their memory without gaps and without overlap, in any order of the dimensions.
    """
    first = tensors[0]
    if first.dtype not in TYPES or not _is_plain(first):
        return False
    if len(tensors) == 1:
        return is_dense(first)
    contiguous = first.is_contiguous()
    for x in tensors[1:]:
        if x.dtype is not first.dtype or not _is_plain(x) or x.shape != first.shape:
            return False
        if not (contiguous and x.is_contiguous()) and x.stride() != first.stride():
            return False
    return contiguous or is_dense(first)


def is_dense(x: Tensor) -> bool:
    """Whether the elements fill their memory exactly, in any order of the dimensions."""
    if x.is_contiguous():
        return True
    expected = 1
    for stride, size in sorted(zip(x.stride(), x.shape, strict=True)):
        if size == 0:
            return True
        if size > 1:
            if stride != expected:
                return False
            expected *= size
    return True


def forward(
    name: str, x: Tensor, parameters: tuple[float, ...] = (), out: Tensor | None = None
) -> Tensor:
    """Compute f(x).

    Parameters
    ----------
    name
        A key of `KERNELS`.
    x
        A tensor that `takes` allows.
    parameters
        A value for each of the kernel's parameters. Those that are kinks are rounded to
        the dtype of ``x``, the others to float32.
    out
        Where the result goes: a tensor such that ``takes(x, out)``. It may be ``x`` itself.

    Returns
    -------
    Tensor
        ``out``, or a new tensor like ``x``.

    Raises
    ------
    KeyError
        There is no such kernel.
    ValueError
        The number of parameters is wrong.
    """
    number = _number(name, parameters)
    y = torch.empty_like(x) if out is None else out
    if out is not None and _partly_overlap(x, out):
        return out.copy_(forward(name, x, parameters))
    size = x.numel()
    native.forward(
        number, x.data_ptr(), y.data_ptr(), size, TYPES[x.dtype], parameters, _threads(size)
    )
    return y


def forward_with_bits(
    name: str, x: Tensor, parameters: tuple[float, ...] = ()
) -> tuple[Tensor, Tensor]:
    """Compute f(x), and the bits from which `backward` then works.

    For a kernel that keeps `Keeps.BITS`; arguments and errors are those of `forward`.

    Returns
    -------
    tuple
        A new tensor like ``x``, and a uint8 tensor of shape ``(ceil(n / 8),)`` for ``n``
        elements. Bit ``i % 8`` of byte ``i // 8`` is set where the derivative at element
        ``i``, in the order of the memory, is not zero.
    """
    number = _number(name, parameters)
    y, size = torch.empty_like(x), x.numel()
    bits = x.new_empty((size + 7) // 8, dtype=torch.uint8)
    native.forward_with_bits(
        number,
        x.data_ptr(),
        y.data_ptr(),
        bits.data_ptr(),
        size,
        TYPES[x.dtype],
        parameters,
        _threads(size),
    )
    return y, bits


def backward(
    name: str, gradient: Tensor, kept: Tensor, parameters: tuple[float, ...] = ()
) -> Tensor:
    """Compute gradient · f'(x) from what the kernel keeps.

    ``kept`` is the input, the output or the bits, as `Kernel.keeps` says. ``takes(gradient,
    kept)`` must hold; for bits, ``gradient`` must be laid out as the input was. Where f' is 0
    the result is 0, whatever the gradient is. For `Keeps.OUTPUT` the slopes that shrink with
    x are as exact as the output allows: to within a few ulp of the largest slope.
    Parameters, returns and errors are those of `forward`.
    """
    number = _number(name, parameters)
    result, size = torch.empty_like(gradient), gradient.numel()
    native.backward(
        number,
        gradient.data_ptr(),
        kept.data_ptr(),
        result.data_ptr(),
        size,
        TYPES[gradient.dtype],
        parameters,
        _threads(size),
    )
    return result


def derivative(name: str, x: Tensor, parameters: tuple[float, ...] = ()) -> Tensor:
    """Compute f'(x) from the input, accurate everywhere; the rest as for `forward`."""
    number = _number(name, parameters)
    y, size = torch.empty_like(x), x.numel()
    native.derivative(
        number, x.data_ptr(), y.data_ptr(), size, TYPES[x.dtype], parameters, _threads(size)
    )
    return y


def within(x: Tensor, low: float, high: float) -> bool:
    """Whether every element of a tensor that `takes` allows lies in the open interval.

    NaN lies in none.

    >>> within(torch.tensor([0.5, 2.0]), 0.0, 2.0)
    False
    """
    return native.within(x.data_ptr(), x.numel(), TYPES[x.dtype], low, high)


def _number(name: str, parameters: tuple[float, ...]) -> int:
    wanted = KERNELS[name].parameters
    if len(parameters) != len(wanted):
        listed = ", ".join(wanted) or "no parameters"
        raise ValueError(f"{name} takes {listed}, not {len(parameters)} values")
    return _NUMBERS[name]


def _threads(size: int) -> int:
    return torch.get_num_threads() if size >= _SHARED else 1


def _is_plain(x: Tensor) -> bool:
    """Whether the elements lie in main memory as they are."""
    if type(x) not in _PLAIN or not x.is_cpu or x.is_neg() or x.is_nested:
        return False
    try:
        return x.data_ptr() != 0 or x.numel() == 0
    except RuntimeError:  # a wrapper of `torch.func`, or another layout
        return False


def _partly_overlap(x: Tensor, out: Tensor) -> bool:
    """Whether they share memory without starting at the same element."""
    distance = abs(x.data_ptr() - out.data_ptr())
    return 0 < distance < x.numel() * x.element_size()
