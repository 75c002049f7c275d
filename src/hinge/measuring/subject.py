"""What is measured of an activation: a torch module, and the facts of its record."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from torch import nn

from hinge import nn as own
from hinge.activations import Activation, JointActivation, words
from hinge.errors import OptionError

Record = Activation | JointActivation

_NORMAL = NormalDist()
_REACH = 12.0
"""The normal probability beyond is below 1e-32."""

_DIGITS = 12
"""The quadrature's sums of numbers near 1 are no better than this."""

_WIDTH = 64
"""The last axis of the input of a function that works along an axis."""


@dataclass(frozen=True)
class Subject:
    """One activation to measure, whatever kind of record it has.

    ``make`` builds its module. ``axis``: it works along an axis, so that its input has two.
    ``zeros``, ``mean`` and ``variance`` are those of f(z) for standard normal z, None
    where the record does not say.
    """

    name: str
    make: Callable[[], nn.Module]
    gain: float
    lipschitz: float
    zeros: float | None = None
    mean: float | None = None
    variance: float | None = None
    axis: bool = False

    def shape(self, size: int) -> tuple[int, ...]:
        """The shape of an input of about so many elements."""
        return (-(-size // _WIDTH), _WIDTH) if self.axis else (size,)


def subject_of(record: Record, library: str) -> Subject:
    """Prepare a record, with modules of `hinge.nn` or, where there are any, of torch.

    Raises `OptionError` for one that needs more than an array.
    """
    make = partial(module_of, record, library)
    if isinstance(record, Activation):
        mean = round(record.mean, _DIGITS)
        return Subject(
            record.name,
            make,
            record.gain,
            record.lipschitz(),
            zeros=share_of_zeros(record),
            mean=mean,
            variance=record.gain**-2 - mean**2,
        )
    needed = [option.name for option in record.options if option.default is None]
    needed += record.arguments[1:]
    if needed:
        raise OptionError(
            "this function cannot be measured by its name alone",
            where="the names of activations",
            found=f"{record.name}, which needs {', '.join(needed)}",
            do="leave it out",
        )
    return Subject(record.name, make, record.gain(), record.lipschitz(), axis=True)


def module_of(record: Record, library: str) -> nn.Module:
    """Build the module with the default parameters."""
    name = record.names.torch_module
    if library == "torch" and name:
        return record.torch_module() if isinstance(record, Activation) else getattr(nn, name)()  # type: ignore[no-any-return]
    module: nn.Module = _own(record)()
    if isinstance(record, Activation):
        for name, parameter in module.named_parameters():  # it may start from other values
            nn.init.constant_(parameter, words.defaults(record)[name])
    return module


def _own(record: Record) -> Callable[[], nn.Module]:
    """The class of `hinge.nn` that applies a record; with fixed arguments, as GELU by tanh."""
    kinds = [getattr(own, name) for name in own.__all__]
    applying = [kind for kind in kinds if getattr(kind, "record", None) == record]
    name = record.names.torch_module
    named = [kind for kind in applying if kind.__name__ == name]
    if applying:
        return (named or applying)[0]  # type: ignore[no-any-return]
    if hasattr(own, name):
        return partial(getattr(own, name), **record.names.fixed.get("torch", {}))
    return partial(Called, record)


class Called(nn.Module):
    """A record that has no module, as one."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record

    def forward(self, x: torch.Tensor) -> Any:
        """f(x)."""
        return self.record(x)


def share_of_zeros(record: Activation) -> float:
    """P(f(z) = 0), z standard normal, exactly: the stretches on which f is 0."""
    ends = [-math.inf, *record.form.breaks(words.defaults(record)), math.inf]
    share = 0.0
    for left, right in pairwise(ends):
        start, end = np.clip([left, right], -_REACH, _REACH)
        if start < end and not np.any(record(np.linspace(start, end, 7)[1:-1])):
            share += _NORMAL.cdf(right) - _NORMAL.cdf(left)
    return share
