"""The step that counts are written under, where the counts are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

_ROOM = 256  # sites whose clocks lie together, so that one operation sets them all


class Clock:
    """Gives each site a clock of its own, int64 of shape ``(2,)``, and sets them all at once.

    The first entry is the step; the second is the kernel's own, see `hinge.kernels.glancing`.
    Setting them does not wait for the device.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._step = 0
        self._blocks: list[torch.Tensor] = []
        self._hands: list[npt.NDArray[np.int64]] = []  # the same memory, where it is set at once
        self._given = 0

    def another(self) -> torch.Tensor:
        """The clock of one more site."""
        block, place = divmod(self._given, _ROOM)
        if not place:
            self._add_block()
        self._given += 1
        return self._blocks[block][place]

    def set(self, step: int) -> None:
        """It is this step from now on."""
        self._step = step
        for hands in self._hands:
            hands[:, 0] = step
        if not self._hands:
            for block in self._blocks:
                block[:, 0] = step

    def _add_block(self) -> None:
        block = torch.zeros(_ROOM, 2, dtype=torch.int64, device=self.device)
        block[:, 0] = self._step
        self._blocks.append(block)
        if self.device.type == "cpu":
            self._hands.append(block.numpy())
