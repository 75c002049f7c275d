"""The steps of a network: affine, activate, max, add, concat; each a value that can be run."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from hinge.activations import Activation, traits_of
from hinge.layout import Place
from hinge.network.maxima import Rule
from hinge.network.operators.affine import Operator, Shape
from hinge.units import Site, Traits

INPUT = "input"
"""The name by which steps refer to the network's own input."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Step(ABC):
    """One step: what it reads, and the shape of what it yields for one example.

    ``inputs`` are names of earlier steps, or `INPUT`. ``place`` tells where the units lie
    in the result (batch included), if that is known.
    """

    name: str
    inputs: tuple[str, ...]
    shape: Shape
    place: Place | None

    @abstractmethod
    def apply(self, *values: Tensor) -> Tensor:
        """The step's result on a batch, from those of its inputs in order."""

    def to(self, dtype: torch.dtype, device: torch.device) -> Step:  # noqa: ARG002 # most have no weights
        """Return the step with its weights in this dtype and on this device."""
        return self

    @property
    def kind(self) -> str:
        """Affine, Activate, Max, Add or Concat."""
        return type(self).__name__

    @property
    def details(self) -> str:
        """What the step does, in a few words."""
        return ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Step):
    """``W x + b`` with an `Operator`."""

    operator: Operator

    @override
    def apply(self, *values: Tensor) -> Tensor:
        return self.operator.apply(values[0])

    @override
    def to(self, dtype: torch.dtype, device: torch.device) -> Step:
        return dataclasses.replace(self, operator=self.operator.to(dtype, device))

    @property
    @override
    def details(self) -> str:
        return str(self.operator)


@dataclass(frozen=True, eq=False, kw_only=True)
class Activate(Step):
    """An elementwise activation: the one place of its `Site`.

    ``parameters`` are floats or tensors that broadcast against the pre-activation.
    ``units`` tells where the site's units lie in the pre-activation (batch included).
    """

    activation: Activation
    parameters: Mapping[str, Any]
    site: Site
    units: Place

    @override
    def apply(self, *values: Tensor) -> Tensor:
        result: Tensor = self.activation(values[0], **self.parameters)
        return result

    @override
    def to(self, dtype: torch.dtype, device: torch.device) -> Step:
        moved = {
            name: value.to(device, dtype) if isinstance(value, Tensor) else value
            for name, value in self.parameters.items()
        }
        return dataclasses.replace(self, parameters=moved)

    @property
    def traits(self) -> Traits:
        """What verdicts need to know of the activation."""
        return traits_of(self.activation, dict(self.parameters))

    @property
    @override
    def details(self) -> str:
        return self.site.activation


@dataclass(frozen=True, eq=False, kw_only=True)
class Max(Step):
    """The largest value of each window, along axes, or of several inputs: see its ``rule``."""

    rule: Rule

    @override
    def apply(self, *values: Tensor) -> Tensor:
        return self.rule.apply(*values)

    @property
    @override
    def details(self) -> str:
        return str(self.rule)


@dataclass(frozen=True, eq=False, kw_only=True)
class Add(Step):
    """The sum of inputs of one shape."""

    @override
    def apply(self, *values: Tensor) -> Tensor:
        total = values[0]
        for value in values[1:]:
            total = total + value
        return total


@dataclass(frozen=True, eq=False, kw_only=True)
class Concat(Step):
    """The inputs one after the other along ``axis`` (the batch is 0)."""

    axis: int

    @override
    def apply(self, *values: Tensor) -> Tensor:
        return torch.cat(values, self.axis)

    @property
    @override
    def details(self) -> str:
        return f"along axis {self.axis}"
