"""Randomized Leaky ReLU while training: random slopes that a seed gives back."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from hinge.activations.on_torch.layouts import in_memory_order
from hinge.activations.on_torch.plain import is_plain
from hinge.activations.on_torch.registration import LIBRARY, TAGS
from hinge.activations.on_torch.serving import handovers, serves
from hinge.kernels import gpu, random

Tensor = torch.Tensor

_HANDOVERS = handovers("rrelu")


def rrelu(x: Tensor, lower: float, upper: float) -> Tensor:
    """Give x where x > 0, else x times a slope drawn from U(lower, upper) for each element.

    The slopes follow from one number of torch's default generator, so that
    `torch.manual_seed` repeats them; nothing random is kept for the backward pass.
    """
    if is_plain(x) and x.dtype is not torch.float16 and serves(_HANDOVERS[x.dtype], x):
        return functional.rrelu(x, lower, upper, training=True)
    seed = torch.randint(1 << 62, (), device="cpu")
    if is_plain(x):
        ready, back, _ = in_memory_order(x)
        if random.takes(ready) or (ready.is_cuda and gpu.takes(ready)):
            values: Tensor = Fused.apply(ready, lower, upper, int(seed))
            return back(values)
    slopes: Tensor = torch.ops.hinge.rrelu_slopes(x.detach(), seed, lower, upper)
    return x * slopes


class Fused(torch.autograd.Function):
    """``apply(x, lower, upper, seed)``: keeps the output, or the input where signs need it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, lower: float, upper: float, seed: int) -> Tensor:
        """Compute the values."""
        y: Tensor = _kernels(x).rrelu(x, lower, upper, seed)
        ctx.slopes = lower, upper, seed
        ctx.save_for_backward(y if lower > 0 else x)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        """The gradient times the slopes, drawn again."""
        (kept,) = ctx.saved_tensors
        pull = _kernels(kept).rrelu_backward
        if torch.is_grad_enabled() or not is_plain(gradient):
            return gradient * pull(torch.ones_like(kept), kept, *ctx.slopes), None, None, None
        return pull(gradient.contiguous(), kept, *ctx.slopes), None, None, None


def _kernels(x: Tensor) -> Any:
    """The kernels for the device on which ``x`` lies; they draw the same numbers."""
    return gpu.kernels("random") if x.is_cuda else random


def _slopes(x: Tensor, seed: Tensor, lower: float, upper: float) -> Tensor:
    """The slope at each element: 1 where x > 0, else the one drawn."""
    drawn = random.slopes(x.shape, torch.float32, lower, upper, int(seed))
    return torch.where(x > 0, 1.0, drawn.to(x.device)).to(x.dtype)


def _batched_slopes(
    info: Any, axes: tuple[Any, ...], x: Tensor, seed: Tensor, *ends: float
) -> tuple[Tensor, int]:
    """Slopes for a batch: with one seed the same for each example, else each with its own."""
    examples = [x] * info.batch_size if axes[0] is None else x.unbind(axes[0])
    seeds = [seed] * info.batch_size if axes[1] is None else seed.unbind(axes[1])
    draw = torch.ops.hinge.rrelu_slopes
    return torch.stack([draw(*one, *ends) for one in zip(examples, seeds, strict=True)]), 0


_NAME = "hinge::rrelu_slopes"
LIBRARY.define("rrelu_slopes(Tensor x, Tensor seed, float lower, float upper) -> Tensor", tags=TAGS)
LIBRARY.impl("rrelu_slopes", _slopes, "CompositeExplicitAutograd")
torch.library.register_fake(_NAME, lambda x, *_: x.new_empty(x.shape), lib=LIBRARY)
torch.library.register_vmap(_NAME, _batched_slopes, lib=LIBRARY)
