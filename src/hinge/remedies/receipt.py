"""The receipt of a remedy: what changed, how far the function moved, and the way back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from hinge.errors import OptionError
from hinge.page import Block, Column, Note, Page, Table, Value
from hinge.report import json, to_html

Preserves = Literal["everywhere", "data", "no"]
"""Where a remedy leaves the model's function as it was, up to rounding."""

SCHEMA, VERSION = "receipt", 1

_CONTRACTS: dict[Preserves, str] = {
    "everywhere": "on every input",
    "data": "on the data, in eval mode",
    "no": "not promised",
}


@dataclass(eq=False)
class Receipt:
    """What a remedy did to a model.

    ``remedy`` names it with its options. ``units`` are those that it changed, by site; empty
    where whole layers were changed. ``preserves`` is the contract, ``moved`` the largest
    absolute change of an output, measured on the data (NaN where there were none), and
    ``spread`` the standard deviation of the outputs, beside which that is large or small.
    ``changes`` say in sentences what was changed, ``notes`` what the owner should know.
    """

    remedy: str
    units: Mapping[str, tuple[int, ...]]
    preserves: Preserves
    moved: float
    spread: float
    changes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    _undo: Callable[[], None] = field(default=lambda: None, repr=False)
    _undone: bool = field(default=False, init=False, repr=False)

    def undo(self) -> None:
        """Put all that was changed back, bit for bit; the optimizer's state too.

        What the same tensors have learned since is lost, other tensors keep it: undo at once,
        or not at all. Raises `OptionError` when called again, or while modules that were put in
        have been replaced by a later remedy.
        """
        if self._undone:
            raise OptionError(
                "the remedy was undone already",
                where=self.remedy,
                found="a second call of undo()",
                do="apply the remedy again if it should be undone again",
            )
        self._undo()
        self._undone = True
        self._undo = _nothing  # the copies are not needed any more

    @property
    def undone(self) -> bool:
        """Whether it was undone."""
        return self._undone

    @property
    def n_units(self) -> int:
        """How many units it changed."""
        return sum(map(len, self.units.values()))

    @property
    def summary(self) -> str:
        """One sentence: what it did, and how far the function moved."""
        done = f"{self.remedy}, undone" if self._undone else self.remedy
        if not self.changes:
            return f"{done}: nothing was changed."
        units, sites = self.n_units, len(self.units)
        what = f"{units:,} unit{'s' * (units != 1)} at {sites} site{'s' * (sites != 1)}"
        return f"{done}: {what if units else 'whole layers'} changed; {self._moved()}."

    def page(self) -> Page:
        """The receipt as a page: the contract, what was changed, the units."""
        points = (f"Preserves the function: {_CONTRACTS[self.preserves]}.",)
        blocks: list[Block] = [Note("", "Contract", points=points)]
        blocks += [Note("", "What was changed", points=self.changes)] if self.changes else []
        blocks += [Note(note, tone="warning") for note in self.notes]
        if self.units:
            rows: tuple[tuple[Value, ...], ...] = tuple(
                (site, len(units), ", ".join(map(str, units))) for site, units in self.units.items()
            )
            columns = (Column("site", "code"), Column("units", "integer"), Column("numbers"))
            blocks.append(Table(columns, rows, title="Units"))
        return Page("Receipt", self.summary, tuple(blocks))

    def to_json(self) -> str:
        """The facts as JSON text with a schema version; the way back is not among them."""
        names = ("remedy", "units", "preserves", "moved", "spread", "changes", "notes", "undone")
        return json.dump({name: getattr(self, name) for name in names}, SCHEMA, VERSION)

    def __str__(self) -> str:
        lines = [self.summary, f"  preserves the function: {_CONTRACTS[self.preserves]}"]
        lines += [f"  {change}" for change in self.changes]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return to_html(self.page())

    def _moved(self) -> str:
        if math.isnan(self.moved):
            return "how far the outputs moved was not measured"
        beside = f" (their standard deviation is {self.spread:.3g})"
        return f"the outputs moved by at most {self.moved:.3g}{beside if self.moved else ''}"


def _nothing() -> None:
    """What is left to undo once all is undone."""
