"""Which units the forms of a program belong to."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from hinge.network import Activate, Network
from hinge.regions.cells.patterns import Patterns
from hinge.regions.programs.program import Indices, Program

Flags = npt.NDArray[np.bool_]
Owner = tuple[str, int]
"""The name of a step, a site or a max, and the number of a unit of it."""


class Owners:
    """The units behind forms; a form's *number* counts those of all folds, in order."""

    def __init__(self, network: Network, program: Program) -> None:
        self._network = network
        self._program = program
        sizes = [0, *(fold.n_forms for fold in program.folds)]
        self.starts = np.cumsum(sizes)

    def of(self, number: int) -> tuple[Owner, ...]:
        """The units that fold where this form is 0, each once."""
        fold = int(np.searchsorted(self.starts, number, side="right")) - 1
        meaning = self._program.meanings[fold]
        rows = meaning.forms == number - self.starts[fold]
        units = np.unique(self._units[fold][rows])
        return tuple((meaning.step, int(unit)) for unit in units)

    def never(self, patterns: Patterns) -> dict[str, Flags]:
        """By site, which units are on one piece in all cells: ``(n_units,)``."""
        found = {site.name: np.ones(site.n_units, bool) for site in self._network.sites}
        for fold, meaning in enumerate(self._program.meanings):
            if meaning.step not in found:
                continue
            positive, _ = patterns.counts(fold)
            folding = (positive > 0) & (positive < patterns.n_cells)
            found[meaning.step][self._units[fold][folding]] = False
        return found

    @cached_property
    def _units(self) -> list[Indices]:
        return [self._of_entries(one.step, one.entries) for one in self._program.meanings]

    def _of_entries(self, name: str, entries: Indices) -> Indices:
        step = self._network.step(name)
        place = step.units if isinstance(step, Activate) else step.place
        if place is None or not step.shape:
            return entries
        along = np.unravel_index(entries, step.shape)[place.axis - 1]
        return np.asarray(along // place.inner % place.size)
