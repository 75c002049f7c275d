"""What the marks of a program say of a step: its entries, its units, the breaks of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from hinge.layout import Place
from hinge.network import Activate, Network
from hinge.regions.bits import WORD
from hinge.regions.program import Program
from hinge.regions.topology import NONE, Numbers


@dataclass(frozen=True, eq=False)
class Readings:
    """One row per entry and break of one step's pre-activation, each array ``(n,)``.

    Row i is positive, that is, entry ``entries[i]`` is above its ``break_index[i]``-th break,
    where the form ``marks[i]`` has the sign ``orientation[i]``; where ``marks[i]`` is -1 the
    row has the sign ``orientation[i]`` everywhere. ``units[i]`` is the entry's unit.
    """

    entries: Numbers
    break_index: Numbers
    marks: Numbers
    orientation: npt.NDArray[np.int8]
    units: Numbers


def readings(program: Program, network: Network, site: str) -> Readings:
    """The rows of a site. Raises `OptionError` where the network has no such site."""
    place, step = network.place(site), network.step(site)
    assert isinstance(step, Activate)  # noqa: S101 - else `place` has raised
    return readings_of(program, site, units_of(place, step.shape))


def readings_of(program: Program, step: str, units: Numbers) -> Readings:
    """The rows of a step; ``units`` ``(n_entries,)`` holds the unit of each flat entry."""
    entries, breaks, marks, orientation = [], [], [], []
    for meaning, first in zip(program.meanings, program.first_words, strict=False):
        if meaning.step == step and not meaning.winner:
            entries.append(meaning.entries)
            breaks.append(meaning.break_index)
            marks.append(np.where(meaning.forms < 0, NONE, meaning.forms + first * WORD))
            orientation.append(meaning.orientation)
    if not entries:
        none = np.empty(0, dtype=np.int64)
        return Readings(none, none, none, none.astype(np.int8), none)
    held = np.concatenate(entries)
    return Readings(
        held,
        np.concatenate(breaks),
        np.concatenate(marks),
        np.concatenate(orientation),
        units[held],
    )


def units_of(place: Place, shape: Sequence[int]) -> Numbers:
    """The unit of each flat entry of one example's pre-activation, ``(prod(shape),)``.

    ``place`` counts the batch as axis 0, ``shape`` does not have it.

    >>> units_of(Place(axis=1, size=2), (2, 3))
    array([0, 0, 0, 1, 1, 1])
    """
    axis = place.axis - 1
    positions = np.arange(shape[axis]) // place.inner % place.size
    return np.tile(np.repeat(positions, prod(shape[axis + 1 :])), prod(shape[:axis]))
