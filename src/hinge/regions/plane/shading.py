"""A value for each cell, by which a picture colours it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from hinge.errors import DataError, OptionError
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.geometry import areas
from hinge.regions.plane.parts import Parts
from hinge.regions.plane.topology import n_cells, starts_of_sides

ColourBy = Literal["cell", "region", "class", "area", "output", "pattern count"]


@dataclass(frozen=True, eq=False)
class Shading:
    """``values`` ``(F,)`` float64: numbers of cells, regions or classes, or amounts.

    ``name`` says what an amount is; of numbers it is "". ``diverging`` amounts have both
    signs, and a zero in the middle of their scale.
    """

    values: Reals
    name: str = ""
    diverging: bool = False

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the scale of an amount."""
        finite = self.values[np.isfinite(self.values)]
        low, high = float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))
        if self.diverging:
            high = max(abs(low), abs(high))
            low = -high
        return (low, high) if low < high else (low - 0.5, low + 0.5)


def shading(
    mesh: Mesh,
    colour_by: ColourBy,
    *,
    regions: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    parts: Parts | None = None,
) -> Shading:
    """The value of each cell; of each of the ``parts`` if they are coloured by their class.

    ``cell`` and ``region`` number them (``regions`` ``(F,)``), ``class`` is the largest
    output's number (of ``parts``, see `by_class`), ``area`` is the logarithm of their areas,
    ``output`` the output at their middles (``outputs`` ``(V,)``, at the vertices),
    ``pattern count`` the number of forms that are positive. Raises `OptionError` for another
    word, `DataError` where what it needs is not given or does not fit.
    """
    match colour_by:
        case "cell":
            return Shading(np.arange(n_cells(mesh), dtype=np.float64))
        case "region":
            return Shading(_fitting(regions, n_cells(mesh), "regions", "the cells"))
        case "class":
            given = None if parts is None else parts.classes
            return Shading(_fitting(given, len(parts.cells) if parts else 0, "parts", "the parts"))
        case "area":
            size = areas(mesh)
            logarithms = np.log10(size, out=np.full_like(size, np.nan), where=size > 0)
            return Shading(logarithms, "log10 of the area")
        case "output":
            at = _fitting(outputs, len(mesh.vertices), "outputs", "the vertices")
            sums = np.add.reduceat(at[starts_of_sides(mesh)], mesh.offsets[:-1])
            middles = sums / np.diff(mesh.offsets)
            changes = bool(middles.min(initial=0) < 0 < middles.max(initial=0))
            return Shading(middles, "output in the middle of a cell", diverging=changes)
        case "pattern count":
            counts = np.bitwise_count(mesh.patterns).sum(axis=1, dtype=np.float64)
            return Shading(counts, "positive forms")
        case _:
            raise OptionError(
                "cells are not coloured by that",
                where="colour_by",
                found=repr(colour_by),
                do="take one of " + ", ".join(get_args(ColourBy)),
            )


def _fitting(given: npt.ArrayLike | None, n: int, name: str, what: str) -> Reals:
    values = None if given is None else np.asarray(given, dtype=np.float64)
    if values is None or values.shape != (n,):
        raise DataError(
            f"the colours need one number for each of {what}",
            where=name,
            found="nothing" if values is None else f"shape {values.shape}",
            do=f"pass {name} of shape ({n},)",
        )
    return values
