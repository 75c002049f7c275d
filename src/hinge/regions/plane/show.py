"""A partitioned polygon as a page: the map of its cells, what was counted, what never folds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from hinge.page import Block, Column, Crease, Map, Note, Page, Scale, Table
from hinge.regions.cells.bits import WORD
from hinge.regions.plane.geometry import centroids
from hinge.regions.plane.paths import paths
from hinge.regions.plane.topology import Numbers
from hinge.regions.programs.program import Reals
from hinge.report.text import plural

if TYPE_CHECKING:
    from hinge.regions.plane.partition import PlanePartition

_COLUMNS = (
    Column("site", "code", "the activation"),
    Column("units", "integer"),
    Column("fold", "integer", "units with a crease inside the domain"),
    Column("off", "integer", "units that are off for every input of the domain: proven"),
    Column("on", "integer", "units that are on for every input of the domain: proven"),
    Column(
        "otherwise linear", "integer", "units on one piece each, of several, or at each position"
    ),
)


def page(found: PlanePartition) -> Page:
    """Build the page."""
    blocks: list[Block] = [picture(found), _sites(found), *_remarks(found)]
    return Page("The cells of a network", summary(found) + ".", tuple(blocks))


def summary(found: PlanePartition) -> str:
    """The counts in a sentence, without a full stop."""
    regions = plural(found.n_regions, "linear region")
    counts = (
        f"{plural(found.n_cells, 'cell')} (one activation pattern each) in {regions} "
        f"(one affine map each), {len(found.vertices):,} vertices and "
        f"{plural(len(found.edges), 'edge')}"
    )
    if not found.complete:
        counts = f"At least {counts}; {found.remaining_area:.3g} of the area is not cut yet"
    return counts if found.certified else counts + ", not certified"


def picture(found: PlanePartition) -> Map:
    """The cells, shaded by the output or by the class that wins, and the creases by layer."""
    mesh, corners = found.mesh, found.cells
    shades, key = _shades(found)
    creases, levels = _creases(found)
    return Map(
        x=tuple(mesh.vertices[:, 0].tolist()),
        y=tuple(mesh.vertices[:, 1].tolist()),
        corners=tuple(np.concatenate([corners.loop(i) for i in range(found.n_cells)]).tolist())
        if found.n_cells
        else (),
        starts=tuple(mesh.offsets.tolist()),
        shades=shades,
        key=key,
        titles=tuple(_titles(found)),
        creases=tuple(creases),
        levels=levels,
        title="The map",
        caption="Lines are creases: each unit folds the plane where its pre-activation is 0, or "
        "at another break of its activation. Between them the network is affine.",
        x_label="first coordinate",
        y_label="second coordinate",
    )


def _shades(found: PlanePartition) -> tuple[tuple[float, ...], Scale | tuple[str, ...]]:
    values = _middle_values(found)
    if found.program.smooth or not values.size:
        return (), ()
    if values.shape[1] > 1:
        winners = values.argmax(axis=1)
        names = tuple(f"output {i} is the largest" for i in range(values.shape[1]))
        return tuple(winners.astype(float).tolist()), names
    output = values[:, 0]
    low, high = float(output.min()), float(output.max())
    if low < 0 < high:
        reach = max(-low, high)
        scale = Scale("output in the middle of a cell", f"{-reach:.3g}", f"{reach:.3g}", "0")
        return tuple(((output / reach + 1) / 2).tolist()), scale
    spread = (output - low) / (high - low) if high > low else np.full_like(output, 0.5)
    scale = Scale("output in the middle of a cell", f"{low:.3g}", f"{high:.3g}")
    return tuple(spread.tolist()), scale


def _middle_values(found: PlanePartition) -> Reals:
    matrices, shifts = found.maps
    middles: Reals = np.einsum("foi,fi->fo", matrices, centroids(found.mesh)) + shifts
    return middles


def _titles(found: PlanePartition) -> list[str]:
    areas = found.areas.tolist()
    regions = found.region_of.tolist()
    return [f"cell {i}, region {regions[i]}, area {areas[i]:.3g}" for i in range(found.n_cells)]


def _creases(found: PlanePartition) -> tuple[list[Crease], tuple[str, ...]]:
    """One crease of all edges that a step folds, and the names of the steps in their order."""
    program, mesh = found.program, found.mesh
    creases: list[Crease] = []
    levels: list[str] = []
    for number, (meaning, fold) in enumerate(zip(program.meanings, program.folds, strict=True)):
        first = program.first_words[number] * WORD
        edges = _edges_with(found, first, first + fold.n_forms)
        if not len(edges):
            continue
        if meaning.step not in levels:
            levels.append(meaning.step)
        level = levels.index(meaning.step)
        creases.append(Crease(meaning.step, _chains(mesh.edges[edges].astype(np.int64)), level))
    return creases, tuple(levels)


def _edges_with(found: PlanePartition, first: int, last: int) -> Numbers:
    marked = np.array(
        [any(first <= mark < last for mark in marks) for marks in found.mesh.label_sets], np.bool_
    )
    return np.flatnonzero(marked[found.mesh.labels])


def _chains(ends: Numbers) -> tuple[tuple[int, ...], ...]:
    joined = paths(ends)
    return tuple(tuple(joined.nodes(ends, k).tolist()) for k in range(len(joined)))


def _sites(found: PlanePartition) -> Table:
    rows = []
    for site, layout in found.layouts.items():
        if layout.maximum:
            continue
        states = Counter(one.state for one in found.never_folds if one.site == site)
        units = len(np.unique(layout.units))
        folding = units - states.total()
        rows.append((site, units, folding, states["off"], states["on"], states["linear"]))
    return Table(_COLUMNS, tuple(rows), "Units that fold here, and units that never do")


def _remarks(found: PlanePartition) -> list[Note]:
    notes = []
    if not found.complete:
        text = "The partition was stopped before it was complete; all cells shown are whole."
        notes.append(Note(text, tone="warning"))
    if found.program.smooth:
        text = (
            f"The activation at {found.program.smooth} is smooth: its lines are where its "
            "pre-activation is 0, not folds, and nothing after it is shown."
        )
        notes.append(Note(text, tone="warning"))
    return notes
