"""TopK as it is called: Hinge's own, or torch's topk with its choice scattered into zeros."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.weak import WeakIdKeyDictionary

from hinge.activations import topk
from hinge.tracing.operators import Operator, is_zero, next_node_number
from hinge.tracing.provenance import Provenance
from hinge.tracing.recognition import Match


@dataclass(frozen=True, eq=False)
class Choice:
    """What a topk chose among: its input, along which axis, and its node in the autograd graph."""

    z: torch.Tensor
    axis: int
    node: int


class Selections:
    """The choices of one pass: each is kept as long as its indices are alive."""

    def __init__(self) -> None:
        self._by_indices: Any = WeakIdKeyDictionary()
        self._values: Any = WeakIdKeyDictionary()

    def chosen(self, operator: Operator, args: Any, kwargs: Any, out: Any) -> None:
        """An operator ran; if it was a topk, remember what it chose."""
        if operator.name != "topk":
            return
        z, axis = args[0], operator.bind(args, kwargs)["dim"]
        values, indices = out
        self._by_indices[indices] = Choice(z, axis % max(1, z.ndim), next_node_number() - 1)
        self._values[values] = True

    def are_values(self, x: torch.Tensor) -> bool:
        """Whether a tensor holds what was chosen: a rectifier on it belongs to the selection."""
        return x in self._values

    def match(
        self, operator: Operator, args: Any, kwargs: Any, seen: Provenance
    ) -> tuple[Match, int | None] | None:
        """The selection that this operator completes, and the node that brings its gradient."""
        if operator.name == "hinge::topk":
            return ((topk, {}, args[0]), None) if not seen[args[0]].parameter else None
        if operator.name != "scatter":
            return None
        arguments = operator.bind(args, kwargs)
        into, source = arguments["self"], arguments.get("src")
        choice = self._by_indices.get(arguments["index"])
        if choice is None or not isinstance(source, torch.Tensor):
            return None
        same = into.shape == choice.z.shape and arguments["dim"] % into.ndim == choice.axis
        if not same or not into.is_floating_point() or not is_zero(into):
            return None
        return (topk, {}, choice.z), choice.node
