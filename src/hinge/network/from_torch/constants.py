"""Holds a program's weights, and computes from them what does not depend on the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.fx import Node
from torch.utils import _pytree as pytree

from hinge.network.building.builder import LARGEST_CONSTANT, Unreadable
from hinge.network.from_torch.node import meta, schema_of


def stored(tensor: Tensor) -> Tensor:
    """Return a copy of its own: a network does not change when the model is trained on."""
    return tensor.detach().to("cpu", copy=True).contiguous()


def folded(node: Node, arguments: Mapping[str, Any]) -> Any:
    """Compute a call on constants, in float64 where they are stored in less."""
    target, shown = node.target, meta(node)
    if isinstance(shown, Tensor) and shown.numel() > LARGEST_CONSTANT:
        raise Unreadable("it computes a constant that is too large")
    if not isinstance(target, OpOverload):
        call: Any = target  # getitem and its like
        return call(*arguments.values())
    if target.namespace != "aten" or torch.Tag.nondeterministic_seeded in target.tags:
        raise Unreadable("it draws random numbers, or is no operator of torch itself")
    wide = pytree.tree_map_only(Tensor, _widened, dict(arguments))
    slots = schema_of(target).arguments
    positional = [wide[slot.name] for slot in slots if not slot.kwarg_only]
    named = {slot.name: wide[slot.name] for slot in slots if slot.kwarg_only}
    with torch.no_grad():
        return target(*positional, **named)


def _widened(tensor: Tensor) -> Tensor:
    return tensor.double() if tensor.is_floating_point() else tensor
