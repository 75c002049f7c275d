"""Fits a grid of any size to a renderer: bins, runs and counts of categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.page import Grid, Shade, Strip, Tone
from hinge.report.text import grouped, plural, printable

Indices = npt.NDArray[np.intp]

TONES: tuple[Tone, ...] = ("bad", "warning", "info", "good")
"""From the most alarming tone to the least."""


@dataclass(frozen=True)
class Band:
    """A strip as it is drawn.

    ``cells`` has one index into the legend per drawn cell, each standing for ``per_cell``
    units (the last for fewer); ``counts`` has one entry per category and counts units.
    """

    label: str
    cells: Indices
    per_cell: int
    n_units: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """Neighbouring cells of one category: the first cell, how many, the category."""

    start: int
    length: int
    shade: int


def ranked(legend: Sequence[Shade]) -> list[int]:
    """Order the legend's indices from the worst category to the best."""
    return sorted(range(len(legend)), key=lambda i: (TONES.index(legend[i].tone), i))


def variants(legend: Sequence[Shade]) -> list[int]:
    """Number the categories within their tone, so that equals of tone can look different.

    >>> tones = ("bad", "good", "bad")
    >>> variants([Shade("name", "meaning", tone) for tone in tones])
    [0, 0, 1]
    """
    seen: dict[Tone, int] = {}
    numbers = []
    for shade in legend:
        numbers.append(seen.get(shade.tone, 0))
        seen[shade.tone] = numbers[-1] + 1
    return numbers


def band(strip: Strip, legend: Sequence[Shade], limit: int) -> Band:
    """Draw a strip with at most ``limit`` cells; a cell of several units shows the worst.

    >>> legend = (Shade("alive", "", "good"), Shade("dead", "", "bad"))
    >>> drawn = band(Strip("fc", (0, 0, 1, 0, 0)), legend, limit=3)
    >>> drawn.cells.tolist(), drawn.per_cell, drawn.counts
    ([0, 1, 0], 2, (4, 1))
    """
    units = np.asarray(strip.cells, dtype=np.intp)
    return _binned(strip.label, units, legend, limit)


def bands(grid: Grid, most_strips: int, per_strip: int, in_all: int) -> list[Band]:
    """Draw the first ``most_strips`` strips within ``per_strip`` cells and ``in_all`` runs.

    Where the runs are too many, the longest strips become coarser first.
    """
    strips = [np.asarray(strip.cells, dtype=np.intp) for strip in grid.strips[:most_strips]]
    labels = [strip.label for strip in grid.strips[:most_strips]]
    limit = per_strip
    while True:
        drawn = [
            _binned(label, units, grid.legend, limit)
            for label, units in zip(labels, strips, strict=True)
        ]
        n_runs = sum(1 + int(np.count_nonzero(np.diff(one.cells))) for one in drawn)
        if n_runs <= in_all or limit == 1:
            return drawn
        limit = max(1, limit // 2)


def runs(cells: Indices, columns: int) -> list[Run]:
    """Join equal neighbours in rows of ``columns`` cells; a run ends with its row.

    >>> [(run.start, run.length) for run in runs(np.array([0, 0, 1, 1, 1]), columns=4)]
    [(0, 2), (2, 2), (4, 1)]
    """
    if not cells.size:
        return []
    places = np.arange(1, cells.size)
    breaks = places[(np.diff(cells) != 0) | (places % columns == 0)]
    starts = np.concatenate([[0], breaks])
    lengths = np.diff(starts, append=cells.size)
    return [
        Run(int(start), int(length), int(cells[start]))
        for start, length in zip(starts, lengths, strict=True)
    ]


def totals(grid: Grid) -> list[int]:
    """Count the units of each category over all strips."""
    counts = np.zeros(len(grid.legend), dtype=np.int64)
    for strip in grid.strips:
        counts += np.bincount(np.asarray(strip.cells, dtype=np.intp), minlength=len(grid.legend))
    return [int(count) for count in counts]


def tally(counts: Sequence[int], legend: Sequence[Shade]) -> str:
    """Say how many units each category has, the worst first.

    >>> tally([4, 1], (Shade("alive", "", "good"), Shade("dead", "", "bad")))
    '1 dead, 4 alive'
    """
    return ", ".join(
        f"{grouped(counts[i])} {printable(legend[i].name)}" for i in ranked(legend) if counts[i]
    )


def coarseness(drawn: Sequence[Band], n_strips: int) -> str:
    """Say in a sentence what a drawing leaves out; empty when it shows every unit."""
    parts = []
    coarsest = max((one.per_cell for one in drawn), default=1)
    if coarsest > 1:
        parts.append(
            f"In long rows a cell stands for up to {plural(coarsest, 'unit')} "
            "and shows the worst category among them."
        )
    if n_strips > len(drawn):
        parts.append(f"And {plural(n_strips - len(drawn), 'more row')}, not drawn.")
    return " ".join(parts)


def _binned(label: str, units: Indices, legend: Sequence[Shade], limit: int) -> Band:
    order = np.asarray(ranked(legend), dtype=np.intp)
    per_cell = max(1, -(-units.size // limit))
    cells = units
    if per_cell > 1:
        badness = np.empty_like(order)
        badness[order] = np.arange(order.size)
        starts = np.arange(0, units.size, per_cell)
        cells = order[np.minimum.reduceat(badness[units], starts)]
    counts = np.bincount(units, minlength=len(legend))
    return Band(label, cells, per_cell, units.size, tuple(int(count) for count in counts))
