"""A segment of inputs cut into the pieces on which a network is linear."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from hinge.domains import Segment
from hinge.errors import DataError
from hinge.network import Network
from hinge.page import Page
from hinge.regions.cells.cut_domain import CutDomain
from hinge.regions.cells.layouts import Layout, entries_of, layouts
from hinge.regions.cells.maps import slopes_and_shifts
from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.signs import Cells, Numbers
from hinge.regions.cutting.mesh import Chain
from hinge.regions.frames import pandas
from hinge.regions.line import saved, show
from hinge.regions.line.crossings import lead_changes, level_set
from hinge.regions.line.joining import joined
from hinge.regions.line.kinks import Kinks, Passages, kinks
from hinge.regions.programs.program import Program, Reals

if TYPE_CHECKING:
    import pandas as pd

_NEAR = 1e-9
"""An input is on the segment if it is no further off than this share of the segment's length."""


@dataclass(frozen=True, eq=False, repr=False)
class LinePartition(CutDomain):
    """The cells of a network on a segment: pieces between points, from t = 0 to t = 1.

    The input at t is ``origin + t * direction``, both ``(n_in,)`` float64, flat in C order of
    ``input_shape``. A *cell* is a piece with one activation pattern; a *linear region* joins
    neighbouring pieces with the same affine map of t. ``certified`` says that every sign was
    decided exactly, ``complete`` that nothing was left out; ``layouts`` tell the shape and
    the units of every site. What is asked for is computed then, and kept.
    """

    program: Program
    chain: Chain
    layouts: dict[str, Layout]
    input_shape: tuple[int, ...]
    origin: Reals
    direction: Reals
    certified: bool = True
    complete: bool = True
    source: str = ""

    @classmethod
    def of(
        cls,
        network: Network,
        segment: Segment,
        program: Program,
        chain: Chain,
        *,
        complete: bool = True,
    ) -> Self:
        """The partition of a segment whose ``program`` was cut into ``chain``."""
        matrix, origin = segment.embedding(network.input_shape)
        return cls(
            program=program,
            chain=chain,
            layouts=layouts(network),
            input_shape=network.input_shape,
            origin=origin,
            direction=matrix[:, 0],
            complete=complete,
            source=network.origin,
        )

    @cached_property
    def _chain(self) -> Chain:
        return joined(self.program, self.chain)

    @cached_property
    def patterns(self) -> Patterns:
        """The patterns of the pieces."""
        return Patterns(self.program, self._chain.patterns, self._chain.flat)

    @property
    def points(self) -> Reals:
        """The ends of the pieces, ``(n_cells + 1,)`` float64, from 0 to 1."""
        return self._chain.points

    @property
    def inputs(self) -> Reals:
        """The inputs at the points, ``(n_cells + 1, *input_shape)`` float64."""
        return self.input_at(self.points)

    def input_at(self, t: npt.ArrayLike) -> Reals:
        """The inputs at places ``t`` ``(...)``: ``(..., *input_shape)``."""
        places = np.asarray(t, np.float64)
        found = self.origin + places[..., None] * self.direction
        return found.reshape(*places.shape, *self.input_shape)

    @property
    def n_cells(self) -> int:
        """How many pieces there are with a pattern of their own."""
        return max(len(self.points) - 1, 0)

    @property
    def adjacency(self) -> Numbers:
        """The pairs of neighbouring pieces, ``(n_cells - 1, 2)`` int64."""
        cells = np.arange(self.n_cells)
        return np.stack([cells[:-1], cells[1:]], axis=1)

    @property
    def embedding(self) -> tuple[Reals, Reals]:
        """``(matrix (n_in, 1), origin (n_in,))``: the input at t is ``matrix @ [t] + origin``."""
        return self.direction[:, None], self.origin

    @property
    def lengths(self) -> Reals:
        """The Euclidean lengths of the pieces among the inputs, ``(n_cells,)`` float64."""
        return np.diff(self.points) * float(np.linalg.norm(self.direction))

    @cached_property
    def _lines(self) -> Reals:
        return slopes_and_shifts(self.patterns, np.arange(self.n_cells))

    @property
    def slopes(self) -> Reals:
        """The slopes of the outputs along t, ``(n_cells, n_out)`` float64."""
        return self._lines[..., 0]

    @cached_property
    def outputs(self) -> Reals:
        """The outputs, flat, at the points: ``(n_cells + 1, n_out)`` float64."""
        left = np.append(np.arange(self.n_cells), self.n_cells - 1)
        found: Reals = self._lines[left, :, 0] * self.points[:, None] + self._lines[left, :, 1]
        return found

    def locate(self, t: npt.ArrayLike | None = None, *, x: npt.ArrayLike | None = None) -> Cells:
        """Return the piece that holds each place ``t`` ``(...)``, or input ``x`` ``(..., *shape)``.

        At an inner point it is the piece to the right; -1 beyond the ends, and for inputs
        that are not on the segment. Raises `DataError` unless exactly one is given.
        """
        if (t is None) == (x is None):
            raise DataError(
                "a place is given either as t or as x",
                where="LinePartition.locate",
                found="both" if t is not None else "neither",
                do="pass places from 0 to 1, or x=inputs",
            )
        places = np.asarray(t, np.float64) if x is None else self._places(x)
        found = np.searchsorted(self.points, places, side="right") - 1
        found = np.where(places == self.points[-1], self.n_cells - 1, found)
        inside = (places >= self.points[0]) & (places <= self.points[-1])
        return np.where(inside, found, -1)

    def kinks(self) -> Kinks:
        """The table of all places where a unit changes its piece."""
        return self._kinks

    @cached_property
    def _kinks(self) -> Kinks:
        return kinks(Passages(self.patterns, self._chain), self.layouts, self.slopes)

    def creases(self, site: str, unit: int) -> Reals:
        """Where a pre-activation of the unit is at a break: ascending places t, float64.

        Raises `OptionError` for a site or a unit that the network does not have.
        """
        entries = entries_of(self.layouts, site, unit, "LinePartition.creases")
        point, fold, row = Passages(self.patterns, self._chain).rows
        found = [np.zeros(0, np.int64)]
        for number, meaning in enumerate(self.program.meanings):
            if meaning.step == site:
                here = fold == number
                found.append(point[here][np.isin(meaning.entries[row[here]], entries)])
        places: Reals = self.points[np.unique(np.concatenate(found))]
        return places

    def level_set(self, value: float = 0.0, output: int = 0) -> Reals:
        """Where an output (flat) has a value: places t; both ends of a piece that has it all over.

        Computed in float64, not certified. Raises `OptionError` if there is no such output.
        """
        return level_set(self.points, self._values(output), value)

    def decision_points(self) -> Reals:
        """Where the largest output changes; of a single output, where it is 0. Not certified."""
        if self.outputs.shape[1] == 1:
            return self.level_set()
        return lead_changes(self.points, self.outputs)

    def to_pandas(self) -> pd.DataFrame:
        """One row per piece: where it is, its length, region and slope. Needs pandas."""
        columns = {
            "start": self.points[:-1],
            "end": self.points[1:],
            "length": self.lengths,
            "region": self.region_of,
            "steepness": np.linalg.norm(self.slopes, axis=1),
        }
        if self.slopes.shape[1] == 1:
            columns["slope"] = self.slopes[:, 0]
        return pandas().DataFrame(columns)

    def to_json(self) -> str:
        """All of it, the program too, as JSON text with a schema version; see `from_json`."""
        return saved.to_json(self)

    @classmethod
    def from_json(cls, source: str | Path) -> LinePartition:
        """Read what `to_json` wrote. Raises `FileError` if it is anything else."""
        return cls(**saved.from_json(source))

    def summary(self) -> str:
        """The counts in a sentence, without a full stop."""
        return show.summary(self)

    def page(self) -> Page:
        """The outputs along the segment, the kinks, and the units that never fold."""
        return show.page(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw the outputs over t into matplotlib's ``ax`` (a new one), and return it."""
        return show.plot(self, ax)

    def _places(self, x: npt.ArrayLike) -> Reals:
        """The place of each input on the segment, NaN for one that is beside it."""
        flat, leading = self._flat_inputs(x)
        off = flat.reshape(*leading, -1) - self.origin
        length = float(np.linalg.norm(self.direction))
        unit = self.direction / length
        along = off @ unit
        beside = np.linalg.norm(off - along[..., None] * unit, axis=-1)
        return np.where(beside <= _NEAR * length, along / length, np.nan)
