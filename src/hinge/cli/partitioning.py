"""The work of `hinge partition`: load, find the domain, cut, report; what is complete is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import hinge
from hinge.cli.inputs import Cut, Data, Model, Takes, load_model, open_data
from hinge.cli.inputs.picked import extent, picked
from hinge.cli.inputs.spelling import Spelled
from hinge.cli.interrupts import pressed
from hinge.cli.outputs import Outputs
from hinge.cli.progress import progress_bar
from hinge.cli.speech import say, say_error
from hinge.cli.verbs import Code
from hinge.domains import Box, Plane, Polygon, Segment
from hinge.errors import HingeError, OptionError
from hinge.network import Network, read
from hinge.report.text import grouped

Domain = Segment | Polygon | Plane | Box
Shape = tuple[int, ...]
Points = tuple[Any, ...]
"""What the domain is made of: its points, or a box's lower and upper bounds."""

_PLANAR = 2


@dataclass(frozen=True)
class Job:
    """One partition, as the command line asks for it."""

    model: str
    weights: Path | None
    spelled: Spelled
    name: str | None
    shape: Shape | None
    margin: float
    count: bool
    budget: Mapping[str, float]
    threads: int | None
    outputs: Outputs

    def run(self) -> Code:
        """Cut, print, write; return how the program ends."""
        self._check()
        try:
            found = self._partition()
        except HingeError as error:
            say_error(error)
            if error.partial is not None:
                self.outputs.deliver(error.partial, self._title)
            return Code.ERROR
        if pressed():
            say(f"Interrupted; {grouped(found.n_cells)} cells were complete until then.")
        elif not found.complete:
            say("The budget was used up; this is what was complete until then.")
        try:
            code = self.outputs.deliver(found, self._title)
        except KeyboardInterrupt:
            cells = grouped(found.n_cells)
            say(f"Interrupted; {cells} cells had been found, but not all outputs written.")
            return Code.INTERRUPTED
        return Code.INTERRUPTED if pressed() else code

    @property
    def _title(self) -> str:
        return f"{self.model} on {self.spelled.kind} {self.spelled.text}"

    def _check(self) -> None:
        """Refuse, before any work, what the options ask for together but cannot have."""
        drawn = {"--svg": self.outputs.svg, "--geojson": self.outputs.geojson}
        asked = [option for option, path in drawn.items() if path is not None]
        if self.count and asked:
            raise OptionError(
                "cells that are only counted cannot be drawn",
                where=asked[0],
                found="--count",
                do="leave out --count",
            )
        spelled = self.spelled
        written = spelled.kind == "box" and spelled.data is None
        fixed = written or spelled.kind == "segment"
        if self.margin and fixed:
            raise OptionError(
                "only planes, and boxes around data, have a margin",
                where="--margin",
                found=f"--{spelled.kind} {spelled.text}",
                do="leave out --margin, and write the domain as large as you mean it",
            )

    def _partition(self) -> Any:
        model = load_model(self.model, self.weights)
        points = self._points(model)
        network = self._network(model, points)
        domain = domain_of(self.spelled.kind, points, network.input_shape, self.margin)
        label = f"Partitioning {self._title}"
        with progress_bar(label, None, quiet=self.outputs.quiet, noun="cells") as progress:
            return hinge.partition(
                network,
                domain,
                budget=dict(self.budget) or None,
                threads=self.threads,
                progress=progress,
                count_only=self.count,
            )

    def _points(self, model: Model) -> Points:
        """The points that were spelled, out of the data if they lie there."""
        spelled = self.spelled
        if spelled.data is None:
            return tuple(np.array(vector) for vector in spelled.vectors)
        data: Data = open_data(spelled.data, Takes(model, self.model), Cut(), self.name)
        if spelled.rows is None:
            return extent(data, spelled.data)
        examples = picked(data, spelled.rows, spelled.data)
        if spelled.kind == "box":
            return examples.min(axis=0), examples.max(axis=0)
        return tuple(examples)

    def _network(self, model: Model, points: Points) -> Network:
        """Read a module, which takes an example of the right shape."""
        if isinstance(model, Network):
            return model
        shape = self.shape or points[0].shape
        if self.shape is None and self.spelled.kind == "box" and points[0].size == 1:
            raise OptionError(
                "one range does not say how many inputs there are",
                where="--box",
                found=f"{self.spelled.text}, for a model that code makes",
                do="say --shape, such as --shape 3, or write a range for each input",
            )
        dtype = next((weight.dtype for weight in model.parameters()), torch.float32)
        return read(model, torch.zeros(1, *shape, dtype=dtype))


def domain_of(kind: str, points: Points, shape: Shape, margin: float) -> Domain:
    """Make the domain of a network whose inputs have this shape.

    A box of one input is a segment, a box of two a rectangle. Raises `DataError` where there
    is no such domain.
    """
    if kind == "segment":
        return Segment(*points)
    if kind == "plane":
        first, second, third = points
        return Plane.through(first, second, third, margin=margin)
    lower, upper = points
    if lower.size == 1:
        lower, upper = (np.full(shape, float(bound.item())) for bound in points)
    box = Box.around(np.stack([lower, upper]), margin)
    low, high = box.bounds(shape)
    if low.size == 1:
        return Segment(low, high)
    if low.size == _PLANAR:
        return Polygon.rectangle(low, high)
    return Box(low.reshape(shape), high.reshape(shape))
