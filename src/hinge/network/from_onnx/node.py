"""One node of an ONNX graph while it is read: its inputs, attributes and version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hinge.network.building.builder import Builder, Unreadable, Value
from hinge.network.from_torch.aten import Lost

Array = npt.NDArray[Any]

BATCH = 982_451_653
"""Stands for the size of the batch in shapes that a graph computes: a prime no size has."""


@dataclass(frozen=True)
class Node:
    """A node: what it reads is values that depend on the input, arrays, or None.

    ``batch`` is the size of the batch that the file declares, `BATCH` if it is free.
    """

    build: Builder
    kind: str
    inputs: Sequence[Value | Array | Lost | None]
    attributes: Mapping[str, Any]
    opset: int
    batch: int
    n_outputs: int

    @property
    def x(self) -> Value:
        """The first input, which must depend on the network's."""
        found = self.input(0)
        if not isinstance(found, Value):
            raise Unreadable("its first input does not depend on the input")
        return found

    def input(self, position: int) -> Value | Array | None:
        """Return an input; None if it is left out."""
        found = self.inputs[position] if position < len(self.inputs) else None
        if isinstance(found, Lost):
            raise Unreadable("it reads the positions of maxima")
        return found

    def constant(self, position: int) -> Array | None:
        """Return an input that must not depend on the network's."""
        found = self.input(position)
        if isinstance(found, Value):
            raise Unreadable(f"its input {position} depends on the input")
        return found

    def tensor(self, position: int) -> Tensor | None:
        """Return a constant input as a floating-point tensor."""
        found = self.constant(position)
        return None if found is None else tensor_of(found)

    def weight(self, position: int) -> Tensor:
        """Return a constant input that must be there."""
        found = self.tensor(position)
        if found is None:
            raise Unreadable(f"its input {position} is missing")
        return found

    def terms(self) -> list[Value | Tensor]:
        """Return all inputs, constants as tensors."""
        found = [self.input(i) for i in range(len(self.inputs))]
        return [t if isinstance(t, Value) else tensor_of(t) for t in found if t is not None]

    def integers(self, name: str, position: int | None = None) -> list[int] | None:
        """Return integers that are an attribute in old versions and an input in new ones."""
        if name in self.attributes:
            return [int(i) for i in np.ravel(self.attributes[name])]
        found = None if position is None else self.constant(position)
        return None if found is None else [int(i) for i in found.ravel()]

    def get(self, name: str, default: Any) -> Any:
        """Return an attribute, or ``default`` if the node has none of this name."""
        return self.attributes.get(name, default)


Reader = Callable[[Node], Any]


def tensor_of(array: Array) -> Tensor:
    """Return an array as a tensor of its own; floats of 16 bits become float32."""
    if array.dtype == np.float64 or array.dtype.kind in "iub":
        return torch.from_numpy(np.array(array))
    return torch.from_numpy(np.array(array, dtype=np.float32))
