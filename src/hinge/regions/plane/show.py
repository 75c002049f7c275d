"""A partitioned polygon as a page: the map of its cells, what was counted, what never folds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hinge.errors import DataError
from hinge.page import Block, Column, Dots, Map, Note, Page, Table, Value
from hinge.regions.cells.bits import WORD
from hinge.regions.plane.map_block import map_block
from hinge.regions.plane.parts import by_class
from hinge.regions.plane.shading import ColourBy
from hinge.regions.plane.topology import Numbers
from hinge.regions.programs.program import Reals
from hinge.report.text import grouped, number, plural, shown

if TYPE_CHECKING:
    from hinge.regions.plane.partition import PlanePartition

_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
"""Where `Plane.through` has its three inputs."""

_NAMES = ("first input", "second input", "third input")

_CAPTION = (
    "Lines are creases: each unit folds the plane where its pre-activation passes a break of "
    "its activation. Between them the network is affine."
)


def page(found: PlanePartition) -> Page:
    """Build the page."""
    blocks: list[Block] = [picture(found), _sites(found)] if found.n_cells else []
    blocks += _remarks(found)
    return Page("The cells of a network", summary(found) + ".", tuple(blocks))


def summary(found: PlanePartition) -> str:
    """The counts in a sentence, without a full stop."""
    if not found.n_cells:
        return "No cell was complete when the partition was stopped"
    counts = (
        f"{plural(found.n_cells, 'cell')} (one activation pattern each) in "
        f"{plural(found.n_regions, 'linear region')} (neighbouring cells with one affine map), "
        f"{grouped(len(found.vertices))} vertices and {plural(len(found.edges), 'edge')}"
    )
    if not found.complete:
        counts = f"At least {counts}; {_share_left(found)} of the area is not cut yet"
    return counts if found.certified else counts + ", not certified"


def picture(found: PlanePartition, colour_by: ColourBy | None = None) -> Map:
    """The cells, coloured by the output or by the class that wins, and creases by layer.

    Raises `DataError` where there is no cell.
    """
    require_cells(found)
    chosen = colour_by or usual_colours(found)
    through = _goes_through(found)
    along = ("towards the second input", "towards the third input")
    plain = ("input 0", "input 1") if found.is_plain else ("first coordinate", "second coordinate")
    x_label, y_label = along if through else plain
    return map_block(
        found.mesh,
        chosen,
        folds=_folds(found),
        lines=boundary(found),
        **colours(found, chosen),
        titles=_titles(found),
        dots=tuple(
            Dots(name, (x,), (y,))
            for name, (x, y) in zip(_NAMES, _CORNERS.tolist(), strict=True)
            if through
        ),
        title="The map",
        caption=_CAPTION,
        x_label=x_label,
        y_label=y_label,
    )


def require_cells(found: PlanePartition) -> None:
    """Raise `DataError` where there is nothing to draw."""
    if not found.n_cells:
        raise DataError(
            "there is no cell to draw",
            where="a partition that was stopped",
            found="not one complete cell",
            do="give it a larger budget",
        )


def usual_colours(found: PlanePartition) -> ColourBy:
    """What tells most: the class of several outputs, the value of one."""
    if found.program.smooth or not found.outputs.size:
        return "cell"
    return "class" if found.outputs.shape[1] > 1 else "output"


def colours(found: PlanePartition, colour_by: ColourBy) -> dict[str, Any]:
    """What `shading` needs for these colours; of several outputs, the first is the output."""
    if colour_by == "region":
        return {"regions": found.region_of}
    if colour_by == "class":
        return {"parts": by_class(found.decision_boundary())}
    return {"outputs": found.outputs[:, 0]} if colour_by == "output" else {}


def boundary(found: PlanePartition) -> dict[str, list[Reals]]:
    """The decision boundary as polylines, under its name."""
    if found.program.smooth or not found.outputs.size:
        return {}
    lines = [one.points for one in found.decision_boundary().borders()]
    return {"decision boundary" if found.outputs.shape[1] > 1 else "output = 0": lines}


def _goes_through(found: PlanePartition) -> bool:
    """Whether the domain is the triangle of three inputs, or that with a margin."""
    corners = found.corners
    if found.is_plain or corners.shape != _CORNERS.shape:
        return False
    middle = _CORNERS.mean(axis=0)
    stretch = float(np.ptp(corners, axis=0).max())
    return stretch >= 1 and np.allclose(corners, middle + stretch * (_CORNERS - middle))


def _titles(found: PlanePartition) -> list[str]:
    parts = zip(found.areas.tolist(), found.region_of.tolist(), strict=True)
    return [
        f"cell {i}, linear region {region}, area {number(area)}"
        for i, (area, region) in enumerate(parts)
    ]


def _folds(found: PlanePartition) -> dict[str, Numbers]:
    """The edges that each step folds, under its name and the number of its layer."""
    program = found.program
    layers = {site: i for i, site in enumerate(found.layouts, 1)}
    marks: dict[str, list[range]] = {}
    for place, (meaning, fold) in enumerate(zip(program.meanings, program.folds, strict=True)):
        first = program.first_words[place] * WORD
        name = f"layer {layers[meaning.step]}: {meaning.step}"
        marks.setdefault(name, []).append(range(first, first + fold.n_forms))
    edges = {name: _edges_with(found, ranges) for name, ranges in marks.items()}
    return {name: these for name, these in edges.items() if len(these)}


def _edges_with(found: PlanePartition, ranges: list[range]) -> Numbers:
    marked = np.array(
        [any(mark in one for mark in marks for one in ranges) for marks in found.mesh.label_sets],
        np.bool_,
    )
    return np.flatnonzero(marked[found.mesh.labels])


def _sites(found: PlanePartition) -> Table:
    rows: list[tuple[Value, ...]] = []
    states = Counter((one.site, one.state) for one in found.never_folds)
    for site, layout in found.layouts.items():
        if layout.maximum:
            continue
        units = int(layout.units.max(initial=-1)) + 1
        still = [states[site, state] for state in ("off", "on", "linear")]
        counts = (units, units - sum(still), *still) if units else (None,) * 5
        rows.append((site, *counts))
    return Table(_columns(found), tuple(rows), "Units that fold here, and units that never do")


def _columns(found: PlanePartition) -> tuple[Column, ...]:
    """The columns of the table; only a whole partition proves anything."""
    proven, where = ("proven ", "for every input of the domain")
    if not found.complete:
        proven, where = "", "in all cells found: no proof"
    return (
        Column("site", "code", "the activation"),
        Column("units", "integer"),
        Column("fold", "integer", "units with a crease inside the domain"),
        Column(f"{proven}off", "integer", f"units left of their first break {where}"),
        Column(f"{proven}on", "integer", f"units right of their last break {where}"),
        Column(
            f"{proven}linear",
            "integer",
            f"units that do not fold otherwise: between two breaks, or on another piece at "
            f"another position, {where}",
        ),
    )


def _remarks(found: PlanePartition) -> list[Note]:
    notes = []
    if not found.complete:
        text = (
            "The partition was stopped before it was complete. All cells shown are whole; a "
            "larger budget would cut the rest."
        )
        notes.append(Note(text, tone="warning"))
    if found.program.smooth:
        text = (
            f"The activation at {found.program.smooth} is smooth: its lines are where its "
            "pre-activation is 0, not folds, and nothing after it is shown."
        )
        notes.append(Note(text, tone="warning"))
    elif found.n_cells:
        sentences = tuple(found.decision_boundary().sentences())
        if sentences and found.outputs.shape[1] > 1:
            notes.append(Note("", "Equal classes", points=sentences))
    return notes


def _share_left(found: PlanePartition) -> str:
    return shown(found.remaining_area / found.area, "share")
