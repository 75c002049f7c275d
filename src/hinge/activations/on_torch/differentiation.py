"""How torch differentiates an activation: through the kernels, or through the operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from hinge.activations.on_torch.formulas import Formulas, Numbers, along
from hinge.activations.on_torch.plain import is_plain
from hinge.activations.on_torch.registration import Registered
from hinge.kernels import elementwise
from hinge.kernels.elementwise import Keeps

Tensor = torch.Tensor

Layout = tuple[torch.Size, tuple[int, ...]]
"""Shape and strides of the input, as the kernel met it."""


@dataclass(frozen=True)
class Call:
    """An activation with its parameters.

    ``kernel`` is None where none serves these parameters; ``twin`` is torch's own function
    with them, if there is one. ``torch_below``: tensors with fewer elements go there unseen.
    """

    formulas: Formulas
    operators: Registered
    numbers: Numbers
    kernel: elementwise.Kernel | None = None
    twin: Callable[[Tensor], Tensor] | None = None
    right_at_infinity: bool = False
    torch_below: Mapping[torch.dtype, int] = field(default_factory=dict)

    def values(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """f(x) by the kernel, into ``out`` if given."""
        return elementwise.forward(self.formulas.name, x, self.numbers, out)

    def slopes_times(self, gradient: Tensor, kept: Tensor, layout: Layout) -> Tensor:
        """Gradient times the derivative by the kernel, from what it keeps."""
        if gradient.stride() != layout[1]:
            gradient = gradient.new_empty_strided(*layout).copy_(gradient)
        return elementwise.backward(self.formulas.name, gradient, kept, self.numbers)

    @property
    def keeps(self) -> Keeps | None:
        """What the kernel's backward pass needs."""
        return None if self.kernel is None else self.kernel.keeps


class Compiled(torch.autograd.Function):
    """``apply(x, call, in_place)`` for an ordinary tensor that the kernels take.

    Keeps what the kernel's backward pass needs and nothing else.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, call: Call, in_place: bool) -> Tensor:  # noqa: FBT001  apply takes no names
        """Compute the values, into ``x`` if asked to."""
        ctx.call, ctx.layout, keeps = call, (x.shape, x.stride()), call.keeps
        out = x if in_place else None
        if in_place:
            ctx.mark_dirty(x)
        if keeps is Keeps.BITS:
            y, kept = elementwise.forward_with_bits(call.formulas.name, x, call.numbers)
            y = x.copy_(y) if in_place else y
        elif keeps is Keeps.OUTPUT:
            y = kept = call.values(x, out)
        else:
            kept = x.clone() if in_place else x
            y = call.values(x, out)
        ctx.save_for_backward(kept)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Gradient times the derivative, in one pass."""
        (kept,) = ctx.saved_tensors
        if torch.is_grad_enabled() or not is_plain(gradient):
            return Slope.apply(gradient, kept, ctx.call, ctx.layout), None, None
        return ctx.call.slopes_times(gradient, kept, ctx.layout), None, None


class Slope(torch.autograd.Function):
    """``apply(gradient, kept, call, layout)``: the backward pass of `Compiled`, differentiable."""

    generate_vmap_rule = True

    @staticmethod
    def forward(gradient: Tensor, kept: Tensor, call: Call, layout: Layout) -> Tensor:
        """Gradient times the derivative; the gradient may be a batch of gradients."""
        if is_plain(gradient):
            return call.slopes_times(gradient, kept, layout)
        ones = kept.new_empty_strided(*layout, dtype=gradient.dtype).fill_(1)
        return gradient * call.slopes_times(ones, kept, layout)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        """Keep both factors."""
        gradient, kept, ctx.call, ctx.layout = inputs
        ctx.save_for_backward(gradient, kept)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        """To the gradient f', to what was kept what it means for f'."""
        gradient, kept = ctx.saved_tensors
        call: Call = ctx.call
        bend = None
        if call.keeps is Keeps.INPUT:
            bend = outer * gradient * call.formulas.second(kept, call.numbers)
        elif call.formulas.slope_of_value is not None:
            bend = outer * gradient * along(call.formulas.slope_of_value, kept, call.numbers)
        return Slope.apply(outer, kept, call, ctx.layout), bend, None, None


class Transformable(torch.autograd.Function):
    """``apply(x, call)`` for whatever torch does to a call: transforms, modes, other devices."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, call: Call) -> Tensor:
        """Compute the values."""
        values: Tensor = call.operators.value(x, *call.numbers)
        return values

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Call], output: Tensor) -> None:  # noqa: ARG004
        """Keep the input for both modes of differentiation."""
        x, ctx.call = inputs
        if not ctx.call.formulas.flat:
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Reverse mode: gradient times the derivative."""
        if ctx.call.formulas.flat:
            return torch.zeros_like(gradient), None
        (x,) = ctx.saved_tensors
        return TransformableSlope.apply(gradient, x, ctx.call), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        """Forward mode: tangent times the derivative."""
        if ctx.call.formulas.flat:
            return torch.zeros_like(tangent)
        (x,) = ctx.saved_tensors
        moved: Tensor = TransformableSlope.apply(tangent, x, ctx.call)
        return moved


class TransformableSlope(torch.autograd.Function):
    """``apply(gradient, x, call)`` is gradient · f'(x), differentiable in both modes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(gradient: Tensor, x: Tensor, call: Call) -> Tensor:
        """Compute the product."""
        product: Tensor = call.operators.backward(gradient, x, *call.numbers)
        return product

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Call], output: Tensor) -> None:  # noqa: ARG004
        """Keep both factors."""
        gradient, x, ctx.call = inputs
        ctx.save_for_backward(gradient, x)
        ctx.save_for_forward(gradient, x)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, Tensor, None]:
        """To the gradient f'(x), to the input f''(x)."""
        gradient, x = ctx.saved_tensors
        call: Call = ctx.call
        bend = outer * gradient * call.formulas.second(x, call.numbers)
        return TransformableSlope.apply(outer, x, call), bend, None

    @staticmethod
    def jvp(ctx: Any, along_gradient: Tensor | None, along_x: Tensor | None, _: None) -> Tensor:
        """Compute the product rule; a factor that stands still adds nothing."""
        gradient, x = ctx.saved_tensors
        call: Call = ctx.call
        moved = torch.zeros_like(x)
        if along_gradient is not None:
            moved = moved + TransformableSlope.apply(along_gradient, x, call)
        if along_x is not None:
            moved = moved + along_x * gradient * call.formulas.second(x, call.numbers)
        return moved
