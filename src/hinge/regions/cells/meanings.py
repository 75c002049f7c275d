"""What the marks of a program say of some entries of a step: one row per entry and break."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hinge.regions.cells.bits import WORD
from hinge.regions.plane.topology import Numbers
from hinge.regions.programs.program import Program


@dataclass(frozen=True, eq=False)
class Readings:
    """One row per entry and break that some form speaks of, each array ``(n,)`` int64.

    Entry ``entries[i]`` of the step's pre-activation is at its ``break_index[i]``-th break
    where the form ``marks[i]`` is 0. Rows are in the order of the entries and of the breaks.
    """

    entries: Numbers
    break_index: Numbers
    marks: Numbers


def readings(program: Program, step: str, entries: Numbers) -> Readings:
    """The rows of these entries (flat) of a step; none where it has no break in the domain."""
    rows = [np.empty((0, 3), dtype=np.int64)]
    for meaning, first in zip(program.meanings, program.first_words, strict=False):
        if meaning.step == step and not meaning.winner:
            told = (meaning.entries, meaning.break_index, meaning.forms + first * WORD)
            chosen = np.isin(meaning.entries, entries) & (meaning.forms >= 0)
            rows.append(np.column_stack(told)[chosen])
    found = np.concatenate(rows)
    found = found[np.lexsort((found[:, 1], found[:, 0]))]
    return Readings(found[:, 0], found[:, 1], found[:, 2])
