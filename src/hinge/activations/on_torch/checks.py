"""What an activation refuses of a tensor: other numbers than real ones, and to overwrite a leaf."""

from __future__ import annotations

from typing import Any

import torch

from hinge.activations.arrays import not_real
from hinge.errors import DataError

REAL = frozenset((torch.float16, torch.bfloat16, torch.float32, torch.float64))
"""The dtypes of inputs."""


def check_real(x: Any, name: str) -> None:
    """Raise `DataError` unless ``x`` is a tensor of real numbers in floating point."""
    if not isinstance(x, torch.Tensor):
        raise DataError(
            "this is no torch tensor",
            where=f"the input of {name}",
            found=f"{type(x).__module__}.{type(x).__qualname__}",
            do=f"pass a tensor, or call hinge.activations.{name}, which takes other arrays too",
        )
    if x.dtype not in REAL:
        raise not_real(x, f"{name}(x)")


def check_overwritable(x: torch.Tensor, name: str) -> None:
    """Raise `DataError` for a leaf whose gradient is wanted, or a view of one."""
    owner = x if x._base is None else x._base  # noqa: SLF001  the tensor that a view shows
    if owner.requires_grad and owner.is_leaf and torch.is_grad_enabled():
        raise DataError(
            "a tensor whose gradient is wanted cannot be overwritten",
            where=f"{name}(x) in place",
            found=f"a leaf of shape {tuple(owner.shape)} that requires a gradient",
            do="leave inplace=False, or pass the result of another operation",
        )
