"""The one torch function that differentiates an activation by its declared derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Function = Callable[[torch.Tensor], torch.Tensor]


class WithDerivative(torch.autograd.Function):
    """``apply(x, value, derivative)`` is ``value(x)``; its gradient is ``derivative(x)``.

    ``derivative`` is made of torch operations, so that it can be differentiated again.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor, value: Function, derivative: Function) -> torch.Tensor:  # noqa: ARG004  setup_context keeps it
        """Compute the values."""
        return value(x)

    @staticmethod
    def setup_context(
        ctx: Any, inputs: tuple[torch.Tensor, Function, Function], _output: torch.Tensor
    ) -> None:
        """Keep the input for both modes of differentiation."""
        x, _, ctx.derivative = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """Reverse mode: gradient times the derivative."""
        (x,) = ctx.saved_tensors
        return gradient * ctx.derivative(x), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *_: None) -> torch.Tensor:
        """Forward mode: tangent times the derivative."""
        (x,) = ctx.saved_tensors
        derivative: torch.Tensor = ctx.derivative(x)
        return tangent * derivative
