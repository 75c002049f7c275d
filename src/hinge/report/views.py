"""What the HTML templates draw of a table or a grid: text in words, geometry in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from hinge.page import Column, Grid, Shade, Table, Value
from hinge.report.cells import Band, bands, coarseness, ranked, runs, tally, totals, variants
from hinge.report.text import grouped, plural, shown

_MOST_ROWS = 2000
_MOST_STRIPS = 256
_CELLS_PER_STRIP = 4096
_RUNS_IN_ALL = 12_000
_GLYPHS = 4
"""So many glyphs are drawn for each tone; a fifth category of a tone repeats the first."""


@dataclass(frozen=True)
class TableCell:
    """A cell's text, and the number to sort it by: None in a column of text."""

    text: str
    order: str | None


@dataclass(frozen=True)
class TableView:
    """A table with its rows written out, and a sentence on rows that were left out."""

    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[list[TableCell]]
    left_out: str


@dataclass(frozen=True)
class Swatch:
    """A category as the legend shows it; ``glyph`` names its pattern."""

    shade: Shade
    glyph: str
    count: str
    share: str


@dataclass(frozen=True)
class Patch:
    """A rectangle of cells of one category, in cells, with the words for it."""

    x: int
    y: int
    width: int
    title: str


@dataclass(frozen=True)
class StripView:
    """A strip: ``layers`` pairs a category's glyph with its patches."""

    label: str
    about: str
    rows: int
    layers: list[tuple[str, list[Patch]]]


@dataclass(frozen=True)
class GridView:
    """A grid whose strips all have ``columns`` cells in a row."""

    title: str
    caption: str
    legend: list[Swatch]
    strips: list[StripView]
    columns: int
    remark: str


def table_view(table: Table) -> TableView:
    """Write out a table; one that may be abbreviated ends after `_MOST_ROWS` rows."""
    rows = table.rows if table.brief is None else table.rows[: max(_MOST_ROWS, table.brief)]
    left_out = len(table.rows) - len(rows)
    return TableView(
        table.title,
        table.caption,
        table.columns,
        [
            [_cell(value, column) for column, value in zip(table.columns, row, strict=True)]
            for row in rows
        ],
        f"… and {plural(left_out, 'more row')}, not in this file." if left_out else "",
    )


def grid_view(grid: Grid) -> GridView:
    """Lay out a grid, coarser where it would have too many pieces."""
    glyphs = _glyphs(grid.legend)
    drawn = bands(grid, _MOST_STRIPS, _CELLS_PER_STRIP, _RUNS_IN_ALL)
    longest = max((one.cells.size for one in drawn), default=0)
    columns = next(
        c for c, most in ((32, 32), (64, 1024), (128, _CELLS_PER_STRIP)) if longest <= most
    )
    counts = totals(grid)
    whole = sum(counts)
    return GridView(
        grid.title,
        grid.caption,
        [
            Swatch(
                grid.legend[i],
                glyphs[i],
                grouped(counts[i]),
                shown(counts[i] / whole if whole else None, "share"),
            )
            for i in ranked(grid.legend)
        ],
        [_strip(one, grid.legend, glyphs, columns) for one in drawn],
        columns,
        coarseness(drawn, len(grid.strips)),
    )


def _cell(value: Value, column: Column) -> TableCell:
    text = shown(value, column.kind)
    if column.kind in ("text", "code"):
        return TableCell(text, None)
    if isinstance(value, str) or value is None or isnan(value):
        return TableCell(text, "")
    return TableCell(text, str(+value))


def _glyphs(legend: Sequence[Shade]) -> list[str]:
    return [
        f"{shade.tone}-{variant % _GLYPHS}"
        for shade, variant in zip(legend, variants(legend), strict=True)
    ]


def _strip(band: Band, legend: Sequence[Shade], glyphs: list[str], columns: int) -> StripView:
    layers: dict[int, list[Patch]] = {}
    for run in runs(band.cells, columns):
        y, x = divmod(run.start, columns)
        first = run.start * band.per_cell
        last = min((run.start + run.length) * band.per_cell, band.n_units) - 1
        where = f"{first}" if first == last else f"{first}–{last}"
        worst = "worst " if band.per_cell > 1 else ""
        title = f"{where}: {worst}{legend[run.shade].name}"
        layers.setdefault(run.shade, []).append(Patch(x, y, run.length, title))
    about = f"{plural(band.n_units, 'unit')}: {tally(band.counts, legend)}"
    if band.per_cell > 1:
        about += f"; a cell is {plural(band.per_cell, 'unit')}, the worst shown"
    return StripView(
        band.label,
        about,
        -(-band.cells.size // columns),
        [(glyphs[shade], patches) for shade, patches in sorted(layers.items())],
    )
