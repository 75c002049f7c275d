"""An activation whose parameters are tensors: learned, one value or one for each channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, Protocol

import torch
from torch.nn import functional

from hinge.activations.on_torch.plain import is_plain, is_traced, is_transformed
from hinge.activations.on_torch.registration import LIBRARY, TAGS, like
from hinge.activations.on_torch.serving import handovers, serves
from hinge.kernels import gpu, per_channel

Tensor = torch.Tensor


class Composed(Protocol):
    """A formula as torch operations; the parameters broadcast against the input."""

    def __call__(self, x: Tensor, parameters: Sequence[Any], bandwidth: float) -> Tensor:
        """Compute the values."""


@dataclass(frozen=True)
class Learned:
    """f(x) with tensors for parameters, differentiable in all of them.

    An ordinary call goes to the kernel of that ``name`` if there is one and the parameters
    vary along one axis at most; every other call to the formula, which torch differentiates.
    """

    name: str
    parameters: tuple[str, ...]
    composed: Composed

    def __call__(
        self, x: Tensor, parameters: Sequence[Any], bandwidth: float = per_channel.BANDWIDTH
    ) -> Tensor:
        """f(x); each parameter is a number or a tensor that broadcasts against ``x``.

        ``bandwidth`` is that of the estimated derivative of a function that jumps.
        """
        found = self._by_torch(x, parameters)
        if found is not None:
            return found
        values: Tensor
        seen = self._by_channel(x, parameters)
        if seen is not None:
            values = Fused.apply(seen[0], self, bandwidth, *seen[1:])
            return values if values.shape == x.shape else values.view(x.shape)
        tensors = [torch.as_tensor(one, device=x.device) for one in parameters]
        if torch.compiler.is_exporting():
            values = self.operator(x, *tensors, bandwidth)
        elif is_transformed() or torch.compiler.is_compiling() or is_traced():
            values = self.composed(x, tensors, bandwidth)
        else:
            values = Recomputed.apply(self, bandwidth, x, *tensors)
        return values

    @cached_property
    def operator(self) -> Any:
        """``torch.ops.hinge.NAME.learned``, which takes tensors for parameters."""
        return register_learned(self)

    def torch_serves(self, x: Tensor) -> bool:
        """Whether torch's operations serve this tensor as well as the kernel."""
        known = _HANDOVERS.get(self.name)
        return known is not None and is_plain(x) and serves(known[x.dtype], x)

    def _by_torch(self, x: Tensor, parameters: Sequence[Any]) -> Tensor | None:
        if not (self.torch_serves(x) or (is_traced() and self.name in _TWINS)):
            return None
        alike = all(isinstance(one, Tensor) and one.dtype is x.dtype for one in parameters)
        return _TWINS[self.name](x, *parameters) if alike else None

    def _by_channel(self, x: Tensor, parameters: Sequence[Any]) -> list[Tensor] | None:
        """``x`` with the channels as axis 1, and the parameters, as the kernel takes them."""
        kernels = _kernels(self.name, x) if is_plain(x) else None
        if kernels is None:
            return None
        given = [torch.as_tensor(one, device=x.device) for one in parameters]
        axes = {axis for one in given for axis in _long_axes(one, x.dim())}
        if len(axes) > 1:
            return None
        axis = next(iter(axes), 1)
        channels = x.shape[axis] if axes else 1
        flat = [one.reshape(-1).expand(channels) for one in given]
        flat = [one if one.is_contiguous() else one.contiguous() for one in flat]
        for arranged in (_same, torch.Tensor.contiguous):  # a copy only where it is needed
            seen = _channels_second(arranged(x), axis)
            if kernels.takes(seen, tuple(flat)):
                return [seen, *flat]
        return None


def _same(x: Tensor) -> Tensor:
    return x


def _channels_second(x: Tensor, axis: int) -> Tensor:
    """``x`` with what lies before ``axis`` in one axis."""
    if axis == 0:
        return x.unsqueeze(0)
    return x.flatten(0, axis - 1) if axis > 1 else x


def _prelu(x: Tensor, weight: Tensor) -> Tensor | None:
    """Torch's weights belong to axis 1."""
    along = _long_axes(weight, x.dim())
    return functional.prelu(x, weight.reshape(-1)) if along in ([], [1]) else None


