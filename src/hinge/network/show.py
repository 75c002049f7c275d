"""What a network looks like: its steps as a page and as text."""

from __future__ import annotations

from collections.abc import Sequence

from hinge.network.operators.affine import Shape
from hinge.network.steps import Activate, Step
from hinge.page import Column, Page, Table

_COLUMNS = (
    Column("step", "code", "the step's name; an activation bears its site's name"),
    Column("kind", "text", "affine, activate, max, add or concat"),
    Column("what", "text", "what the step does"),
    Column("shape", "code", "the shape of its result for one example"),
    Column("reads", "code", "the steps whose results it reads, where that is not the step above"),
)


def network_page(
    origin: str, input_shape: Shape, output_shape: Shape, steps: Sequence[Step]
) -> Page:
    """Return a page with one row per step."""
    sites = [step.site for step in steps if isinstance(step, Activate)]
    summary = (
        f"{shape_text(input_shape)} to {shape_text(output_shape)} in {len(steps)} steps; "
        f"{len(sites)} site{'s' * (len(sites) != 1)}, {sum(site.n_units for site in sites):,} units"
    )
    above = ["input", *(step.name for step in steps)]
    rows = tuple(
        (
            step.name,
            step.kind.lower(),
            step.details,
            shape_text(step.shape),
            "" if step.inputs == (before,) else ", ".join(step.inputs),
        )
        for step, before in zip(steps, above, strict=False)
    )
    return Page(
        title=f"Network read from {origin}", summary=summary, blocks=(Table(_COLUMNS, rows),)
    )


def network_text(page: Page) -> str:
    """Return the page as plain text: a heading and columns of equal width."""
    tables = [block for block in page.blocks if isinstance(block, Table)]
    lines = [f"{page.title}: {page.summary}"]
    for table in tables:
        head = tuple(column.name for column in table.columns)
        rows = [head, *(tuple(map(str, row)) for row in table.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines += ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join(lines)


def shape_text(shape: Shape) -> str:
    """Return ``3x32x32``; a single number's shape is ``1 number``."""
    return "x".join(map(str, shape)) or "1 number"
