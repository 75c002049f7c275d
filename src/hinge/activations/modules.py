"""Builds torch's own module for an activation, with given parameters."""

from __future__ import annotations

from typing import Any

import torch

from hinge.activations.arrays import dtype_name, to_numpy
from hinge.errors import UnsupportedError


def build(name: str, options: dict[str, float], learned: dict[str, Any]) -> torch.nn.Module:
    """Build ``torch.nn.<name>(**options)`` whose parameters hold the values of ``learned``.

    A module with learned parameters takes their number first, one for each index of the
    input's axis 1, as `torch.nn.PReLU` does. They keep the dtype of an array.
    """
    kind: type[torch.nn.Module] = getattr(torch.nn, name)
    if not learned:
        return kind(**options)
    values = {key: _tensor(number, f"{name}({key}=...)") for key, number in learned.items()}
    module = kind(max(value.numel() for value in values.values()), **options)
    for key, value in values.items():
        setattr(module, key, torch.nn.Parameter(value))
    return module


def _tensor(number: Any, where: str) -> torch.Tensor:
    """One value for each channel; a copy."""
    if isinstance(number, float):
        return torch.tensor([number])
    values = to_numpy(number)
    if max(values.shape, default=1) != values.size:
        raise UnsupportedError(
            "torch's module takes one value per channel",
            where=where,
            found=f"an array of shape {values.shape}",
            do="call the activation itself, which takes any shape that broadcasts",
        )
    dtype = getattr(torch, dtype_name(number))
    return torch.from_numpy(values.reshape(-1).copy()).to(dtype)
