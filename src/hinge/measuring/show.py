"""A comparison as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hinge.measuring.depth import EXPERIMENT
from hinge.page import Block, Column, Note, Page, Table

if TYPE_CHECKING:
    from hinge.measuring.comparison import Comparison

_MS = 1e-3
"""A millisecond."""

_COLUMNS = (
    Column("activation", "code"),
    Column(
        "forward",
        "number",
        "time of f(x) over the time of x.clone(), the median over rounds in which all take turns",
    ),
    Column(
        "both ways",
        "number",
        "time of f(x) and of its backward pass, over the time of x.clone(), likewise",
    ),
    Column(
        "kept B",
        "number",
        "bytes per element of the output that autograd keeps for the backward pass: those of the "
        "input, of the output and extra ones, each storage once, parameters left out",
    ),
    Column("zeros", "share", "share of f(z) that is exactly 0, for standard normal z"),
    Column("mean", "number", "E[f(z)] for standard normal z: how far the output shifts from 0"),
    Column("var", "number", "the variance of f(z) for standard normal z"),
    Column("gradient", "number", f"what is left of the gradient: {EXPERIMENT}"),
    Column(
        "max f′", "number", "the largest |f′|: the Lipschitz constant, with the default parameters"
    ),
)


def page(comparison: Comparison) -> Page:
    """Build the page."""
    blocks: list[Block] = [_table(comparison), _method(comparison)]
    blocks += [Note(text, tone="warning") for text in comparison.notes]
    return Page("Activations compared", _summary(comparison), tuple(blocks))


def _summary(comparison: Comparison) -> str:
    threads = "1 thread" if comparison.threads == 1 else f"{comparison.threads} threads"
    setting = f"{comparison.size:,} elements of {comparison.dtype}, {threads}"
    if comparison.copy is None:
        return f"{setting}; interrupted before anything was timed."
    cut = "" if comparison.complete else "; interrupted, this is what was measured until then"
    return f"{setting}. A copy takes {_duration(comparison.copy)}{cut}."


def _duration(seconds: float) -> str:
    return f"{seconds / _MS:.3g} ms" if seconds >= _MS else f"{seconds * 1e6:.3g} µs"


def _table(comparison: Comparison) -> Table:
    rows = tuple(
        (
            row.name,
            row.forward,
            row.both,
            row.kept,
            row.zeros,
            row.mean,
            row.variance,
            row.survives,
            row.lipschitz,
        )
        for row in comparison.rows
    )
    return Table(_COLUMNS, rows)


def _method(comparison: Comparison) -> Note:
    measured = ", ".join(dict.fromkeys(row.measured for row in comparison.rows))
    cost = (
        "forward and both ways (forward and backward) are times over that of a copy, medians of "
        f"{comparison.rounds} rounds in which all take turns, on normal random data. On a busy "
        "machine they move by a fifth."
    )
    moments = (
        "zeros, mean and var are those of f(z), z standard normal: by Gauss-Legendre quadrature of "
        "the record between its joints, right in all digits shown."
    )
    kept = "kept B are the bytes per element of the output that autograd keeps."
    gradient = f"gradient is what is left of it in {EXPERIMENT}."
    timed = (cost,) if comparison.rounds else ()
    points = (*timed, kept, moments, gradient, f"Measured: {measured}.")
    return Note("", "How this was measured", points=points)
