"""What a cut segment and a cut plane answer alike: regions, patterns and maps of their cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hinge.errors import DataError, OptionError
from hinge.page import Page
from hinge.regions.cells.input_maps import Equation, equation, input_buffer, input_map
from hinge.regions.cells.layouts import Layout, pattern_of
from hinge.regions.cells.linear_regions import linear_regions
from hinge.regions.cells.never_folds import NeverFolds, never_folds
from hinge.regions.cells.patterns import Pattern, Patterns
from hinge.regions.cells.signs import Numbers
from hinge.regions.programs.program import Program, Reals
from hinge.report import to_html, to_text


class CutDomain(ABC):
    """The cells of a network on a domain, whatever its dimension."""

    program: Program
    layouts: dict[str, Layout]
    input_shape: tuple[int, ...]
    complete: bool

    @property
    @abstractmethod
    def patterns(self) -> Patterns:
        """The patterns of the cells."""

    @property
    @abstractmethod
    def adjacency(self) -> Numbers:
        """The pairs of cells that lie side by side, ``(P, 2)`` int64."""

    @property
    @abstractmethod
    def outputs(self) -> Reals:
        """The outputs, flat, at the corners of the cells, each once: ``(n, n_out)`` float64."""

    @property
    @abstractmethod
    def embedding(self) -> tuple[Reals, Reals]:
        """``(matrix (n_in, d), origin (n_in,))``: the input at c is ``matrix @ c + origin``."""

    @abstractmethod
    def page(self) -> Page:
        """All of it, to be shown."""

    @abstractmethod
    def summary(self) -> str:
        """The counts in a sentence, without a full stop."""

    @property
    @abstractmethod
    def n_cells(self) -> int:
        """How many cells there are: patterns, each on a convex set of more than no size."""

    @cached_property
    def region_of(self) -> Numbers:
        """The linear region of each cell, ``(n_cells,)`` int64, from 0; decided exactly."""
        return linear_regions(self.patterns, self.adjacency)

    @property
    def n_regions(self) -> int:
        """How many linear regions there are: neighbouring cells with one map count once."""
        return int(self.region_of.max(initial=-1)) + 1

    @property
    def is_affine(self) -> bool:
        """Whether the network is one affine map on the whole domain, decided exactly."""
        return self.complete and self.n_regions == 1

    def pattern(self, i: int) -> Pattern:
        """What every step does in cell i, by its name, in the shape of the site's pre-activation.

        Of an activation: the piece on which each entry is, counted from the left and from 0. Of a
        max: which of its candidates is the largest.
        """
        return pattern_of(self.patterns, self._cell(i), self.layouts)

    def affine(self, i: int) -> tuple[Reals, Reals]:
        """Return ``(W (n_out, n_in), b (n_out,))``: the output is ``W @ x + b`` in cell i.

        x is any input with the pattern of the cell, in the domain or not; inputs and outputs
        are flat, in C order.
        """
        return input_map(self.patterns, self._cell(i), input_buffer(*self.embedding))

    def equation(self, i: int, site: str, entry: int) -> Equation:
        """The pre-activation of an entry (flat) of a site as it is in cell i: ``w . x + b``.

        Where it is at a break, the network folds. Raises `OptionError` for a site or an
        entry that the domain's program does not have.
        """
        return equation(self.patterns, self._cell(i), site, entry, input_buffer(*self.embedding))

    @cached_property
    def never_folds(self) -> tuple[NeverFolds, ...]:
        """The units that never fold inside the domain: off, on, or otherwise linear there.

        Where the partition is complete, that is a proof for all inputs of the domain.
        """
        return never_folds(self.patterns, self.layouts) if self.n_cells else ()

    def _repr_html_(self) -> str:
        return to_html(self.page())

    def __str__(self) -> str:
        return to_text(self.page())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary()})"

    def _cell(self, i: int) -> int:
        if not -self.n_cells <= i < self.n_cells:
            raise OptionError(
                "there is no such cell",
                where=type(self).__name__,
                found=str(i),
                do=f"count cells from 0 to {self.n_cells - 1}",
            )
        return i % self.n_cells

    def _flat_inputs(self, x: npt.ArrayLike) -> tuple[Reals, tuple[int, ...]]:
        """Inputs ``(..., *input_shape)`` as rows ``(n, n_in)``, and the axes before their shape."""
        given, shape = np.asarray(x, np.float64), self.input_shape
        if given.shape[given.ndim - len(shape) :] != shape:
            raise DataError(
                "the inputs are not of the network's shape",
                where=f"{type(self).__name__}.locate",
                found=f"shape {given.shape}",
                do=f"pass inputs of shape (..., {', '.join(map(str, shape))})",
            )
        return given.reshape(-1, int(np.prod(shape))), given.shape[: given.ndim - len(shape)]

    def _values(self, output: int) -> Reals:
        """One of the outputs, flat, at all points that are known."""
        n_outputs = self.outputs.shape[1]
        if not 0 <= output < n_outputs:
            raise OptionError(
                "the network has no such output",
                where=f"{type(self).__name__}.level_set",
                found=str(output),
                do=f"count outputs from 0 to {n_outputs - 1}",
            )
        values: Reals = self.outputs[:, output]
        return values
