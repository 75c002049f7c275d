"""A finding: what was found at a site, the evidence, and what would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.page import Tone
from hinge.units import RARE, Feed, Observed, Verdict

Mask = npt.NDArray[np.bool_]
NARROW = "\u202f"
"""A narrow space at which no line breaks: between a number and its unit."""
_RUNS = 12  # runs of units that a finding names


@dataclass(frozen=True)
class Finding:
    """Something about the units of one site that its owner should know.

    ``kind`` is a short fixed name; ``title``, ``evidence`` and each of ``helps`` are
    whole sentences in plain text.
    """

    kind: str
    site: str
    units: tuple[int, ...]
    tone: Tone
    title: str
    evidence: str
    helps: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """The units by their numbers, runs joined, cut short: "0-8, 12, 20-21, …"."""
        return named_units(self.units)


def named_units(units: Sequence[int]) -> str:
    """Name units by their ascending numbers, runs joined, cut short.

    >>> named_units([0, 1, 2, 12, 20, 21])
    '0-2, 12, 20-21'
    """
    runs: list[list[int]] = []
    for unit in units:
        if runs and unit == runs[-1][1] + 1:
            runs[-1][1] = unit
        else:
            runs.append([unit, unit])
    parts = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs]
    return ", ".join(parts[:_RUNS]) + (", …" if len(parts) > _RUNS else "")


@dataclass(frozen=True)
class Case:
    """What a rule may look at: one site, the layer behind it, and all other sites."""

    name: str
    observed: Observed
    feed: Feed | None
    others: Mapping[str, Observed]
    rare: float = RARE

    @property
    def n_units(self) -> int:
        """The number of units of the site."""
        return self.observed.site.n_units

    def having(self, verdict: Verdict) -> Mask:
        """Which units have this verdict."""
        return np.asarray(self.observed.verdicts(self.rare) == str(verdict))

    def finding(
        self, kind: str, units: Mask, tone: Tone, title: str, evidence: str, *helps: str
    ) -> Finding:
        """A finding about these units of this site."""
        indices = tuple(np.flatnonzero(units).tolist())
        return Finding(kind, self.name, indices, tone, title, evidence, helps)


def counted(n: int, of: int, what: str) -> str:
    """A count in words: "all 8 units are dead", "1 of 8 units is dead".

    >>> counted(1, 8, "dead")
    '1 of 8 units is dead'
    """
    if n == of:
        return f"all {of:,} units are {what}" if of > 1 else f"the only unit is {what}"
    return f"{n:,} of {of:,} units {'is' if n == 1 else 'are'} {what}"


def percent(share: float) -> str:
    """A share in per cent with two significant digits, which no line breaks.

    >>> percent(0.00208).replace(NARROW, " ")
    '0.21 %'
    """
    return f"{100 * share:.2g}{NARROW}%"


def sentence(text: str) -> str:
    """The text with a capital first letter and a full stop."""
    return text[:1].upper() + text[1:] + "."
