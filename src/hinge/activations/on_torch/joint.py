"""The functions of several numbers on torch tensors: kernels, operators, or their partials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from hinge.activations.joint import JointActivation
from hinge.activations.joint_call import JointCall
from hinge.activations.on_torch.joint_registration import register
from hinge.activations.on_torch.layouts import in_memory_order
from hinge.activations.on_torch.partials import WithPartials
from hinge.activations.on_torch.plain import is_plain, is_transformed, is_watched
from hinge.activations.on_torch.selection import TWINS
from hinge.kernels import concatenated, gated, gpu

Tensor = torch.Tensor


@dataclass(frozen=True)
class Kernel:
    """How a function of one tensor along one axis is compiled.

    ``forward`` gives the values and what ``backward`` needs. ``again`` is ``backward`` made of
    operations that can be differentiated.
    """

    takes: Callable[[Tensor, int], bool]
    forward: Callable[[Tensor, int], tuple[Tensor, Tensor]]
    backward: Callable[[Tensor, Tensor, torch.Size, int], Tensor]
    again: Callable[[JointCall, Tensor, Tensor, torch.Size], Tensor]


class JointOperator:
    """Calls a kernel, the registered operator ``torch.ops.hinge``, or differentiates by partials.

    The choice is that of `hinge.activations.on_torch.Operator`: a call goes to torch's own
    function where that is as good, an ordinary one to a kernel, one that torch compiles to
    the operator.
    """

    def __init__(self, record: JointActivation) -> None:
        self.record = record
        self.operator = register(record, self._value, self._pullback)
        self._kernels = KERNELS.get(record.name, ())
        self._twin = TWINS.get(record.name)
        self._calls: dict[tuple[Any, ...], JointCall] = {}

    def along(self, x: Tensor, *options: int) -> Tensor:
        """The values for one tensor and all options, in the order of the record.

        A shape that was seen before is not checked again.
        """
        if torch.compiler.is_compiling():
            return self(self._checked((x,), options), x)
        key = (x.shape, x.dtype, options)
        try:
            call = self._calls.get(key)
        except TypeError:  # a size is a symbol
            return self(self._checked((x,), options), x)
        if call is None:
            if len(self._calls) >= _MOST_CALLS:
                self._calls.clear()
            call = self._calls[key] = self._checked((x,), options)
        return self(call, x)

    def _checked(self, arrays: tuple[Tensor, ...], options: tuple[int, ...]) -> JointCall:
        names = [option.name for option in self.record.options]
        return self.record.call(arrays, dict(zip(names, options, strict=True)))

    def __call__(self, call: JointCall, *arrays: Tensor) -> Tensor:
        """The values of a call, differentiable in the arrays."""
        if self._twin is not None:
            found = self._twin(call, *arrays)
            if found is not None:
                return found
        if call.axis is not None and is_plain(arrays[0]):
            ready, back, moved = in_memory_order(arrays[0])
            kernel = self._kernel_for(ready, moved(call.axis))
            if kernel is not None:
                values: Tensor = Fused.apply(ready, replace(call, axis=moved(call.axis)), kernel)
                return back(values)
        if is_watched():
            values = self._watched(call, *arrays)
        elif not torch.compiler.is_compiling():
            values = WithPartials.apply(call, *arrays)
        elif is_transformed():  # torch does not compile an operator's rules
            values = call.value(*arrays)
        else:
            values = self._as_operator(call, *arrays)
        return values

    def _watched(self, call: JointCall, *arrays: Tensor) -> Tensor:
        """In a form in which a dispatch mode sees the activation, and autograd its gradient."""
        if self.record.name in _SEEN_WHOLE:
            return self._as_operator(call, *arrays)
        values: Tensor = call.value(*arrays)
        return values

    def _as_operator(self, call: JointCall, *arrays: Tensor) -> Tensor:
        given = {**call.options, "dim": call.axis}
        options = (given[one.name] for one in self.record.options)
        values: Tensor = self.operator(*arrays, *options)
        return values

    def _kernel_for(self, x: Tensor, axis: int) -> Kernel | None:
        return next((one for one in self._kernels if one.takes(x, axis)), None)

    def _value(self, *given: Any) -> Tensor:
        """The values, as the registered operator gives them."""
        call, arrays = self._call(given)
        if call.axis is not None:
            ready = arrays[0].contiguous()
            kernel = self._kernel_for(ready, call.axis)
            if kernel is not None:
                return kernel.forward(ready, call.axis)[0]
        values: Tensor = call.value(*arrays).contiguous()
        return values

    def _pullback(self, gradient: Tensor, *given: Any) -> list[Tensor]:
        """The gradients of the arrays, as the registered operator gives them."""
        call, arrays = self._call(given)
        return [one.contiguous() for one in call.pullback(gradient, *arrays)]

    def _call(self, given: tuple[Any, ...]) -> tuple[JointCall, tuple[Tensor, ...]]:
        count = len(self.record.arguments)
        return self._checked(given[:count], given[count:]), given[:count]


_SEEN_WHOLE = frozenset(("topk",))
"""What a dispatch mode sees as one operator; the others show it the activation in them."""

_MOST_CALLS = 256
"""Shapes that are remembered."""


class Fused(torch.autograd.Function):
    """``apply(x, call, kernel)`` for an ordinary tensor that the kernel takes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, call: JointCall, kernel: Kernel) -> Tensor:
        """Compute the values."""
        ctx.call, ctx.kernel, ctx.shape = call, kernel, x.shape
        y, kept = kernel.forward(x, call.axis or 0)
        ctx.save_for_backward(kept)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """The gradient of the input, in one pass."""
        (kept,) = ctx.saved_tensors
        if torch.is_grad_enabled() or not is_plain(gradient):
            return ctx.kernel.again(ctx.call, gradient, kept, ctx.shape), None, None
        found = ctx.kernel.backward(gradient, kept, ctx.shape, ctx.call.axis)
        return found, None, None


