"""A partitioned segment as JSON, and back, without losing a bit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hinge.errors import FileError
from hinge.regions.programs.saved import (
    chain_from,
    layout_from,
    of_chain,
    of_layout,
    of_program,
    program_from,
)
from hinge.report import json

if TYPE_CHECKING:
    from hinge.regions.line.partition import LinePartition

SCHEMA, VERSION = "line-partition", 1


def to_json(line: LinePartition) -> str:
    """Write the program, the pieces and where the units lie; all else follows from them."""
    values = {
        "source": line.source,
        "certified": line.certified,
        "complete": line.complete,
        "input_shape": line.input_shape,
        "origin": line.origin,
        "direction": line.direction,
        "layouts": {name: of_layout(one) for name, one in line.layouts.items()},
        "chain": of_chain(line.chain),
        "program": of_program(line.program),
    }
    return json.dump(values, SCHEMA, VERSION)


def from_json(source: str | Path) -> dict[str, Any]:
    """Read what `to_json` wrote: the fields of a `LinePartition`. Raises `FileError`."""
    values = json.load(source, SCHEMA, VERSION)
    try:
        program = program_from(values["program"])
        found: dict[str, Any] = {
            "program": program,
            "chain": chain_from(values["chain"], program),
            "layouts": {name: layout_from(one) for name, one in values["layouts"].items()},
            "input_shape": tuple(int(one) for one in values["input_shape"]),
            "origin": np.asarray(values["origin"], np.float64),
            "direction": np.asarray(values["direction"], np.float64),
            "certified": bool(values["certified"]),
            "complete": bool(values["complete"]),
            "source": str(values["source"]),
        }
        for name in ("origin", "direction"):
            found[name].reshape(found["input_shape"])
        for meaning in program.meanings:
            if meaning.step in found["layouts"]:
                found["layouts"][meaning.step].units[meaning.entries]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise FileError(
            "the partition is not whole",
            where=str(source) if isinstance(source, Path) else "its JSON text",
            found=f"{type(error).__name__}: {error}",
            do="write it again with LinePartition.to_json()",
        ) from error
    return found
