from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from report_pages import LEGEND

from hinge.page import Grid, Shade, Strip
from hinge.report.cells import band, bands, coarseness, ranked, runs, tally, totals, variants

CELLS = st.lists(st.integers(0, 2), max_size=300).map(tuple)


@given(CELLS, st.integers(1, 400))
def test_a_cell_shows_the_worst_of_its_units(cells: tuple[int, ...], limit: int) -> None:
    drawn = band(Strip("fc", cells), LEGEND, limit)
    step = drawn.per_cell
    groups = [cells[i : i + step] for i in range(0, len(cells), step)]
    assert drawn.cells.tolist() == [min(group) for group in groups]  # the legend is worst first
    assert len(drawn.cells) <= limit
    assert sum(drawn.counts) == drawn.n_units == len(cells)


@given(CELLS, st.integers(1, 70))
def test_runs_spell_the_cells_row_by_row(cells: tuple[int, ...], columns: int) -> None:
    found = runs(np.array(cells, dtype=np.intp), columns)
    assert [run.shade for run in found for _ in range(run.length)] == list(cells)
    assert all(run.start // columns == (run.start + run.length - 1) // columns for run in found)


def test_the_worst_comes_first_whatever_the_order_of_the_legend() -> None:
    tones = ("good", "bad", "info", "warning", "bad")
    legend = [Shade(str(i), "", tone) for i, tone in enumerate(tones)]
    assert ranked(legend) == [1, 4, 3, 2, 0]
    assert variants(legend) == [0, 0, 0, 0, 1]
    assert tally([5, 1, 0, 0, 1200], legend) == "1 1, 1\u202f200 4, 5 0"


def test_totals_count_all_strips() -> None:
    grid = Grid(LEGEND, (Strip("a", (0, 0, 1)), Strip("b", (0,)), Strip("c", ())))
    assert totals(grid) == [3, 1, 0]


def test_a_grid_is_coarsened_until_its_runs_fit_and_says_so() -> None:
    grid = Grid(LEGEND, tuple(Strip(str(i), (0, 2) * 500) for i in range(5)))
    drawn = bands(grid, most_strips=4, per_strip=4096, in_all=300)
    assert sum(len(runs(one.cells, 10**6)) for one in drawn) <= 300
    assert coarseness(drawn, 5).endswith("And 1 more row, not drawn.")
    assert "worst category" in coarseness(drawn, 5)
    assert coarseness(bands(grid, 9, 4096, 10**6), 5) == ""
