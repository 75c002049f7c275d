"""Registers an activation with torch: ``torch.ops.hinge.NAME`` and ``NAME_backward``.

Compilers, exporters, dispatch modes and vmap see each as one operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from hinge.activations.on_torch.formulas import Formulas
from hinge.kernels import elementwise, gpu

Tensor = torch.Tensor

LIBRARY = torch.library.Library("hinge", "DEF")
TAGS = (torch.Tag.pt2_compliant_tag,)


@dataclass(frozen=True)
class Registered:
    """Two operators: ``value(x, *numbers)`` and ``backward(gradient, x, *numbers)``."""

    value: Any
    backward: Any


def register(formulas: Formulas) -> Registered:
    """Define both operators, with rules for autograd, fake tensors and vmap."""
    numbers = "".join(f", float {name}" for name in formulas.parameters)
    value = _define(formulas.name, f"Tensor x{numbers}", _Value(formulas))
    backward = _define(
        f"{formulas.name}_backward", f"Tensor gradient, Tensor x{numbers}", _Backward(formulas)
    )

    def keep_input(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
        ctx.save_for_backward(inputs[0])
        ctx.numbers = inputs[1:]

    def pull_back(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        (x,) = ctx.saved_tensors
        return backward(gradient, x, *ctx.numbers), *(None for _ in ctx.numbers)

    def keep_both(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
        ctx.save_for_backward(*inputs[:2])
        ctx.numbers = inputs[2:]

    def pull_back_again(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        first, x = ctx.saved_tensors
        bend = gradient * first * formulas.second(x, ctx.numbers)
        return backward(gradient, x, *ctx.numbers), bend, *(None for _ in ctx.numbers)

    for operator, keep, pull in (
        (formulas.name, keep_input, pull_back),
        (f"{formulas.name}_backward", keep_both, pull_back_again),
    ):
        torch.library.register_autograd(f"hinge::{operator}", pull, setup_context=keep, lib=LIBRARY)
    return Registered(value, backward)


class _Value:
    """f(x) on any device: by the kernel, or by the formula."""

    def __init__(self, formulas: Formulas) -> None:
        self.formulas = formulas
        self.has_kernel = formulas.name in elementwise.KERNELS

    def __call__(self, x: Tensor, *numbers: float) -> Tensor:
        name = self.formulas.name
        if self.has_kernel and elementwise.takes(x := dense(x)):
            return elementwise.forward(name, x, numbers)
        on_gpu = _gpu_kernels(name, x)
        if on_gpu is not None:
            return like(on_gpu.forward(name, x.contiguous(), numbers), x)
        return like(self.formulas.value(x, numbers), x)


class _Backward:
    """gradient · f'(x) on any device: by the kernel, or by the formula."""

    def __init__(self, formulas: Formulas) -> None:
        self.formulas = formulas
        kernel = elementwise.KERNELS.get(formulas.name)
        self.has_kernel = kernel is not None
        self.fused = kernel is not None and kernel.keeps is elementwise.Keeps.INPUT

    def __call__(self, gradient: Tensor, x: Tensor, *numbers: float) -> Tensor:
        name = self.formulas.name
        if self.has_kernel and elementwise.takes(x := dense(x)):
            if self.fused and elementwise.takes(gradient := like(gradient, x), x):
                return elementwise.backward(name, gradient, x, numbers)
            return like(gradient * elementwise.derivative(name, x, numbers), x)
        on_gpu = _gpu_kernels(name, x)
        if on_gpu is not None:
            pulled = on_gpu.backward(name, gradient.contiguous(), x.contiguous(), numbers)
            return like(pulled, x)
        return like(gradient * self.formulas.derivative(x, numbers), x)


def _gpu_kernels(name: str, x: Tensor) -> Any:
    """The kernels for a GPU, if ``x`` lies on one and they have this one."""
    if not x.is_cuda or not gpu.takes(x.contiguous()):
        return None
    on_gpu = gpu.kernels("elementwise")
    return on_gpu if name in on_gpu.KERNELS else None


def dense(x: Tensor) -> Tensor:
    """``x``, or a copy of it where its elements do not fill one block of memory."""
    return x if elementwise.is_dense(x) else torch.empty_like(x).copy_(x)


def like(y: Tensor, x: Tensor) -> Tensor:
    """``y`` with the layout of ``empty_like(x)``."""
    return y if y.stride() == x.stride() else torch.empty_like(x).copy_(y)


def _define(name: str, arguments: str, body: Any) -> Any:
    LIBRARY.define(f"{name}({arguments}) -> Tensor", tags=(*TAGS, torch.Tag.pointwise))
    LIBRARY.impl(name, body, "CompositeExplicitAutograd")
    operator = getattr(torch.ops.hinge, name).default
    tensors = arguments.count("Tensor ")

    def fake(*given: Any) -> Tensor:
        return torch.empty_like(given[tensors - 1])

    def batched(info: Any, axes: tuple[Any, ...], *given: Any) -> tuple[Tensor, int]:
        moved = [_front(x, axis, info.batch_size) for x, axis in zip(given, axes, strict=True)]
        return operator(*moved), 0

    torch.library.register_fake(f"hinge::{name}", fake, lib=LIBRARY)
    torch.library.register_vmap(f"hinge::{name}", batched, lib=LIBRARY)
    return operator


def _front(x: Any, axis: int | None, size: int) -> Any:
    """A batch along axis 0, which an unbatched tensor gets; numbers pass."""
    if not isinstance(x, Tensor):
        return x
    return x.expand(size, *x.shape) if axis is None else x.movedim(axis, 0)
