"""Gated units whose halves are tensors of their own, as two projections give them."""

from __future__ import annotations

from typing import Any

import torch

from hinge.activations.joint import JointActivation
from hinge.activations.on_torch.checks import check_real
from hinge.activations.on_torch.plain import is_plain
from hinge.errors import DataError
from hinge.kernels import gated, gpu

Tensor = torch.Tensor


def gated_pair(record: JointActivation, a: Tensor, b: Tensor) -> Tensor:
    """``record`` of the first half ``a`` and the second half ``b``, of one shape and dtype.

    Keeps the two tensors for the backward pass and nothing else. Raises `DataError` if they
    differ in shape, dtype or device.
    """
    for half in (a, b):
        check_real(half, record.name)
    if (a.shape, a.dtype, a.device) != (b.shape, b.dtype, b.device):
        raise DataError(
            "the halves are no tensors of one kind and shape",
            where=f"{record.name} of two tensors",
            found=f"{a.dtype} of shape {tuple(a.shape)} on {a.device}, "
            f"{b.dtype} of shape {tuple(b.shape)} on {b.device}",
            do="convert or broadcast one of them first",
        )
    if is_plain(a) and is_plain(b):
        first, second = a.contiguous(), b.contiguous()
        if _kernels(first, second) is not None:
            values: Tensor = Fused.apply(first, second, record)
            return values
    return _composed(record, a, b)


class Fused(torch.autograd.Function):
    """``apply(a, b, record)`` for ordinary tensors that the kernels take."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, record: JointActivation) -> Tensor:
        """Compute the values."""
        ctx.record = record
        ctx.save_for_backward(a, b)
        values: Tensor = _kernels(a, b).forward_pair(record.name, a, b)
        return values

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """The gradients of both halves, in one pass."""
        a, b = ctx.saved_tensors
        if torch.is_grad_enabled() or not is_plain(gradient):
            together = torch.stack([a, b], -1)
            found = ctx.record.pullback(gradient.unsqueeze(-1), together, dim=-1)
            return found[..., 0], found[..., 1], None
        pull = _kernels(a, b).backward_pair
        by_a, by_b = pull(ctx.record.name, gradient.contiguous(), a, b)
        return by_a, by_b, None


def _composed(record: JointActivation, a: Tensor, b: Tensor) -> Tensor:
    """The halves side by side along an axis of their own."""
    values: Tensor = record(torch.stack([a, b], -1), dim=-1)
    return values.squeeze(-1)


def _kernels(a: Tensor, b: Tensor) -> Any:
    """The kernels for the device on which the halves lie, or None."""
    if gated.takes_pair(a, b):
        return gated
    return gpu.kernels("gated") if a.is_cuda and gpu.takes(a, b) else None
