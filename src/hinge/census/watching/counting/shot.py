"""The state of a site at one moment, copied to the host without waiting for an accelerator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hinge.kernels.glancing import GLANCED
from hinge.units import Counts, Reals

_ROW = {name: row for row, name in enumerate(GLANCED)}


def on_its_way(tensor: torch.Tensor) -> torch.Tensor:
    """A copy on the host: there at once from the main memory, some time later from elsewhere."""
    if tensor.device.type == "cpu":
        return tensor.detach().clone()
    copy = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return copy.copy_(tensor.detach(), non_blocking=True)


@dataclass(frozen=True, eq=False)
class Shot:
    """Copies of a site's counts, reals and marks; read them when `Arrival` says that they came."""

    counts: torch.Tensor
    reals: torch.Tensor
    marks: torch.Tensor | None

    @classmethod
    def of(cls, counts: torch.Tensor, reals: torch.Tensor, marks: torch.Tensor | None) -> Shot:
        """Copy the running state of a site."""
        return cls(
            on_its_way(counts), on_its_way(reals), None if marks is None else on_its_way(marks)
        )

    def counted(self, name: str) -> Counts:
        """One row of the counts; see `hinge.kernels.glancing.GLANCED`."""
        row: Counts = self.counts[_ROW[name]].numpy()
        return row

    @property
    def least(self) -> Reals:
        """The least pre-activation of each unit; inf where none was seen."""
        return np.asarray(self.reals[0].numpy())

    @property
    def most(self) -> Reals:
        """The largest pre-activation of each unit; -inf where none was seen."""
        return np.asarray(self.reals[1].numpy())

    @property
    def top(self) -> Reals:
        """The largest pre-activation of each unit in the latest step."""
        return np.asarray(self.reals[2].numpy())

    @property
    def gradient_steps(self) -> Counts | None:
        """In how many steps each unit got a gradient; None where that cannot be seen."""
        return None if self.marks is None else np.asarray(self.marks[0].numpy())

    @property
    def last_gradient(self) -> Counts | None:
        """The last step in which each unit got a gradient, -1 for none."""
        return None if self.marks is None else np.asarray(self.marks[1].numpy())
