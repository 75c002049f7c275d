"""The functions of several numbers as modules: gated, concatenated, selecting.

They take a tensor of float16, bfloat16, float32 or float64 and work along its axis ``dim``.
Calls raise `hinge.errors.DataError` for an axis that does not divide.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from hinge import activations
from hinge.activations import JointActivation
from hinge.activations.on_torch import JointOperator, check_real


class Joint(torch.nn.Module):
    """Applies ``record``, whose options are the module's attributes of the same names."""

    record: ClassVar[JointActivation]
    _names: ClassVar[tuple[str, ...]]
    _run: ClassVar[JointOperator]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._names = tuple(option.name for option in cls.record.options)
        cls._run = cls.record.on_torch

    def forward(self, input: Tensor) -> Tensor:
        """Apply the function along its axis."""
        check_real(input, self.record.name)
        return self._run.along(input, *[getattr(self, name) for name in self._names])

    def extra_repr(self) -> str:
        """The options, as the constructor takes them."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._names)


class CReLU(Joint):
    """[max(x, 0), max(−x, 0)] side by side along ``dim``, which doubles (Shang et al., 2016)."""

    record = activations.crelu

    def __init__(self, dim: int = 1) -> None:
        super().__init__()
        self.dim = dim


class Maxout(Joint):
    """The largest of each ``pieces`` neighbours along ``dim`` (Goodfellow et al., 2013).

    The neighbours are usually the outputs of ``pieces`` affine maps; ``dim`` shrinks by as much.
    """

    record = activations.maxout

    def __init__(self, pieces: int = 2, dim: int = 1) -> None:
        super().__init__()
        self.pieces, self.dim = pieces, dim


class TopK(Joint):
    """Keeps the ``k`` largest entries along ``dim``; the rest become 0 (Makhzani & Frey, 2013)."""

    record = activations.topk

    def __init__(self, k: int, dim: int = -1) -> None:
        super().__init__()
        self.k, self.dim = k, dim


class GLU(Joint, torch.nn.GLU):
    """`torch.nn.GLU`: a·σ(b) for the halves a, b of ``dim`` (Dauphin et al., 2016)."""

    record = activations.glu


class ReGLU(Joint):
    """max(a, 0)·b for the halves a, b of ``dim`` (Shazeer, 2020)."""

    record = activations.reglu

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim


class GEGLU(ReGLU):
    """gelu(a)·b for the halves a, b of ``dim``, with the exact GELU (Shazeer, 2020)."""

    record = activations.geglu


class SwiGLU(ReGLU):
    """silu(a)·b for the halves a, b of ``dim`` (Shazeer, 2020)."""

    record = activations.swiglu
