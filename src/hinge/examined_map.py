"""The map in an examination: the linear pieces of a network with one or two inputs, near its data.

It is an extra: where it cannot be made, nothing is lost but the map, and nothing is said, unless
a smooth activation is why.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hinge.activations import kin
from hinge.diagnosis.finding import named_units
from hinge.domains import Box, Polygon, Segment
from hinge.network import Network
from hinge.page import Block, Dots, Heading, Lines, Map, Note
from hinge.report.text import grouped, number, plural
from hinge.tracing.batches import Batch

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from hinge.census import Census
    from hinge.regions.line.partition import LinePartition
    from hinge.regions.plane.partition import PlanePartition

    Partition = LinePartition | PlanePartition

MARGIN = 0.1
"""How far the map reaches beyond the data, as a share of their extent on each side."""

BUDGET: Mapping[str, float] = {"cells": 20_000, "seconds": 2.0}
"""More cells are not told apart on a page. They take a tenth of that time, or never come: a census
was asked for, and is done by then.
"""

SAMPLE = 500
"""Examples that are drawn at the most: more would hide the map behind them."""

_LINE, _PLANE = 1, 2
_EXAMPLES_READ = 2  # torch.export takes a batch of 1 to be a fixed size

Reals = npt.NDArray[np.float64]


@dataclass
class Glimpse:
    """What a map needs of the data, gathered batch by batch while they pass.

    ``example`` is a small batch as the model got it. ``extent`` ``(2, n_in)`` holds the least and
    the largest value of each of the one or two inputs, and ``sample`` every ``step``-th of the
    examples ``seen``. Data of more inputs, or of another kind, do not fit and are let pass.
    """

    fits: bool = True
    seen: int = 0
    step: int = 1
    example: Tensor | None = None
    extent: Reals = field(default_factory=lambda: np.zeros((0, 0)))
    sample: Reals = field(default_factory=lambda: np.zeros((0, 0)))

    def __call__(self, batch: Batch) -> None:
        """Look at one batch, before the model can change it."""
        if not self.fits or not batch.n:
            return
        x = _only_input(batch)
        if x is None or (self.example is not None and x.shape[1:] != self.example.shape[1:]):
            self.fits = False
            return
        rows = x.detach().reshape(len(x), -1).cpu().double().numpy()
        if self.example is None:
            self.example = x[:_EXAMPLES_READ].detach().clone()
            self.extent, self.sample = rows[:1], rows[:0]
        self._add(rows)

    def _add(self, rows: Reals) -> None:
        everything = np.concatenate([self.extent, rows])
        self.extent = np.stack([everything.min(axis=0), everything.max(axis=0)])
        self.sample = np.concatenate([self.sample, rows[-self.seen % self.step :: self.step]])
        self.seen += len(rows)
        while len(self.sample) > SAMPLE:
            self.sample = self.sample[::2]
            self.step *= 2


def _only_input(batch: Batch) -> Tensor | None:
    """The one tensor that a model is called with, if it holds one or two numbers per example."""
    if batch.kwargs or len(batch.args) != 1 or batch.axis != 0:
        return None
    x = batch.args[0]
    plain = isinstance(x, Tensor) and x.layout == torch.strided and x.is_floating_point()
    return x if plain and x.ndim and x[0].numel() in {_LINE, _PLANE} else None


@dataclass(frozen=True, eq=False)
class ExaminedMap:
    """The pieces of a network near its data, or a remark that says why there are none."""

    partition: Partition | None
    glimpse: Glimpse
    remark: str = ""

    def blocks(self) -> list[Block]:
        """The section of the page: the map, what it proves, or that it is not complete."""
        heading = Heading("The map")
        found = self.partition
        if found is None:
            return [heading, Note(self.remark)]
        if not found.n_cells:
            text = "The network has more cells than an examination cuts; hinge.partition cuts all."
            return [heading, Note(text)]
        shown = _plane(found, self.glimpse) if _is_plane(found) else _line(found)
        if found.complete:
            return [heading, shown, Note(proven(found), "Proven here")]
        text = "An examination cuts few cells, so a part is missing; hinge.partition cuts all."
        return [heading, shown, Note(text, "The map is not complete", "warning")]


def examined_map(model: Any, census: Census, glimpse: Glimpse) -> ExaminedMap | None:
    """Make the map of a model near the data that were seen; None where there is none.

    The model is left as it was: what is traced is a copy of it.
    """
    if not (glimpse.fits and glimpse.seen and census.complete):
        return None
    try:
        smooth = _smooth(census)
        if smooth:
            return ExaminedMap(None, glimpse, smooth)
        network = model if isinstance(model, Network) else _read(model, glimpse.example)
        found = None if network is None else _partition(network, glimpse)
    except KeyboardInterrupt:
        return None  # whoever is in a hurry gets the examination, which is whole
    except Exception:  # noqa: BLE001 - no fault in an extra, or in a model's own code, may cost a census
        return None
    return None if found is None else ExaminedMap(found, glimpse)


def _smooth(census: Census) -> str:
    """Say which activation is smooth, so that there are no linear pieces; nothing if none is."""
    for site in census.sites:
        if not kin.find(site.activation).is_piecewise_linear:
            return (
                "The network has no linear pieces to draw: the activation at site "
                f"{site.name} ({site.activation}) is smooth."
            )
    return ""


def _read(model: Any, example: Tensor | None) -> Network | None:
    """Read a copy of a module; none with hooks, which are code that a copy shares."""
    from hinge.network import read  # noqa: PLC0415 - most examinations have no map

    if not isinstance(model, nn.Module) or any(map(_hooked, model.modules())):
        return None
    inner = getattr(model, "_orig_mod", model)  # what torch.compile wraps around it
    with _silence():
        return read(copy.deepcopy(inner), example)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep back what torch logs and prints of a model that it cannot trace."""
    logger = logging.getLogger("torch")
    before = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [logging.NullHandler()], False
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    finally:
        logger.handlers, logger.propagate = before


