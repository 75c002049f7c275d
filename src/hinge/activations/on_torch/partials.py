"""The torch function that differentiates a function of several numbers by its partials."""

from __future__ import annotations

from typing import Any

import torch

from hinge.activations.joint_call import JointCall


class WithPartials(torch.autograd.Function):
    """``apply(call, *arrays)`` is ``call.value(*arrays)``; only the arrays are kept for backward.

    The call computes with torch operations, so that its derivatives can be differentiated again.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(call: JointCall, *arrays: torch.Tensor) -> torch.Tensor:
        """Compute the values."""
        values: torch.Tensor = call.value(*arrays)
        return values

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], _output: torch.Tensor) -> None:
        """Keep the arrays for both modes of differentiation."""
        ctx.call, *arrays = inputs
        ctx.save_for_backward(*arrays)
        ctx.save_for_forward(*arrays)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Reverse mode: gradient times the Jacobian."""
        return None, *ctx.call.pullback(gradient, *ctx.saved_tensors)

    @staticmethod
    def jvp(ctx: Any, _call: None, *tangents: torch.Tensor) -> torch.Tensor:
        """Forward mode: the Jacobian times the tangents."""
        result: torch.Tensor = ctx.call.pushforward(tangents, *ctx.saved_tensors)
        return result
