"""A partitioned segment as a page and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hinge.page import Block, Column, Line, Lines, Note, Page, Table
from hinge.regions.cells.signs import Numbers
from hinge.regions.figures import new_axes
from hinge.regions.line.kinks import Kinks
from hinge.report.text import plural

if TYPE_CHECKING:
    from hinge.regions.line.partition import LinePartition

_MOST_LINES = 8
"""Outputs that are drawn."""

_MOST_POINTS = 2000
"""Points of each that are drawn; of more, evenly many are left out."""

_MOST_MARKS = 12
"""Kinks with a mark of their own: those with the largest jumps."""

_MOST_ROWS = 1000
"""Kinks that are listed."""

_BRIEF = 20

_COLUMNS = (
    Column("t", "number", "where on the segment, 0 to 1"),
    Column("site", "code", "the activation, or the max step whose winner changes"),
    Column("unit", "integer"),
    Column("entry", "integer", "the place in the site's pre-activation, flat"),
    Column("break", "integer", "which break of the activation is passed, from 0"),
    Column("jump", "number", "Euclidean length of the change of the outputs' slope along t"),
)


def page(line: LinePartition) -> Page:
    """Build the page."""
    if not line.n_cells:
        return Page("A network along a segment", summary(line) + ".", tuple(_remarks(line)))
    table = line.kinks()
    blocks: list[Block] = [_curves(line, table), _listed(table)]
    blocks += _remarks(line)
    return Page("A network along a segment", summary(line) + ".", tuple(blocks))


def summary(line: LinePartition) -> str:
    """The counts in a sentence, without a full stop."""
    cells = plural(line.n_cells, "cell")
    found = (
        f"{cells} (pieces with one activation pattern) in {plural(line.n_regions, 'linear region')}"
    )
    if not line.certified:
        found += ", not certified"
    return found if line.complete else found + ", not complete"


def plot(line: LinePartition, ax: Any) -> Any:
    """Draw the outputs, with a thin line at each of the largest kinks."""
    if ax is None:
        ax = new_axes()
    shown = _shown_points(line)
    ax.plot(line.points[shown], line.outputs[shown][:, :_MOST_LINES])
    for t, _ in _marks(line.kinks()):
        ax.axvline(t, color="0.8", linewidth=0.8, zorder=0)
    ax.set_xlabel("t")
    ax.set_ylabel("output")
    return ax


def _shown_points(line: LinePartition) -> Numbers:
    count = min(len(line.points), _MOST_POINTS)
    return np.linspace(0, len(line.points) - 1, count).astype(np.int64)


def _curves(line: LinePartition, table: Kinks) -> Lines:
    shown = _shown_points(line)
    x = tuple(line.points[shown].tolist())
    values = line.outputs[shown][:, :_MOST_LINES].T.tolist()
    lines = tuple(Line(f"output {i}", x, tuple(one)) for i, one in enumerate(values))
    return Lines(lines, "The output along the segment", "t", _marks(table))


def _marks(table: Kinks) -> tuple[tuple[float, str], ...]:
    """The largest kinks, each place once, in order."""
    largest = np.argsort(-table.jump, kind="stable")[:_MOST_MARKS]
    marks: dict[float, str] = {}
    for i in sorted(largest.tolist()):
        marks.setdefault(float(table.t[i]), _name(table, i))
    return tuple(marks.items())


def _name(table: Kinks, i: int) -> str:
    unit = int(table.unit[i])
    return f"{table.step[i]}, unit {unit}" if unit >= 0 else str(table.step[i])


def _listed(table: Kinks) -> Table:
    parts = (table.t, table.step, table.unit, table.entry, table.break_index, table.jump)
    rows = zip(*(one[:_MOST_ROWS].tolist() for one in parts), strict=True)
    left = len(table) - _MOST_ROWS
    return Table(
        _COLUMNS,
        tuple(
            tuple(None if one == -1 and i in {2, 4} else one for i, one in enumerate(row))
            for row in rows
        ),
        "Kinks, from the start to the end",
        f"{plural(left, 'more kink')}: see .kinks()" if left > 0 else "",
        _BRIEF,
    )


def _remarks(line: LinePartition) -> list[Block]:
    found: list[Block] = []
    states = [one.state for one in line.never_folds]
    if states:
        told = ", ".join(f"{states.count(s)} {s}" for s in ("off", "on", "linear") if s in states)
        text = (
            f"{plural(len(states), 'unit')} change their piece nowhere on the segment: {told}. "
            "That holds for every input of it, not for those beside it."
        )
        found.append(Note(text, "Units that never fold here"))
    for holds, text in (
        (line.complete, "The subdivision was stopped before it was complete."),
        (line.certified, "Some signs were taken from rounded numbers."),
    ):
        if not holds:
            found.append(Note(text, tone="warning"))
    return found
