"""How tensors are cut for the device: matrices of rows and columns, tiles, grids of programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

TILE = 1024
"""Elements that one program treats: a power of two."""

ROUNDED = {"enable_fp_fusion": False}
"""How Triton compiles: a product is rounded before it is added to, unless a formula says not.

The kernels find what roundings lose; to fuse them would make them find something else.
"""


class Tiles(NamedTuple):
    """A grid of programs over a matrix; each takes a tile of ``tall`` rows, ``wide`` columns."""

    rows: int
    columns: int
    tall: int
    wide: int

    @property
    def grid(self) -> tuple[int]:
        """The number of programs."""
        return (-(-self.rows // self.tall) * self.across,)

    @property
    def across(self) -> int:
        """The number of tiles side by side."""
        return -(-self.columns // self.wide)


def tiles(rows: int, columns: int) -> Tiles:
    """Tiles of `TILE` elements, no wider than the power of two that holds a row."""
    wide = min(TILE, 1 << max(columns - 1, 0).bit_length())
    return Tiles(rows, columns, TILE // wide, wide)


def rows_from(shape: Sequence[int], dim: int) -> tuple[int, int]:
    """How many rows the axes before ``dim`` make, and how long a row of the others is."""
    dim %= len(shape)
    return math.prod(shape[:dim]), math.prod(shape[dim:])


def on_device_of(x: Tensor) -> AbstractContextManager[object]:
    """Make x's GPU the current one, which Triton launches on."""
    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()
