"""`partition_box`: the cells of a network in a box of inputs, by a search from cell to cell."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hinge.domains import Box
from hinge.errors import OptionError
from hinge.network import Network
from hinge.regions.box.cells import box_cells
from hinge.regions.box.existence import Witnesses
from hinge.regions.box.joined import flat_pairs, joined, words_of
from hinge.regions.box.owners import Owners
from hinge.regions.box.partition import BoxPartition
from hinge.regions.box.search import LOST, Cell, Search
from hinge.regions.cells.patterns import Patterns, canonical_patterns
from hinge.regions.programs.lowering import lower
from hinge.regions.programs.program import Reals

Progress = Callable[[int, int | None], None]

MOST_CELLS, MOST_SECONDS = 100_000, 60.0
"""The budget of a search where none is given."""

_SHARE = 0.1
"""Share of the budget that exact arithmetic may take when the search has used it up."""


def partition_box(
    network: Network,
    box: Box,
    *,
    cells: int = MOST_CELLS,
    seconds: float = MOST_SECONDS,
    seed: int = 0,
    progress: Progress | None = None,
) -> BoxPartition:
    """Return the cells of a network in a box of inputs, in few dimensions: 1 to 8 or so.

    Breadth first: the facets of a cell, then the cells behind them. Facets come from Qhull
    up to 8 dimensions, from linear programs beyond; both work in floating point, and the
    result says what is proven all the same. Activations must be piecewise linear.

    Parameters
    ----------
    network, box
        The box's bounds have the shape of one input.
    cells, seconds
        The budget. When it is spent, or at Ctrl-C, the result holds what was found, with
        ``complete`` False. Until the end, parts of cells that a maximum's matches cut count
        as cells.
    seed
        Of the random points at which the search also starts, to meet what it missed.
    progress
        Called with the number of cells found so far, and None.

    Raises
    ------
    UnsupportedError
        The network has activations that are curved or jump.
    DataError
        The box does not fit the network's input.
    OptionError
        The budget means nothing.
    """
    _check_budget(cells, seconds)
    low, high = box.bounds(network.input_shape)
    program = lower(network, _Inputs(box))
    start = time.monotonic()
    search = Search(program, low, high, cells, start + seconds, progress, seed)
    search.run()
    thick, refused = _without_thin(search.cells)
    _prove(search, thick, max(search.until, time.monotonic() + _SHARE * seconds))
    whole = joined(program, thick)
    made = box_cells(search, whole, Owners(network, program))
    n_forms = sum(fold.n_forms for fold in program.folds)
    positive, flat_forms = (
        np.array(rows, np.bool_).reshape(len(whole), n_forms)
        for rows in ([cell.positive for cell in whole], [cell.flat for cell in whole])
    )
    flat = flat_pairs(program, flat_forms)
    words = words_of(program, positive)
    if any(meaning.winner for meaning in program.meanings):
        words = canonical_patterns(program, words, flat)
    lost = any((cell.neighbours == LOST).any() for cell in made)
    return BoxPartition(
        network=network,
        box=box,
        cells=tuple(made),
        patterns=Patterns(program, words, flat),
        complete=search.complete and not lost and not refused,
        refused=refused,
        late=search.late,
        seconds=time.monotonic() - start,
    )


@dataclass(frozen=True)
class _Inputs:
    """A box as a domain: its coordinates are the flat inputs themselves."""

    box: Box

    @property
    def dimension(self) -> int:
        """The number of inputs."""
        return self.box.dimension

    def embedding(self, input_shape: tuple[int, ...]) -> tuple[Reals, Reals]:
        """The identity."""
        self.box.bounds(input_shape)
        return np.eye(self.dimension), np.zeros(self.dimension)


def _prove(search: Search, cells: list[Cell], until: float) -> None:
    """Decide in exact arithmetic that cells exist, where floats did not, while time is left."""
    witnesses = Witnesses(search.program)
    middle, reach = search.frame
    for cell in cells:
        if time.monotonic() > until:
            return
        if not cell.certain:
            point = middle + reach * cell.point
            cell.certain = witnesses.prove(point, cell.positive, cell.flat)


def _without_thin(cells: list[Cell]) -> tuple[list[Cell], int]:
    """The cells that have facets, renumbered, and how many have none."""
    kept = [number for number, cell in enumerate(cells) if len(cell.offsets)]
    number_of = np.full(len(cells) + 1, LOST)
    number_of[kept] = np.arange(len(kept))
    renumbered = []
    for number in kept:
        behind = cells[number].neighbours
        found = np.where(behind < 0, behind, number_of[np.clip(behind, 0, len(cells))])
        renumbered.append(replace(cells[number], neighbours=found))
    return renumbered, len(cells) - len(kept)


def _check_budget(cells: int, seconds: float) -> None:
    for name, value, fits in (
        ("cells", cells, isinstance(cells, int) and not isinstance(cells, bool) and cells >= 1),
        ("seconds", seconds, isinstance(seconds, (int, float)) and seconds > 0),
    ):
        if not fits or math.isnan(value):
            raise OptionError(
                "the budget means nothing",
                where=f"partition_box({name}=...)",
                found=repr(value),
                do="pass a number of cells from 1 on, and seconds above 0",
            )