def _hooked(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks)  # noqa: SLF001 - no public name
    return any(hooks)


def _partition(network: Network, glimpse: Glimpse) -> Partition | None:
    """Cut the segment or the rectangle around the data."""
    from hinge.regions.line.partition import LinePartition  # noqa: PLC0415 - as above
    from hinge.regions.partitioning import partition  # noqa: PLC0415 - as above
    from hinge.regions.plane.partition import PlanePartition  # noqa: PLC0415 - as above

    box = Box.around(glimpse.extent, MARGIN)
    shape = network.input_shape
    domain = (
        Segment(box.lower.reshape(shape), box.upper.reshape(shape))
        if box.dimension == _LINE
        else Polygon.rectangle(box.lower, box.upper)
    )
    found = partition(network, domain, budget=BUDGET)
    return found if isinstance(found, LinePartition | PlanePartition) else None


def _is_plane(found: Partition) -> TypeIs[PlanePartition]:
    from hinge.regions.plane.partition import PlanePartition  # noqa: PLC0415 - as above

    return isinstance(found, PlanePartition)


def _plane(found: PlanePartition, glimpse: Glimpse) -> Map:
    """The map of two inputs, with the data on it."""
    from hinge.regions.plane import show  # noqa: PLC0415 - as above

    x, y = glimpse.sample.T.tolist()
    drawn, seen = len(x), glimpse.seen
    name = "the data" if drawn == seen else f"{grouped(drawn)} of {plural(seen, 'example')}"
    return replace(
        show.picture(found),
        dots=(Dots(name, tuple(x), tuple(y)),),
        title=_title(show.summary(found)),
        x_label="first input",
        y_label="second input",
    )


def _line(found: LinePartition) -> Lines:
    """The outputs over the only input."""
    from hinge.regions.line import show  # noqa: PLC0415 - as above

    def moved(places: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(found.input_at(places).reshape(-1).tolist())

    drawn = next(block for block in show.page(found).blocks if isinstance(block, Lines))
    marks = zip(moved(tuple(t for t, _ in drawn.marks)), drawn.marks, strict=True)
    return replace(
        drawn,
        lines=tuple(replace(line, x=moved(line.x)) for line in drawn.lines),
        title=_title(show.summary(found)),
        x_label="the input",
        marks=tuple((at, name) for at, (_, name) in marks),
    )


def _title(summary: str) -> str:
    return summary[:1].upper() + summary[1:]


def proven(found: Partition) -> str:
    """Name the units that are off, and that are on, for every input of the map."""
    lists = []
    for site in dict.fromkeys(one.site for one in found.never_folds):
        here = [one for one in found.never_folds if one.site == site]
        states = {word: tuple(o.unit for o in here if o.state == word) for word in ("off", "on")}
        told = [_named(units, word) for word, units in states.items() if units]
        if told:
            lists.append(f"at site {site}, {' and '.join(told)}")
    where = f"for every input {_extent(found)}, in the data or not"
    if not lists:
        return f"No unit is off, and none is on, {where}."
    return f"{_title(where)}: {'; '.join(lists)}."


def _named(units: tuple[int, ...], word: str) -> str:
    noun, verb = ("unit", "is") if len(units) == 1 else ("units", "are")
    return f"{noun} {named_units(units)} {verb} {word}"


def _extent(found: Partition) -> str:
    """Where the map ends, in words."""
    if not _is_plane(found):
        start, end = found.input_at([0.0, 1.0]).reshape(-1).tolist()
        return f"from {number(start)} to {number(end)}"
    low, high = found.corners.min(axis=0).tolist(), found.corners.max(axis=0).tolist()
    sides = (f"{number(a)} to {number(b)}" for a, b in zip(low, high, strict=True))
    return f"of the rectangle {' by '.join(sides)}"