def _gated(name: str) -> tuple[Kernel, ...]:
    def kernel(takes: Callable[[Tensor, int], bool], kernels: Callable[[], Any]) -> Kernel:
        return Kernel(
            takes=takes,
            forward=lambda x, axis: (kernels().forward(name, x, axis), x),
            backward=lambda gradient, x, _, axis: kernels().backward(
                name, gradient.contiguous(), x, axis
            ),
            again=lambda call, gradient, x, _: call.pullback(gradient, x)[0],
        )

    on_gpu = kernel(lambda x, _: x.is_cuda and gpu.takes(x), lambda: gpu.kernels("gated"))
    return kernel(gated.takes, lambda: gated), on_gpu


def _signs_again(call: JointCall, gradient: Tensor, bits: Tensor, shape: torch.Size) -> Tensor:
    """CReLU's backward pass as a sum of products with its two masks, which are constant."""
    axis = call.axis or 0
    ones = bits.new_ones(shape, dtype=gradient.dtype)
    halves = (ones, torch.zeros_like(ones))
    plus = concatenated.backward(torch.cat(halves, axis), bits, shape, axis)
    minus = concatenated.backward(torch.cat(halves[::-1], axis), bits, shape, axis)
    above, below = gradient.chunk(2, axis)
    return above * plus + below * minus


def _with_signs(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    y, bits = concatenated.forward(x, axis)
    return y, bits if bits is not None else y


def _with_itself(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    y = gpu.kernels("concatenated").forward(x, axis)
    return y, y


def _values_again(call: JointCall, gradient: Tensor, y: Tensor, _: torch.Size) -> Tensor:
    """CReLU's backward pass from its values, whose signs are constant."""
    axis = call.axis or 0
    (above, below), (up, down) = gradient.chunk(2, axis), y.detach().chunk(2, axis)
    return above * (up > 0) - below * (down > 0)


KERNELS: Mapping[str, tuple[Kernel, ...]] = {
    **{name: _gated(name) for name in gated.GATES},
    "crelu": (
        Kernel(
            takes=concatenated.takes,
            forward=_with_signs,
            backward=concatenated.backward,
            again=_signs_again,
        ),
        Kernel(
            takes=lambda x, _: x.is_cuda and gpu.takes(x),
            forward=_with_itself,
            backward=lambda gradient, y, _, axis: gpu.kernels("concatenated").backward(
                gradient.contiguous(), y, axis
            ),
            again=_values_again,
        ),
    ),
}
