"""A tensor operator as torch dispatches it: its name, and its arguments by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch


@dataclass(frozen=True)
class Operator:
    """What is needed of an operator's schema; the name of an in-place one is that of its twin.

    An operator that is not torch's own keeps its namespace: ``hinge::silu``.
    """

    name: str
    in_place: bool
    arguments: tuple[str, ...]
    defaults: dict[str, Any]

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by name, defaults filled in."""
        return {**self.defaults, **dict(zip(self.arguments, args, strict=False)), **kwargs}


@cache
def operator_of(function: Any) -> Operator:
    """The operator behind what a dispatch mode is given to call."""
    schema = function._schema  # noqa: SLF001 - the operator's public face has no schema
    name = schema.name.removeprefix("aten::")
    in_place = schema.is_mutable and name.endswith("_") and not name.endswith("__")
    return Operator(
        name.removesuffix("_") if in_place else name,
        in_place,
        tuple(argument.name for argument in schema.arguments),
        {a.name: a.default_value for a in schema.arguments if a.has_default_value()},
    )


def tensors_among(values: Any) -> list[torch.Tensor]:
    """The tensors among an operator's arguments or results, lists included."""
    found = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found.extend(x for x in value if isinstance(x, torch.Tensor))
    return found


def next_node_number() -> int:
    """The number that autograd gives to the node it makes next in this thread."""
    return int(torch._C._autograd._get_sequence_nr())  # noqa: SLF001 - torch has no public name for it


def is_zero(value: Any) -> bool:
    """Whether a number or a whole tensor is zero."""
    return not value.any() if isinstance(value, torch.Tensor) else value == 0
