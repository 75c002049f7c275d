"""Means, variances and strengths of a watched site, taken from the sampled steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hinge.census.measure import both_laid_out, measure, reduced
from hinge.census.tally import Tally
from hinge.census.watching.counting.shot import on_its_way
from hinge.kernels import COUNTS
from hinge.tracing.arrangement import Arrangement
from hinge.units import Site, Traits

_VALUES = COUNTS.index("values")


@dataclass(frozen=True, eq=False)
class Batch:
    """Of one sampled batch: how many values each unit had, and the sums of z, z² and |h|."""

    values: torch.Tensor
    sums: torch.Tensor

    def on_its_way(self) -> Batch:
        """A copy on the host, or on its way there."""
        return Batch(on_its_way(self.values), on_its_way(self.sums))


class Moments:
    """The moments of one site, and those of its ``latest`` batch (None before the first).

    On an accelerator they are summed up there, and only `tally` waits for it.
    """

    def __init__(self, site: Site, traits: Traits) -> None:
        self.latest: Batch | None = None
        self._tally = Tally.empty(site, traits)
        self._there: tuple[torch.Tensor, torch.Tensor] | None = None

    def add(self, z: torch.Tensor, h: torch.Tensor, arrangement: Arrangement) -> None:
        """Take the moments of one batch."""
        if z.device.type != "cpu":
            self._add_there(z, h, arrangement)
            return
        batch = measure(z, h, arrangement, self._tally.traits)
        self._tally.add(batch)
        self.latest = Batch(torch.from_numpy(batch.counts[_VALUES]), torch.from_numpy(batch.sums))

    def _add_there(self, z: torch.Tensor, h: torch.Tensor, arrangement: Arrangement) -> None:
        z, h, units_last = both_laid_out(z, h, arrangement)
        counts, _, _, sums = reduced(z, h, self._tally.traits, axis=1 if units_last else 2)
        self.latest = Batch(counts[_VALUES], sums)
        before = self._there
        self._there = (counts, sums) if before is None else (before[0] + counts, before[1] + sums)

    def tally(self) -> Tally:
        """The moments as a tally of its own, whose counts are those of the sampled steps."""
        found = Tally.empty(self._tally.site, self._tally.traits)
        found.merge(self._tally)
        if self._there is not None:
            counts, sums = (part.cpu().numpy() for part in self._there)
            found.table += counts
            found.sampled += counts[_VALUES]
            found.sums.add(np.nan_to_num(sums).reshape(1, -1))
        return found
