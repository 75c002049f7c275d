"""Asks of one call whether torch's own function serves it as well as a kernel."""

from __future__ import annotations

import torch

from hinge.activations.on_torch.checks import REAL
from hinge.kernels.elementwise import within
from hinge.kernels.handover import EVERYWHERE, Handover, handover


def handovers(name: str) -> dict[torch.dtype, Handover]:
    """What holds for a record, by the dtype of its input."""
    return {dtype: handover(name, str(dtype).removeprefix("torch.")) for dtype in REAL}


def serves(own: Handover, x: torch.Tensor) -> bool:
    """Whether torch serves a plain tensor: a small one, all of whose numbers it gets right."""
    if own.right is None or x.numel() >= own.below:
        return False
    if own.right is EVERYWHERE:
        return True
    return x.is_cpu and x.is_contiguous() and not x.is_neg() and within(x, *own.right)
