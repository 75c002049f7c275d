"""The running counts of one site: batches and other tallies are added, nothing grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hinge.census.exact import ExactSums
from hinge.kernels import COUNTS, SUMS, Measured
from hinge.units import Counts, Feed, Observed, Reals, Site, Traits

_VALUES = COUNTS.index("values")
_PENDING = 1 << 16  # terms gathered before they are added: one pass over many is cheaper


@dataclass
class Tally:
    """What was counted at one site; ``table`` holds a row for each of `COUNTS`.

    Adding the same batches in any order and grouping gives the same tally, bit for bit.
    Zeros and sums rest on ``sampled`` of the values: on all, unless some batches were only
    counted.
    """

    site: Site
    traits: Traits
    table: Counts
    min: Reals
    max: Reals
    sums: ExactSums
    reached: Counts
    reachable: Counts
    sampled: Counts
    watched: int = 0
    feed: Callable[[], Feed] | None = None
    _pending: list[Reals] = field(default_factory=list)

    @classmethod
    def empty(cls, site: Site, traits: Traits) -> Tally:
        """A tally of nothing."""
        n = site.n_units
        return cls(
            site,
            traits,
            np.zeros((len(COUNTS), n), np.int64),
            np.full(n, np.inf),
            np.full(n, -np.inf),
            ExactSums.zeros(len(SUMS) * n),
            np.zeros(n, np.int64),
            np.zeros(n, np.int64),
            np.zeros(n, np.int64),
        )

    @property
    def counts(self) -> dict[str, Counts]:
        """The rows of the table by name."""
        return dict(zip(COUNTS, self.table, strict=True))

    def add(self, batch: Measured) -> None:
        """Add one batch."""
        self.table += batch.counts
        np.minimum(self.min, batch.min, out=self.min)
        np.maximum(self.max, batch.max, out=self.max)
        self.sampled += batch.counts[_VALUES]
        self._pending.append(batch.sums.ravel())
        if len(self._pending) * self._pending[0].size >= _PENDING:
            self.settle()

    def settle(self) -> None:
        """Bring the sums up to date."""
        if self._pending:
            self.sums.add(np.stack(self._pending))
            self._pending.clear()

    def merge(self, other: Tally) -> None:
        """Add all that another tally of the same site holds."""
        self.settle()
        other.settle()
        self.table += other.table
        np.minimum(self.min, other.min, out=self.min)
        np.maximum(self.max, other.max, out=self.max)
        self.sums.merge(other.sums)
        self.reached += other.reached
        self.reachable += other.reachable
        self.sampled += other.sampled
        self.watched += other.watched
        self.feed = self.feed or other.feed

    def observed(self) -> Observed:
        """The counts so far as a value of its own."""
        self.settle()
        total, squares, magnitude = np.split(self.sums.totals(), len(SUMS))
        counts = {name: row.copy() for name, row in self.counts.items()}
        nothing = counts["seen"] == 0
        unknown = self.sampled == 0
        n = np.where(unknown, 1, self.sampled)
        mean = np.where(unknown, np.nan, total / n)
        var = np.maximum(squares / n - mean * mean, 0.0)
        return Observed(
            site=self.site,
            traits=self.traits,
            min=np.where(nothing, np.nan, self.min),
            max=np.where(nothing, np.nan, self.max),
            mean=mean,
            var=np.where(unknown, np.nan, np.where(self.min == self.max, 0.0, var)),
            strength=np.where(unknown, np.nan, magnitude / n),
            reached=self.reached.copy() if self.watched else None,
            reachable=self.reachable.copy() if self.watched else None,
            watched=self.watched,
            sampled=self.sampled.copy(),
            **counts,
        )
