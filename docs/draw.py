"""Draws the pictures of the hand-written pages, from what the programs on them compute."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

import hinge
from hinge.page import Block, Line, Lines, Map
from hinge.report import to_svg

BENDS = Path(__file__).with_name("where-is-the-non-linearity.md")
DEATHS = Path(__file__).with_name("why-did-it-die.md")
AROUND = range(285, 326)  # the steps that are drawn, one of which has a bad batch
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def drawn() -> dict[Path, str]:
    """The text of every picture, by its path within the folder of the pages."""
    pictures = {Path("non-linearity", name): block for name, block in _bends().items()}
    pictures[Path("why-did-it-die", "spike")] = _spike()
    return {path.with_suffix(".svg"): to_svg(block) for path, block in pictures.items()}


def _bends() -> dict[str, Lines | Map]:
    """The pictures of the page on the non-linearity."""
    found = _names_of(BENDS)
    teeth = {f"{2**depth} pieces": found["teeth"][depth] for depth in (1, 2, 3)}
    return {
        "three-units": _along(
            {"straight": found["straight"], "folded": found["folded"]}, "Three ReLUs, summed"
        ),
        "one-layer": replace(
            _cells(found["shallow"], "Four units, eleven cells", "creases"), shades=(), key=()
        ),
        "two-layers": _cells(
            found["deep"],
            "Creases of the second layer turn at the first",
            "first layer",
            "second layer",
        ),
        "sawtooth": _along(teeth, "Each layer folds what the layers before it have folded"),
        "sine": _block(found["eight"].page().blocks, Lines),
    }


def _spike() -> Lines:
    """On how many examples units fire around the bad batch of the page on deaths."""
    found = _names_of(DEATHS)
    model, spoiled = found["network"](), 300
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    found["train"](model, optimizer, range(AROUND.start))
    fired = []
    for step in AROUND:
        fired.append(hinge.observe(model, found["x"])["3"].fired)
        found["train"](model, optimizer, [step], spoiled=spoiled)
    counts, dying = np.array(fired), list(found["watch"].events[-1].units)
    others = np.delete(counts, dying, axis=1)
    drawn = {"that die": counts[:, dying], "others": others}
    return Lines(
        tuple(
            Line(f"{values.shape[1]} {name}", tuple(AROUND), tuple(np.median(values, axis=1)))
            for name, values in drawn.items()
        ),
        "Examples of 1,000 on which a unit fires, median",
        x_label="step",
        marks=((spoiled, "the bad batch"),),
    )


def _names_of(page: Path) -> dict[str, Any]:
    """Run the programs of a page, silently; return what they leave behind."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with redirect_stdout(StringIO()):
        for program in PROGRAM.findall(page.read_text(encoding="utf-8")):
            exec(compile(program, page.name, "exec"), names)  # noqa: S102 - our own page
    return names


def _along(partitions: dict[str, Any], title: str) -> Lines:
    """The outputs of networks on one segment, over their only input."""
    lines = []
    kinks: set[float] = set()
    for name, found in partitions.items():
        inputs, outputs = found.inputs.ravel().tolist(), found.outputs.ravel().tolist()
        lines.append(Line(name, tuple(inputs), tuple(outputs)))
        kinks.update(inputs[1:-1])
    marks = tuple((kink, "kink") for kink in sorted(kinks))
    return Lines(tuple(lines), title, x_label="input", marks=marks)


def _cells(found: Any, title: str, *levels: str) -> Map:
    """The map of a partition, with a title and names of the layers of its own."""
    drawn: Map = _block(found.page().blocks, Map)
    return replace(drawn, title=title, levels=levels, x_label="x", y_label="y")


def _block(blocks: tuple[Block, ...], kind: type) -> Any:
    return next(block for block in blocks if isinstance(block, kind))
