"""Mean and variance of each channel of values that come in parts."""

from __future__ import annotations

import torch
from torch import Tensor

_ROUNDING = 1e-24  # a variance below this share of the squared mean is that of equal numbers


class Moments:
    """Mean and variance of channels, shape ``(channels,)`` each, in float64 on the CPU."""

    def __init__(self, channels: int) -> None:
        self.mean = torch.zeros(channels, dtype=torch.float64)
        self._squares = torch.zeros_like(self.mean)
        self._n = 0

    def add(self, rows: Tensor) -> None:
        """Take in values of shape ``(n, channels)``; parts are joined as Chan et al. do (1979)."""
        rows = rows.detach().double().cpu()
        if not len(rows):
            return
        total, away = self._n + len(rows), rows.mean(0) - self.mean
        self._squares += rows.var(0, correction=0) * len(rows)
        self._squares += away.square() * (self._n * len(rows) / total)
        self.mean += away * (len(rows) / total)
        self._n = total

    @property
    def variance(self) -> Tensor:
        """The variance, as of a whole population; 0 where all values were the same."""
        variance = self._squares / max(self._n, 1)
        return variance * (variance > _ROUNDING * self.mean.square())
