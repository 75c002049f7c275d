"""Shows a tensor as its memory has it, so that no copy is made of one whose channels are last."""

from __future__ import annotations

from collections.abc import Callable

import torch

Tensor = torch.Tensor

_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
_CHANNELS = 1


def in_memory_order(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor], Callable[[int], int]]:
    """Give a contiguous view of ``x``, what brings a result back, and where an axis then lies.

    It is a copy only if ``x`` is contiguous in neither order.
    """
    known = _FORMATS.get(x.dim())
    if known is None or x.is_contiguous() or not x.is_contiguous(memory_format=known):
        return x.contiguous(), _same, _same_axis
    last = x.dim() - 1
    return (
        x.movedim(_CHANNELS, last),
        lambda y: y.movedim(last, _CHANNELS),
        lambda axis: last if axis == _CHANNELS else axis - (axis > _CHANNELS),
    )


def _same(y: Tensor) -> Tensor:
    return y


def _same_axis(axis: int) -> int:
    return axis
