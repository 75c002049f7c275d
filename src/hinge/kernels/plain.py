"""Which tensors the compiled kernels of activations read, and by what numbers they know dtypes."""

from __future__ import annotations

import torch

from hinge.kernels import elementwise
from hinge.kernels.elementwise import TYPES

__all__ = ["TYPES", "is_plain"]


def is_plain(*tensors: torch.Tensor) -> bool:
    """Whether each fills its memory in the CPU without gaps, all with the same one of `TYPES`."""
    dtype = tensors[0].dtype
    return all(x.dtype == dtype and elementwise.takes(x) for x in tensors)
