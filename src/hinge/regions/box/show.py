"""A partition of a box as text, page, table and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hinge.page import Block, Column, Note, Page, Table
from hinge.report import json

if TYPE_CHECKING:
    import pandas as pd

    from hinge.regions.box.partition import BoxPartition

SCHEMA, VERSION = "box-partition", 1

_MEASURED = 5
_MANY = 20_000
"""Cells beyond which the page does not compute volumes by itself."""


def page(found: BoxPartition) -> Page:
    """The partition as a page: counts, what is proven, what never folds, the cells."""
    blocks: list[Block] = [Note("", "What was found", points=_facts(found))]
    blocks.append(Note(found.reason, "What is proven"))
    if not found.complete:
        blocks.append(Note(_missing(found), "Not complete", "warning"))
    blocks += [_site_table(found), _cell_table(found)]
    return Page("Cells in a box", summary(found), tuple(blocks))


def summary(found: BoxPartition) -> str:
    """One sentence: how many cells and regions."""
    counted = "" if found.complete else "at least "
    return (
        f"{counted}{found.n_cells:,} cells in a box of {found.box.dimension} dimensions, "
        f"{len(found.adjacency):,} pairs of neighbours, {found.n_regions:,} linear regions."
    )


def text(found: BoxPartition) -> str:
    """The partition in a few lines."""
    lines = [summary(found), *_facts(found), found.reason]
    if not found.complete:
        lines.append(_missing(found))
    return "\n  ".join(lines)


def data_frame(found: BoxPartition) -> pd.DataFrame:
    """One row per cell: facets, neighbours, region, whether proven, volume, and inside point."""
    import pandas as pd  # noqa: PLC0415 - optional

    columns: dict[str, Any] = {
        "cell": np.arange(found.n_cells),
        "facets": [len(cell.b) for cell in found.cells],
        "neighbours": [int((cell.neighbours >= 0).sum()) for cell in found.cells],
        "region": found.regions,
        "exists": [cell.exists for cell in found.cells],
    }
    if found.box.dimension <= _MEASURED:
        columns["volume"] = found.volumes
    points = found.interior_points
    columns |= {f"x{axis}": points[:, axis] for axis in range(points.shape[1])}
    return pd.DataFrame(columns)


def to_json(found: BoxPartition) -> str:
    """All cells with their half-spaces, owners and neighbours, as JSON."""
    low, high = found.box.bounds(found.network.input_shape)
    return json.dump(
        {
            "lower": low,
            "upper": high,
            "complete": found.complete,
            "certified": found.certified,
            "certified_cells": found.certified_cells,
            "reason": found.reason,
            "refused": found.refused,
            "regions": found.regions,
            "adjacency": found.adjacency,
            "cells": list(found.cells),
        },
        SCHEMA,
        VERSION,
    )


def _facts(found: BoxPartition) -> tuple[str, ...]:
    facets = [len(cell.b) for cell in found.cells]
    speed = found.n_cells / found.seconds if found.seconds else 0.0
    facts = [
        f"{found.n_cells:,} cells; a cell is a set of inputs with one activation pattern",
        f"{np.mean(facets):.3g} facets on average, at most {max(facets)}" if facets else "no facet",
        f"{found.seconds:.2g} s, {speed:,.0f} cells a second",
    ]
    if found.box.dimension <= _MEASURED and found.n_cells <= _MANY:
        facts.append(f"the volumes of the cells leave {found.volume_missing:.1g} of the box")
    if found.late:
        facts.append(f"{found.late:,} cells were met by random points alone")
    return tuple(facts)


def _missing(found: BoxPartition) -> str:
    lost = sum(int((cell.neighbours == -2).sum()) for cell in found.cells)  # noqa: PLR2004 - LOST
    return (
        f"The search is not complete: behind {lost:,} facets no cell was looked at, and "
        f"{found.refused:,} cells were too thin for float64. A larger budget may find the rest."
    )


def _site_table(found: BoxPartition) -> Table:
    columns = (
        Column("site", "code"),
        Column("units", "integer"),
        Column("never fold", "integer", "units that fold nowhere in the cells found"),
        Column("which", "code"),
    )
    rows = []
    for site, never in found.never_folds.items():
        listed = np.flatnonzero(never).tolist()
        shown = ", ".join(map(str, listed[:12])) + ("…" if len(listed) > 12 else "")  # noqa: PLR2004
        rows.append((site, len(never), len(listed), shown))
    return Table(columns, tuple(rows), title="Units that never fold in the box")


def _cell_table(found: BoxPartition) -> Table:
    columns = (
        Column("cell", "integer"),
        Column("facets", "integer"),
        Column("neighbours", "integer", "cells that share a facet with it"),
        Column("region", "integer", "the linear region it belongs to"),
        Column("exists", "text", "whether that is proven in exact arithmetic"),
    )
    rows = tuple(
        (
            number,
            len(cell.b),
            int((cell.neighbours >= 0).sum()),
            int(region),
            "proven" if cell.exists else "as floats tell",
        )
        for number, (cell, region) in enumerate(
            zip(found.cells[:1000], found.regions[:1000], strict=True)
        )
    )
    title = "Cells" if found.n_cells <= len(rows) else "The first 1,000 cells"
    return Table(columns, rows, title=title, brief=12)
