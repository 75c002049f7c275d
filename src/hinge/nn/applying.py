"""Applies the record of an activation to a tensor, with the parameters of a call."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from hinge import activations
from hinge.activations import Activation, JointActivation
from hinge.activations.on_torch import Operator, check_overwritable, check_real, rrelu
from hinge.errors import DataError, OptionError


def applied(record: Activation, x: Tensor, *numbers: float, inplace: bool = False) -> Tensor:
    """``record`` of ``x`` with a number for each of its parameters, written into ``x`` if asked.

    Raises `DataError` if ``x`` is no tensor of real numbers or cannot be overwritten, and
    `OptionError` for numbers outside their range.
    """
    run: Operator = record.on_torch
    return run.in_place(x, *numbers) if inplace else run(x, *numbers)


def learned(record: Activation, x: Tensor, *parameters: Tensor, **options: float) -> Tensor:
    """``record`` of ``x`` with tensors for parameters: one value each, or one per entry of axis 1.

    Raises `DataError` if the input has no axis 1 of that size.
    """
    check_real(x, record.name)
    spread = [_along_channels(one, x, record) for one in parameters]
    found: Tensor = record.learned_on_torch(x, spread, **options)
    return found


def joined(record: JointActivation, *arrays: Tensor, **options: int) -> Tensor:
    """A function of several numbers of tensors, with its options; raises as the record does."""
    check_real(arrays[0], record.name)
    found: Tensor = record(*arrays, **options)
    return found


def randomized(x: Tensor, lower: float, upper: float, *, inplace: bool) -> Tensor:
    """RReLU while training; raises as `applied` does."""
    ends = checked(activations.rrelu, (lower, upper))
    check_real(x, activations.rrelu.name)
    if not inplace:
        return rrelu(x, *ends)
    check_overwritable(x, activations.rrelu.name)
    return x.copy_(rrelu(x.clone(), *ends))


def gelu_record(approximate: str) -> Activation:
    """The record that torch's ``approximate`` names; `OptionError` for other names."""
    records: dict[str, Activation] = {"none": activations.gelu, "tanh": activations.gelu_tanh}
    if approximate not in records:
        raise OptionError(
            "GELU has no such approximation",
            where="GELU(approximate=...)",
            found=repr(approximate),
            do="pass 'none' for the exact function or 'tanh'",
        )
    return records[approximate]


_CHANNELS = 1
"""The axis of the channels, as everywhere in torch."""


def _along_channels(parameter: Tensor, x: Tensor, record: Activation) -> Tensor:
    """A parameter of C values as one that broadcasts against ``(B, C, ...)``."""
    if parameter.numel() == 1:
        return parameter.reshape(())
    if x.dim() <= _CHANNELS or x.shape[_CHANNELS] != parameter.numel():
        raise DataError(
            "there must be a value for each channel",
            where=f"the parameters of {record.title}",
            found=f"{parameter.numel()} values, an input of shape {tuple(x.shape)}",
            do="pass one value for all, or as many as the input's axis 1 has entries",
        )
    return parameter.reshape(-1, *(1 for _ in x.shape[_CHANNELS + 1 :]))


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def checked(record: Activation, numbers: tuple[Any, ...]) -> tuple[float, ...]:
    """The numbers as floats in their ranges; raises `OptionError` for others."""
    return _checked(record, numbers)


@lru_cache(maxsize=1024)
def _checked(record: Activation, numbers: tuple[Any, ...]) -> tuple[float, ...]:
    names = [parameter.name for parameter in record.parameters]
    return tuple(record.filled(dict(zip(names, numbers, strict=True))).values())
