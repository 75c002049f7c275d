"""A polygon of inputs, in the plane, cut into the cells on which a network is linear."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from hinge.domains import Plane, Polygon
from hinge.network import Network
from hinge.page import Page
from hinge.regions.cells.cut_domain import CutDomain
from hinge.regions.cells.input_maps import input_buffer
from hinge.regions.cells.layouts import Layout, entries_of, layouts
from hinge.regions.cells.maps import slopes_and_shifts
from hinge.regions.cells.meanings import readings
from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.slopes import jumps, jumps_by_mark, largest_slope, steepness
from hinge.regions.cutting.mesh import Mesh
from hinge.regions.frames import pandas
from hinge.regions.plane import saved, show
from hinge.regions.plane.boundary import DecisionBoundary, decision_boundary
from hinge.regions.plane.canonical import canonical
from hinge.regions.plane.creases import Crease, Creases
from hinge.regions.plane.geojson import to_geojson
from hinge.regions.plane.geometry import areas, centroids
from hinge.regions.plane.levels import LevelSet, level_set
from hinge.regions.plane.location import NEAR, Locator, coordinates
from hinge.regions.plane.plot import plot_mesh
from hinge.regions.plane.polygons import Cells
from hinge.regions.plane.shading import ColourBy
from hinge.regions.plane.topology import Numbers, neighbours
from hinge.regions.programs.evaluation import output_values
from hinge.regions.programs.program import Program, Reals
from hinge.report import to_svg

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class PlanePartition(CutDomain):
    """The cells of a network on a polygon of inputs, with the vertices and edges they share.

    A *cell* is a maximal convex set of inputs with one activation pattern; a *linear region* joins
    neighbouring cells with the same affine map on the domain. Coordinates are the domain's own:
    c stands for the input ``origin + directions @ c``, flat in C order of ``input_shape``, and
    ``corners`` ``(n, 2)`` are the domain's. ``certified``: every sign that decides where a cell
    ends is that of exact arithmetic on the stored weights. ``complete``: nothing was left out;
    otherwise `remaining_area` says how much was. What is asked for is computed then, and kept.
    """

    program: Program
    cut: Mesh
    corners: Reals
    layouts: dict[str, Layout]
    input_shape: tuple[int, ...]
    origin: Reals
    directions: Reals
    certified: bool = True
    complete: bool = True
    source: str = ""

    @classmethod
    def of(
        cls,
        network: Network,
        domain: Polygon | Plane,
        program: Program,
        cut: Mesh,
        *,
        complete: bool = True,
    ) -> Self:
        """The partition of a domain whose ``program`` was cut into the mesh ``cut``."""
        matrix, origin = domain.embedding(network.input_shape)
        return cls(
            program=program,
            cut=cut,
            corners=domain.corners,
            layouts=layouts(network),
            input_shape=network.input_shape,
            origin=origin,
            directions=matrix,
            complete=complete,
            source=network.origin,
        )

    @cached_property
    def mesh(self) -> Mesh:
        """The cells as arrays."""
        return canonical(self.cut, self.program)

    @cached_property
    def patterns(self) -> Patterns:
        """The patterns of the cells."""
        return Patterns(self.program, self.mesh.patterns, self.mesh.flat)

    @property
    def vertices(self) -> Reals:
        """All corners of cells, each once: ``(V, 2)`` float64, the domain's coordinates."""
        return self.mesh.vertices

    @property
    def edges(self) -> npt.NDArray[np.int32]:
        """All edges, each once: ``(E, 2)`` int32, numbers of vertices."""
        return self.mesh.edges

    @cached_property
    def cells(self) -> Cells:
        """The cells' corners, counter-clockwise: ``cells[i]`` is ``(n, 2)`` float64."""
        return Cells(self.mesh)

    @property
    def n_cells(self) -> int:
        """How many cells there are: patterns, each a convex polygon of more than no area."""
        return len(self.mesh.offsets) - 1

    @cached_property
    def areas(self) -> Reals:
        """The areas of the cells, ``(F,)`` float64, in the domain's coordinates."""
        return areas(self.mesh)

    @property
    def area(self) -> float:
        """The area of the domain, in its coordinates."""
        x, y = (self.corners - self.corners[0]).T
        return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2

    @property
    def remaining_area(self) -> float:
        """The area of the domain that no cell covers: 0 where the partition is complete."""
        return 0.0 if self.complete else max(0.0, self.area - float(self.areas.sum()))

    @property
    def adjacency(self) -> Numbers:
        """The pairs of cells that share an edge, ``(P, 2)`` int64."""
        return self._neighbours[0]

    @cached_property
    def _neighbours(self) -> tuple[Numbers, Numbers]:
        return neighbours(self.mesh)

    @cached_property
    def outputs(self) -> Reals:
        """The outputs, flat, at the vertices: ``(V, n_out)`` float64."""
        return output_values(self.program, self.vertices)

    @cached_property
    def maps(self) -> tuple[Reals, Reals]:
        """The affine map of every cell on the domain: ``(F, n_out, 2)`` and ``(F, n_out)``."""
        found = slopes_and_shifts(self.patterns, np.arange(self.n_cells))
        return found[..., :-1], found[..., -1]

    def locate(self, x: npt.ArrayLike) -> Numbers:
        """Return the cell of each input ``(..., *input_shape)``: int64, -1 outside of the domain.

        An input on an edge is in one of the cells there. Inputs must lie in the plane; those
        that do not are outside.
        """
        flat, leading = self._flat_inputs(x)
        if self.is_plain:
            return self._locator.locate(flat).reshape(leading)
        places, beside = coordinates(flat, self.origin, self.directions, self.corners)
        found = self._locator.locate(places)
        # What was rounded on the way into the plane may have left the domain by that much.
        out = (found < 0) & ~beside
        inward = self.corners.mean(axis=0) - places[out]
        found[out] = self._locator.locate(places[out] + NEAR * inward)
        return np.where(beside, -1, found).reshape(leading)

    @cached_property
    def _locator(self) -> Locator:
        return Locator(self.mesh)

    def creases(self, site: str, unit: int) -> list[Crease]:
        """The creases of a unit as polylines: where its pre-activation passes a break.

        Raises `OptionError` for a site or a unit that the network does not have.
        """
        return self._creases.of_unit(self.program, self.layouts, site, unit)

    @cached_property
    def _creases(self) -> Creases:
        return Creases(self.mesh)

    def level_set(self, value: float = 0.0, output: int = 0) -> LevelSet:
        """Where an output (flat) has a value. Raises `OptionError` if there is no such output."""
        return level_set(self.mesh, self._values(output), value)

    def decision_boundary(self) -> DecisionBoundary:
        """Where the largest output changes; of a single output, where it is 0."""
        return self._boundary

    @cached_property
    def _boundary(self) -> DecisionBoundary:
        return decision_boundary(self.mesh, self.outputs)

    @cached_property
    def jumps(self) -> Reals:
        """How far the slope jumps across each edge, ``(E,)`` float64; 0 on the border.

        The Frobenius norm of the difference of the two cells' matrices in the domain's
        coordinates, which has rank one.
        """
        found = np.zeros(len(self.edges))
        pairs, shared = self._neighbours
        found[shared] = jumps(self.patterns, pairs)
        return found

    def jump(self, site: str, unit: int) -> float:
        """The largest jump of the slope across the creases of a unit; 0 where it never folds."""
        entries = entries_of(self.layouts, site, unit, "PlanePartition.jump")
        marks = readings(self.program, site, entries).marks.tolist()
        return max((self._jumps.get(mark, 0.0) for mark in marks), default=0.0)

    @cached_property
    def _jumps(self) -> dict[int, float]:
        return jumps_by_mark(self.jumps, self.mesh.labels.astype(np.int64), self.mesh.label_sets)

    @property
    def largest_slope(self) -> float:
        """The Lipschitz constant of the network on the domain, in its coordinates; rounded."""
        return largest_slope(self.patterns)

    def to_pandas(self) -> pd.DataFrame:
        """One row per cell: its area, corners, middle, region and steepness. Needs pandas."""
        middles = centroids(self.mesh)
        columns = {
            "area": self.areas,
            "corners": np.diff(self.mesh.offsets),
            "x": middles[:, 0],
            "y": middles[:, 1],
            "region": self.region_of,
            "steepness": steepness(self.patterns, np.arange(self.n_cells)),
        }
        return pandas().DataFrame(columns)

    def to_json(self) -> str:
        """All of it, the program too, as JSON text with a schema version; see `from_json`."""
        return saved.to_json(self)

    @classmethod
    def from_json(cls, source: str | Path) -> Self:
        """Read what `to_json` wrote, text or a file. Raises `FileError` if it is anything else."""
        return cls(**saved.from_json(source))

    def to_geojson(self) -> str:
        """The cells, with their regions, and the creases of every unit as GeoJSON (RFC 7946)."""
        creases = self._creases.of_all(self.program, self.layouts)
        return to_geojson(self.mesh, regions=self.region_of, creases=creases)

    def to_svg(self, colour_by: ColourBy | None = None) -> str:
        """The map as an SVG document: cells, creases by layer, the decision boundary.

        ``colour_by``: ``class`` or ``output`` (the usual ones), ``cell``, ``region``, ``area``
        or ``pattern count``. Raises `DataError` where there is no cell.
        """
        return to_svg(show.picture(self, colour_by))

    def plot(self, ax: Any = None, colour_by: ColourBy | None = None) -> Any:
        """Draw cells and decision boundary into matplotlib's ``ax`` (a new one), and return it.

        ``colour_by`` as in `to_svg`. Raises `OptionError` where matplotlib is not installed.
        """
        show.require_cells(self)
        chosen = colour_by or show.usual_colours(self)
        lines = [line for many in show.boundary(self).values() for line in many]
        return plot_mesh(self.mesh, ax, chosen, lines=lines, **show.colours(self, chosen))

    def summary(self) -> str:
        """The counts in a sentence, without a full stop."""
        return show.summary(self)

    def page(self) -> Page:
        """The map, the counts, and the units that never fold."""
        return show.page(self)

    @property
    def is_plain(self) -> bool:
        """Whether the domain's coordinates are the network's two inputs themselves."""
        return input_buffer(*self.embedding) == 0

    @property
    def embedding(self) -> tuple[Reals, Reals]:
        """``(directions, origin)``: coordinates c are the input ``directions @ c + origin``."""
        return self.directions, self.origin
