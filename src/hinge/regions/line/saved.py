"""A partitioned segment as JSON, and back, without losing a bit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hinge.regions.programs import documents
from hinge.regions.programs.documents import Fields
from hinge.regions.programs.program import Program
from hinge.regions.programs.saved import chain_from, of_chain

if TYPE_CHECKING:
    from hinge.regions.line.partition import LinePartition

SCHEMA, VERSION = "line-partition", 1


def to_json(line: LinePartition) -> str:
    """Write the program, the pieces and where the units lie; all else follows from them."""
    own = {"direction": line.direction, "chain": of_chain(line.chain)}
    return documents.dump(line, SCHEMA, VERSION, own)


def from_json(source: str | Path) -> Fields:
    """Read what `to_json` wrote: the fields of a `LinePartition`. Raises `FileError`."""
    return documents.load(source, SCHEMA, VERSION, _own)


def _own(values: Fields, program: Program) -> Fields:
    direction = np.asarray(values["direction"], np.float64)
    direction.reshape(values["input_shape"])  # a ValueError where it is of another size
    return {"chain": chain_from(values["chain"], program), "direction": direction}