def _star_relu(x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    return scale * x.relu().square() + bias


_TWINS: dict[str, Callable[..., Tensor | None]] = {"prelu": _prelu, "star_relu": _star_relu}
_HANDOVERS = {name: handovers(name) for name in _TWINS}


class Fused(torch.autograd.Function):
    """``apply(x, learned, bandwidth, *parameters)``: one pass each way; keeps only ``x``."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, learned: Learned, bandwidth: float, *parameters: Tensor
    ) -> Tensor:
        """Compute the values."""
        ctx.learned, ctx.bandwidth = learned, bandwidth
        ctx.save_for_backward(x, *parameters)
        values: Tensor = _kernels(learned.name, x).forward(x, parameters)
        return values

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the input and of every parameter."""
        x, *parameters = ctx.saved_tensors
        if torch.is_grad_enabled() or not is_plain(gradient):
            run = partial(ctx.learned.composed, bandwidth=ctx.bandwidth)
            shape = (-1, *(1 for _ in x.shape[2:]))
            spread = [one.view(()) if one.numel() == 1 else one.view(shape) for one in parameters]
            found = _recomputed(run, gradient, (x, *spread))
            return found[0], None, None, *(one.view(-1) for one in found[1:])
        kernels = _kernels(ctx.learned.name, x)
        by_x, by_parameters = kernels.backward(gradient, x, tuple(parameters), ctx.bandwidth)
        return by_x, None, None, *by_parameters


@dataclass(frozen=True)
class Kernels:
    """The kernels of one function on the device of a tensor."""

    takes: Callable[[Tensor, tuple[Tensor, ...]], bool]
    forward: Callable[[Tensor, tuple[Tensor, ...]], Tensor]
    backward: Callable[..., tuple[Tensor, tuple[Tensor, ...]]]


@cache
def _on_processor(name: str) -> Kernels | None:
    if name not in per_channel.PARAMETERS:
        return None
    return Kernels(
        takes=per_channel.takes,
        forward=partial(per_channel.forward, name),
        backward=lambda gradient, x, parameters, bandwidth: per_channel.backward(
            name, gradient, x, parameters, bandwidth=bandwidth
        ),
    )


@cache
def _on_gpu(name: str) -> Kernels | None:
    if not gpu.available():
        return None
    kernels = gpu.kernels("per_channel")
    if name not in kernels.FUNCTIONS:
        return None
    return Kernels(
        takes=lambda x, parameters: gpu.takes(x) and all(one.is_cuda for one in parameters),
        forward=partial(kernels.forward, name),
        backward=lambda gradient, x, parameters, _: kernels.backward(
            name, gradient.contiguous(), x, parameters
        ),
    )


def _kernels(name: str, x: Tensor) -> Any:
    """The kernels for the device on which ``x`` lies, or None."""
    name = _KERNEL_OF.get(name, name)
    return _on_gpu(name) if x.is_cuda else _on_processor(name)


_KERNEL_OF = {"silu": "swish"}
"""By the record's name, where the kernel has another."""


class Recomputed(torch.autograd.Function):
    """``apply(learned, bandwidth, x, *parameters)``, one operator to whoever looks on.

    Keeps the tensors that it takes and nothing else.
    """

    @staticmethod
    def forward(ctx: Any, learned: Learned, bandwidth: float, *inputs: Tensor) -> Tensor:
        """Compute the values."""
        ctx.run = partial(learned.composed, bandwidth=bandwidth)
        ctx.save_for_backward(*inputs)
        values: Tensor = learned.operator(*inputs, bandwidth)
        return values

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the input and of every parameter."""
        return None, None, *_recomputed(ctx.run, gradient, ctx.saved_tensors)


def register_learned(learned: Learned) -> Any:
    """Define ``hinge::NAME.learned(x, parameters, bandwidth)``, differentiable by the formula."""
    tensors = ", ".join(f"Tensor {name}" for name in learned.parameters)
    name = f"{learned.name}.learned"
    LIBRARY.define(f"{name}(Tensor x, {tensors}, float bandwidth) -> Tensor", tags=TAGS)

    def value(x: Tensor, *given: Any) -> Tensor:
        *parameters, bandwidth = given
        return like(learned.composed(x, parameters, bandwidth), x)

    def keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
        *tensors, ctx.bandwidth = inputs
        ctx.save_for_backward(*tensors)

    def pull(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        run = partial(learned.composed, bandwidth=ctx.bandwidth)
        return *_recomputed(run, gradient, ctx.saved_tensors), None

    LIBRARY.impl(name, value, "CompositeExplicitAutograd")
    operator = getattr(torch.ops.hinge, learned.name).learned
    torch.library.register_fake(operator, lambda x, *_: torch.empty_like(x), lib=LIBRARY)
    torch.library.register_autograd(operator, pull, setup_context=keep, lib=LIBRARY)
    return operator


def _recomputed(
    run: Callable[..., Tensor], gradient: Tensor, inputs: Sequence[Tensor]
) -> Sequence[Tensor]:
    """The gradients of ``run(x, parameters)``, differentiable again where that is asked for."""
    again = torch.is_grad_enabled()
    held = [one if again and one.requires_grad else one.detach().requires_grad_() for one in inputs]
    with torch.enable_grad():
        values = run(held[0], held[1:])
    return torch.autograd.grad(values, held, gradient, create_graph=again)


def _long_axes(parameter: Tensor, dim: int) -> list[int]:
    """The axes of an input of ``dim`` axes along which a parameter may vary."""
    shape = tuple(parameter.shape)
    return [axis for axis, size in enumerate(shape, dim - len(shape)) if size > 1]
