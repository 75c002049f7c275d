"""What the JSON of partitions of segments and of planes has in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hinge.errors import FileError
from hinge.regions.cells.layouts import Layout
from hinge.regions.programs.program import Program, Reals
from hinge.regions.programs.saved import layout_from, of_layout, of_program, program_from
from hinge.report import json

Fields = dict[str, Any]


class Saved(Protocol):
    """What every partition that a program was cut for holds, whatever its dimension."""

    @property
    def program(self) -> Program:
        """What was cut."""

    @property
    def layouts(self) -> dict[str, Layout]:
        """Where the entries of its steps lie."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input."""

    @property
    def origin(self) -> Reals:
        """The input at the domain's origin, flat."""

    @property
    def certified(self) -> bool:
        """Whether every sign is certain."""

    @property
    def complete(self) -> bool:
        """Whether nothing was left out."""

    @property
    def source(self) -> str:
        """Where the network came from."""


def dump(found: Saved, schema: str, version: int, own: Fields) -> str:
    """Write what partitions share and what is this one's ``own``."""
    shared = {
        "source": found.source,
        "certified": found.certified,
        "complete": found.complete,
        "input_shape": found.input_shape,
        "origin": found.origin,
        "layouts": {name: of_layout(one) for name, one in found.layouts.items()},
        "program": of_program(found.program),
    }
    return json.dump(shared | own, schema, version)


def load(
    source: str | Path, schema: str, version: int, own: Callable[[Fields, Program], Fields]
) -> Fields:
    """Read what `dump` wrote: the fields of a partition. Raises `FileError` for anything else.

    ``own`` reads what is not shared out of the document's values, given the program, and
    raises `ValueError` or its kin where that does not fit.
    """
    values = json.load(source, schema, version)
    try:
        found = _shared(values)
        return found | own(values, found["program"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise FileError(
            "the partition is not whole",
            where=str(source) if isinstance(source, Path) else "its JSON text",
            found=f"{type(error).__name__}: {error}",
            do="write it again with to_json()",
        ) from error


def _shared(values: Fields) -> Fields:
    program = program_from(values["program"])
    found: Fields = {
        "program": program,
        "layouts": {name: layout_from(one) for name, one in values["layouts"].items()},
        "input_shape": tuple(int(one) for one in values["input_shape"]),
        "origin": np.asarray(values["origin"], np.float64),
        "certified": bool(values["certified"]),
        "complete": bool(values["complete"]),
        "source": str(values["source"]),
    }
    found["origin"].reshape(found["input_shape"])  # a ValueError where it is of another size
    for meaning in program.meanings:
        if meaning.step in found["layouts"]:
            found["layouts"][meaning.step].units[meaning.entries]
    return found
