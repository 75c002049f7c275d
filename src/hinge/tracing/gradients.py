"""Which units a gradient reaches: a backward pass over a few examples, in no one's way.

A unit that fires but whose gradient is zero on every example watched is blocked:
nothing behind it depends on it. The gradient is that of a random projection of the
outputs, which vanishes for a unit only if every output's does (with probability 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.graph import Node

from hinge.tracing.trace import Call

Reached = Callable[[Call, torch.Tensor], None]


def send_gradients(output: Any, calls: dict[int, Call], reached: Reached) -> None:
    """Run backward from a model's output, handing on the gradient of each call's input.

    ``calls`` holds the activations by the number of their autograd node.
    No ``.grad`` is written.
    """
    tensors = [x for x in floating(output) if x.grad_fn is not None]
    if not tensors:
        return
    weights = [projection(x) for x in tensors]
    leaves = set()
    for node in _nodes(tensors):
        if hasattr(node, "variable"):
            leaves.add(node.variable)
        elif (call := calls.get(_number(node))) is not None:
            node.register_hook(lambda inputs, _, call=call: _hand_on(inputs, call, reached))
    torch.autograd.grad(tensors, list(leaves), weights, allow_unused=True)


def _hand_on(gradients: tuple[torch.Tensor | None, ...], call: Call, reached: Reached) -> None:
    """The gradient of the pre-activation, among those of the node's inputs."""
    for gradient in gradients:
        if gradient is not None and gradient.numel() >= call.z.numel():
            reached(call, _of_gate(gradient, call.z))
            return


def _of_gate(gradient: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """The part of a gated unit's gradient that belongs to its gate, the second half."""
    pairs = enumerate(zip(gradient.shape, z.shape, strict=False))
    axis = next((axis for axis, (wide, narrow) in pairs if wide == 2 * narrow), None)
    return gradient.reshape(z.shape) if axis is None else gradient.chunk(2, axis)[1]


def _number(node: Node) -> int:
    return int(node._sequence_nr())  # noqa: SLF001 - nor for this one


def _nodes(tensors: list[torch.Tensor]) -> list[Node]:
    """All nodes of the graph behind some tensors."""
    pending = [x.grad_fn for x in tensors if x.grad_fn is not None]
    found = set(pending)
    while pending:
        for node, _ in pending.pop().next_functions:
            if node is not None and node not in found:
                found.add(node)
                pending.append(node)
    return list(found)


def projection(output: torch.Tensor) -> torch.Tensor:
    """Random weights for an output, away from zero, the same at every call."""
    generator = torch.Generator(output.device).manual_seed(0)
    noise = torch.rand(output.shape, generator=generator, device=output.device)
    return (noise + 0.5).to(output.dtype)


def floating(value: Any) -> list[torch.Tensor]:
    """The floating tensors in nested outputs."""
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() else []
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, list | tuple) or hasattr(value, "__iter__"):
        return [x for item in value for x in floating(item)]
    return []
