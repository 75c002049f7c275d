"""Tells an ordinary eager call on an ordinary tensor from one that torch traces or transforms."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import forward_ad

_C: Any = torch._C  # noqa: SLF001  torch shows these questions nowhere else

_ORDINARY = (torch.Tensor, torch.nn.Parameter)


def is_plain(x: torch.Tensor) -> bool:
    """Whether ``x`` is what it seems, so that a kernel may read its memory.

    It is not under a compiler, a tracer, a dispatch mode, a function transform or
    forward-mode differentiation, nor if it is of a subclass. Takes 0.3 µs.
    """
    return (
        type(x) in _ORDINARY
        and not torch.compiler.is_compiling()
        and not _C._len_torch_dispatch_stack()  # noqa: SLF001
        and not _C._are_functorch_transforms_active()  # noqa: SLF001 (as below, for speed)
        and forward_ad._current_level < 0  # noqa: SLF001
        and _C._get_tracing_state() is None  # noqa: SLF001
        and not x.is_neg()
        and _has_memory(x)
    )


def _has_memory(x: torch.Tensor) -> bool:
    """False for what stands for many tensors while autograd treats gradients in batches."""
    try:
        x.data_ptr()
    except RuntimeError:
        return False
    return True


def is_watched() -> bool:
    """Whether a dispatch mode sees each operator of an eager call, and nothing rewrites it."""
    return (
        not torch.compiler.is_compiling()  # first: a compiler does not know the other questions
        and _C._len_torch_dispatch_stack() > 0  # noqa: SLF001
        and not is_traced()
        and not is_transformed()
    )


def is_transformed() -> bool:
    """Whether the call is one of `torch.func`, or differentiated in forward mode."""
    return _C._are_functorch_transforms_active() or forward_ad._current_level >= 0  # noqa: SLF001


def is_traced() -> bool:
    """Whether torch writes the calls down in a form that knows torch's own operators only."""
    return _C._get_tracing_state() is not None or torch.onnx.is_in_onnx_export()  # noqa: SLF001
