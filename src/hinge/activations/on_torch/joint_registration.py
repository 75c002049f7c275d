"""Registers a function of several numbers with torch: ``torch.ops.hinge.NAME`` and its backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from hinge.activations.joint import JointActivation
from hinge.activations.on_torch.registration import LIBRARY, TAGS

Tensor = torch.Tensor
Value = Callable[..., Tensor]
Pullback = Callable[..., list[Tensor]]


def register(record: JointActivation, value: Value, pullback: Pullback) -> Any:
    """Define ``NAME(arrays, options) -> Tensor`` and ``NAME_backward(gradient, ...) -> Tensor[]``.

    The options are whole numbers, in the order of the record. ``value`` and ``pullback`` take
    the same; their results are contiguous. Gives the first operator.
    """
    tensors = ", ".join(f"Tensor {name}" for name in record.arguments)
    options = [option.name for option in record.options]
    signature = tensors + "".join(f", int {name}" for name in options)
    count = len(record.arguments)

    def keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
        ctx.save_for_backward(*inputs[:count])
        ctx.options = inputs[count:]

    def pull(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        found = backward(gradient, *ctx.saved_tensors, *ctx.options)
        return *found, *(None for _ in ctx.options)

    def shaped(*given: Any) -> Tensor:
        shape, chosen = list(given[0].shape), dict(zip(options, given[count:], strict=True))
        if "dim" in chosen:
            axis = chosen.pop("dim")
            shape[axis] = record.width(shape[axis], **chosen)
        empty: Tensor = given[0].new_empty(shape)
        return empty

    def alike(_gradient: Tensor, *given: Any) -> list[Tensor]:
        return [one.new_empty(one.shape) for one in given[:count]]

    name = record.name
    forward = _define(name, f"{signature}) -> Tensor", value, shaped)
    backward = _define(
        f"{name}_backward", f"Tensor gradient, {signature}) -> Tensor[]", pullback, alike
    )
    torch.library.register_autograd(f"hinge::{name}", pull, setup_context=keep, lib=LIBRARY)
    return forward


def _define(name: str, signature: str, body: Any, fake: Any) -> Any:
    LIBRARY.define(f"{name}({signature}", tags=TAGS)
    LIBRARY.impl(name, body, "CompositeExplicitAutograd")
    torch.library.register_fake(f"hinge::{name}", fake, lib=LIBRARY)
    return getattr(torch.ops.hinge, name).default
