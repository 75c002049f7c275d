"""The dead units of a site sorted by what they need, and what chance says of units born dead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hinge.diagnosis.finding import Finding, Mask
from hinge.units import Observed, Reals, Verdict

_NAMED = 3


@dataclass(frozen=True, eq=False)
class Silent:
    """The dead units of one site, sorted; in ``n_dead`` also those that starve.

    A unit whose inputs are all dead starves: only the units before it can help.
    ``depths``: of those with a kink whose pre-activation varies, in standard deviations;
    ``missing``: what those among them lack to the kink that a bias can lift. ``constant``,
    ``negative`` (no positive weight on inputs that are never negative) and ``outdone`` (others
    win where units compete): the numbers of those that need new weights.
    """

    of: int
    n_dead: int
    depths: Reals
    missing: Reals
    constant: int
    negative: int
    outdone: int

    @property
    def depth(self) -> float:
        """The median depth, in standard deviations."""
        return float(np.median(self.depths))

    @property
    def own(self) -> int:
        """How many are dead for a reason of their own site."""
        return self.depths.size + self.hopeless

    @property
    def liftable(self) -> int:
        """How many a higher bias brings back."""
        return self.missing.size

    @property
    def hopeless(self) -> int:
        """How many their own weights cannot bring back."""
        return self.constant + self.negative + self.outdone


def silent_units(
    observed: Mapping[str, Observed], findings: Sequence[Finding], rare: float
) -> dict[str, Silent]:
    """The dead units of each site."""
    return {name: _silent(name, site, findings, rare) for name, site in observed.items()}


def _silent(name: str, site: Observed, findings: Sequence[Finding], rare: float) -> Silent:
    dead = np.asarray(site.verdicts(rare) == str(Verdict.DEAD))
    starved = _named(name, "upstream death", findings, dead)
    negative = _named(name, "negative weights", findings, dead) & ~starved
    own = dead & ~starved & ~negative
    varying = own & (site.var > 0)
    kinked = varying & np.isfinite(site.depth)
    return Silent(
        of=site.site.n_units,
        n_dead=int(dead.sum()),
        depths=site.depth[kinked],
        missing=site.missing[kinked],
        constant=int((own & ~varying).sum()),
        negative=int(negative.sum()),
        outdone=int((varying & ~kinked).sum()),
    )


def _named(site: str, kind: str, findings: Sequence[Finding], like: Mask) -> Mask:
    """The units of a site that findings of a kind are about."""
    mask = np.zeros_like(like)
    for finding in findings:
        if finding.site == site and finding.kind == kind:
            mask[list(finding.units)] = True
    return mask & like


def chance_born_dead(widths: Iterable[int]) -> float:
    """How likely some layer has no unit that fires at a given input, before training.

    1 - Π (1 - 2^-N) over the layers' widths N, with symmetric weights and no bias: in each
    layer a unit is off with chance one half (Lu et al., "Dying ReLU and Initialization",
    arXiv 1903.06733, 2020).

    >>> chance_born_dead([2, 2, 2, 2])
    0.68359375
    """
    return 1.0 - math.prod(1.0 - 2.0**-width for width in widths)


def units(n: int) -> str:
    """A number of units in words.

    >>> units(1), units(1200)
    ('1 unit', '1,200 units')
    """
    return "1 unit" if n == 1 else f"{n:,} units"


def number(value: float) -> str:
    """A number with two significant digits; "infinite" where it is.

    >>> number(0.123), number(float("inf"))
    ('0.12', 'infinite')
    """
    return "infinite" if math.isinf(value) else f"{value:.2g}"


def named_sites(names: Sequence[str]) -> str:
    """Some sites by name, cut short.

    >>> named_sites(["1", "3", "5", "7"])
    '1, 3, 5 and 1 more'
    """
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
