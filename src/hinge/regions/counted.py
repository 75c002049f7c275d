"""A number of cells, where no more was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from hinge.page import Note, Page
from hinge.report import json, to_text
from hinge.report.text import plural

SCHEMA, VERSION = "cell_count", 1


@dataclass(frozen=True)
class CellCount:
    """How many cells a network has on a domain: pieces with one activation pattern each.

    ``complete`` is False where the budget ended the count; then there are more.
    """

    n_cells: int
    complete: bool = True
    certified: bool = True

    def page(self) -> Page:
        """The count in a sentence."""
        at_least = "" if self.complete else "at least "
        note = (
            ()
            if self.complete
            else (Note("The count was stopped before its end.", tone="warning"),)
        )
        return Page("Cells", f"{at_least}{plural(self.n_cells, 'cell')}, counted exactly.", note)

    def to_json(self) -> str:
        """The count as JSON text with a schema version."""
        payload = {
            "n_cells": self.n_cells,
            "complete": self.complete,
            "certified": self.certified,
        }
        return json.dump(payload, SCHEMA, VERSION)

    def __str__(self) -> str:
        return to_text(self.page())
