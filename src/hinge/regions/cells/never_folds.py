"""Units that are proven not to fold on a domain: on one piece in all of its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hinge.regions.cells.layouts import Layout, Layouts
from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.signs import Bools
from hinge.regions.programs.program import Meaning

State = Literal["off", "on", "linear"]


@dataclass(frozen=True)
class NeverFolds:
    """A unit that is linear on the whole domain.

    ``state``: ``off``, left of the first break for every input of the domain; ``on``, right
    of the last one; ``linear``, between two, or not on the same piece at all positions.
    """

    site: str
    unit: int
    state: State


def never_folds(patterns: Patterns, known: Layouts) -> tuple[NeverFolds, ...]:
    """The units, in order, that change their piece nowhere on the domain."""
    found: list[NeverFolds] = []
    for fold, meaning in enumerate(patterns.program.meanings):
        if meaning.winner or meaning.step not in known:
            continue
        some, every = patterns.positive(fold)
        layout = known[meaning.step]
        fixed, off, on = _entries(meaning, layout, ~some, every)
        found += [
            NeverFolds(meaning.step, unit, "off" if lowest else "on" if highest else "linear")
            for unit, lowest, highest in _units(layout, fixed, off, on)
        ]
    return tuple(found)


def _entries(
    meaning: Meaning, layout: Layout, never: Bools, always: Bools
) -> tuple[Bools, Bools, Bools]:
    """Which entries are on one piece everywhere, on the first, and on the last."""
    size = int(np.prod(layout.shape))
    fixed, off, on = np.ones(size, np.bool_), np.ones(size, np.bool_), np.ones(size, np.bool_)
    np.logical_and.at(fixed, meaning.entries, never | always)
    np.logical_and.at(off, meaning.entries, never)
    np.logical_and.at(on, meaning.entries, always)
    without = np.ones(size, np.bool_)
    without[meaning.entries] = False  # a slope that never changes: such an entry is on
    return fixed, off & ~without, on


def _units(layout: Layout, fixed: Bools, off: Bools, on: Bools) -> list[tuple[int, bool, bool]]:
    """The units all of whose entries are fixed, with whether all are off, and all on."""
    units = layout.units
    count = int(units.max(initial=-1)) + 1
    whole = np.bincount(units, minlength=count) if units.min(initial=0) >= 0 else np.zeros(0)
    shares = [np.bincount(units[one], minlength=count) == whole for one in (fixed, off, on)]
    return [
        (unit, bool(shares[1][unit]), bool(shares[2][unit]))
        for unit in np.flatnonzero(shares[0] & (whole > 0)).tolist()
    ]
