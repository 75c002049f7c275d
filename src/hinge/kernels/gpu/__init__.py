"""Activations as fused Triton kernels: which tensors they take. Triton itself is imported late.

The modules beside this file import Triton, an optional dependency; import them once `takes` has
said yes. Triton's interpreter (``TRITON_INTERPRET=1`` before Triton is imported) runs the same
kernels on tensors in main memory, for tests.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

__all__ = ["DTYPES", "available", "interpreted", "kernels", "takes"]

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
"""What the kernels read and write; all compute in float32."""

_PLAIN = {Tensor, torch.nn.Parameter}


@cache
def available() -> bool:
    """Whether Triton is installed."""
    return find_spec("triton") is not None


@cache
def interpreted() -> bool:
    """Whether Triton's interpreter is asked for, as Triton reads it: once, when it is loaded."""
    return os.environ.get("TRITON_INTERPRET", "").lower() in {"1", "true", "on", "yes", "y"}


def kernels(room: str) -> Any:
    """Give one of the modules beside this file, as "elementwise", which imports Triton."""
    return import_module(f"{__name__}.{room}")


def takes(*tensors: Tensor) -> bool:
    """Whether the kernels can read tensors, and Triton is there to build them.

    They are plain, contiguous, all of one dtype in `DTYPES` and on one NVIDIA GPU; with the
    interpreter, in main memory.
    """
    first = tensors[0]
    return (
        first.dtype in DTYPES
        and all(
            type(x) in _PLAIN
            and x.dtype == first.dtype
            and x.device == first.device
            and x.layout == torch.strided
            and x.is_contiguous()
            and not x.is_neg()
            and _has_memory(x)
            for x in tensors
        )
        and (first.is_cpu if interpreted() else first.is_cuda and torch.version.hip is None)
        and available()
    )


def _has_memory(x: Tensor) -> bool:
    """False for a stand-in: one of `torch.func`'s wrappers, or a zero that is not stored."""
    try:
        return x.data_ptr() != 0 or x.numel() == 0
    except RuntimeError:
        return False
