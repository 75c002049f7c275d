"""Where the entries of a step lie: their shape, and the unit that each belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.errors import OptionError
from hinge.layout import Place
from hinge.network import Activate, Max, Network
from hinge.regions.cells.patterns import Pattern, Patterns
from hinge.regions.cells.signs import Numbers


@dataclass(frozen=True)
class Layout:
    """The ``shape`` of what a step holds for one example, and the ``place`` of its units.

    ``place`` counts the batch as axis 0, as `hinge.Network.place` does; None where units are
    not known. ``maximum`` is True of a max step, whose shape is that of its output.
    """

    shape: tuple[int, ...]
    place: Place | None
    maximum: bool = False

    @property
    def units(self) -> Numbers:
        """The unit of every entry, flat, ``(entries,)`` int64; -1 where it is not known."""
        if self.place is None:
            return np.full(int(np.prod(self.shape)), -1, np.int64)
        shape = (1, *self.shape)
        along = np.arange(shape[self.place.axis]) // self.place.inner % self.place.size
        before = [1] * len(shape)
        before[self.place.axis] = -1
        return np.broadcast_to(along.reshape(before), shape).reshape(-1).astype(np.int64)


Layouts = Mapping[str, Layout]
"""By the name of the step."""


def layouts(network: Network) -> dict[str, Layout]:
    """The layouts of the activations and the maxima of a network, by name, in order."""
    found: dict[str, Layout] = {}
    for step in network.steps:
        if isinstance(step, Activate):
            found[step.name] = Layout(step.shape, step.units)
        elif isinstance(step, Max):
            found[step.name] = Layout(step.shape, step.place, maximum=True)
    return found


def pattern_of(patterns: Patterns, cell: int, known: Layouts) -> Pattern:
    """What every step does in a cell, by its name, in the shape of its pre-activation or maxima.

    The numbers are those of `Patterns.states`.
    """
    return {
        step: _filled(found[0], known[step].shape) if step in known else found[0]
        for step, found in patterns.states(np.array([cell])).items()
    }


def _filled(states: npt.NDArray[np.integer], shape: tuple[int, ...]) -> npt.NDArray[np.integer]:
    """The states in their shape; maxima at the end that are of one value each are -1."""
    whole = np.full(int(np.prod(shape)), -1, states.dtype)
    whole[: len(states)] = states
    return whole.reshape(shape)


def entries_of(known: Layouts, site: str, unit: int, where: str) -> Numbers:
    """The entries of a unit of a site, flat. Raises `OptionError` if there is none such."""
    sites = [name for name, one in known.items() if not one.maximum]
    if site not in sites:
        raise OptionError(
            "the network has no such site",
            where=where,
            found=repr(site),
            do="take one of " + ", ".join(sites) if sites else "it has no site at all",
        )
    entries = np.flatnonzero(known[site].units == unit)
    if not len(entries) or unit < 0:
        last = int(known[site].units.max(initial=-1))
        raise OptionError(
            "the site has no such unit",
            where=f"{where}, site {site!r}",
            found=str(unit),
            do=f"count units from 0 to {last}",
        )
    return entries
