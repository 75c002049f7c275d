"""What was counted over the data: the plain facts of a census."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from hinge.census.tally import Tally
from hinge.units import Observed


@dataclass(frozen=True, eq=False)
class Counted:
    """The tallies of all sites, and what became of the examples.

    ``seen``: examples that were run; ``skipped``: examples left out because they held NaN
    or infinity, with ``skipped_at`` the numbers of the first of them in the stream.
    ``complete`` is False when the observation was interrupted. ``notes`` are remarks on
    what could not be counted. ``nonnegative``: no input that was run held a negative number.
    """

    tallies: Mapping[str, Tally]
    seen: int = 0
    skipped: int = 0
    skipped_at: tuple[int, ...] = ()
    complete: bool = True
    notes: tuple[str, ...] = ()
    nonnegative: bool = False

    @cached_property
    def observed(self) -> Mapping[str, Observed]:
        """What the units of each site did, by the site's name."""
        return {name: tally.observed() for name, tally in self.tallies.items()}

    @property
    def n_units(self) -> int:
        """The number of units at all sites together."""
        return sum(tally.site.n_units for tally in self.tallies.values())
