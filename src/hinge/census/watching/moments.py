"""Means, variances and strengths of a watched site, taken from the sampled steps."""

from __future__ import annotations

import numpy as np
import torch

from hinge.census.measure import laid_out, measure, reduced
from hinge.census.tally import Tally
from hinge.kernels import COUNTS
from hinge.tracing.arrangement import Arrangement
from hinge.units import Reals, Site, Traits


class Moments:
    """The moments of one site, and those of its latest batch.

    On an accelerator they are summed up there, and only `tally` waits for it.
    """

    def __init__(self, site: Site, traits: Traits) -> None:
        self._tally = Tally.empty(site, traits)
        self._there: tuple[torch.Tensor, torch.Tensor] | None = None
        self._latest: tuple[Reals, Reals, Reals] | None = None

    def add(self, z: torch.Tensor, h: torch.Tensor, arrangement: Arrangement) -> None:
        """Take the moments of one batch."""
        traits = self._tally.traits
        if z.device.type != "cpu":
            self._add_there(z, h, arrangement)
            return
        batch = measure(z, h, arrangement, traits)
        self._tally.add(batch)
        values = np.maximum(batch.by_name()["values"], 1)
        mean, squares, strength = batch.sums / values
        self._latest = mean, np.maximum(squares - mean * mean, 0.0), strength

    def _add_there(self, z: torch.Tensor, h: torch.Tensor, arrangement: Arrangement) -> None:
        laid, units_last = laid_out(z, arrangement)
        out, likewise = laid_out(h, arrangement)
        out = out if likewise == units_last else out.mT.contiguous()
        counts, _, _, sums = reduced(laid, out, self._tally.traits, axis=1 if units_last else 2)
        before = self._there
        self._there = (counts, sums) if before is None else (before[0] + counts, before[1] + sums)

    @property
    def latest(self) -> tuple[Reals, Reals, Reals] | None:
        """Mean, variance and E|h| of each unit in the latest sampled batch; None before the first.

        On an accelerator they are those of all sampled batches.
        """
        if self._there is None:
            return self._latest
        observed = self.tally().observed()
        return observed.mean, observed.var, observed.strength

    def tally(self) -> Tally:
        """The moments as a tally of its own, whose counts are those of the sampled steps."""
        found = Tally.empty(self._tally.site, self._tally.traits)
        found.merge(self._tally)
        if self._there is not None:
            counts, sums = (part.cpu().numpy() for part in self._there)
            found.table += counts
            found.sampled += counts[COUNTS.index("values")]
            found.sums.add(np.nan_to_num(sums).reshape(1, -1))
        return found
