"""A partitioned polygon as JSON, and back, without losing a bit."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hinge.regions.cutting.mesh import Mesh
from hinge.regions.plane.topology import next_sides
from hinge.regions.programs import documents
from hinge.regions.programs.documents import Fields
from hinge.regions.programs.program import Program
from hinge.regions.programs.saved import beyond

if TYPE_CHECKING:
    from hinge.regions.plane.partition import PlanePartition

SCHEMA, VERSION = "plane-partition", 1

_ARRAYS = {
    "vertices": "<f8",
    "edges": "<i4",
    "labels": "<i4",
    "offsets": "<i8",
    "sides": "<i4",
    "patterns": "<u8",
    "flat": "<i4",
}
"""The arrays of a mesh, and how their numbers lie in the base64 text."""

_LEAST = 3
"""Corners of a polygon."""


def to_json(found: PlanePartition) -> str:
    """Write the program, the mesh and where the units lie; all else follows from them."""
    own = {
        "directions": found.directions,
        "corners": found.corners,
        "mesh": of_mesh(found.cut),
    }
    return documents.dump(found, SCHEMA, VERSION, own)


def from_json(source: str | Path) -> Fields:
    """Read what `to_json` wrote: the fields of a `PlanePartition`. Raises `FileError`."""
    return documents.load(source, SCHEMA, VERSION, _own)


def of_mesh(mesh: Mesh) -> Fields:
    """The mesh as plain values; its arrays as base64 of little-endian numbers, in C order."""
    arrays = {
        name: b64encode(np.ascontiguousarray(getattr(mesh, name), kind).tobytes()).decode()
        for name, kind in _ARRAYS.items()
    }
    return {"label_sets": mesh.label_sets, **arrays}


def mesh_from(values: Any, program: Program, n_corners: int) -> Mesh:
    """The inverse of `of_mesh`. Raises `ValueError` and its kin where it does not fit."""
    arrays = {name: _numbers(values[name], kind) for name, kind in _ARRAYS.items()}
    n_cells = len(arrays["offsets"]) - 1
    mesh = Mesh(
        vertices=arrays["vertices"].reshape(-1, 2),
        edges=arrays["edges"].reshape(-1, 2),
        labels=arrays["labels"],
        label_sets=tuple(tuple(int(mark) for mark in one) for one in values["label_sets"]),
        offsets=arrays["offsets"],
        sides=arrays["sides"],
        patterns=arrays["patterns"].reshape(n_cells, program.first_words[-1]),
        flat=arrays["flat"].reshape(-1, 2),
    )
    if not _belong_together(mesh, n_corners) or not _are_polygons(mesh):
        raise ValueError("vertices, edges, cells and marks that do not belong together")
    return mesh


def _own(values: Fields, program: Program) -> Fields:
    corners = np.asarray(values["corners"], np.float64).reshape(-1, 2)
    directions = np.asarray(values["directions"], np.float64)
    if directions.shape != (len(values["origin"]), 2) or len(corners) < _LEAST:
        raise ValueError(f"directions of shape {directions.shape}, {len(corners)} corners")
    mesh = mesh_from(values["mesh"], program, len(corners))
    return {"cut": mesh, "corners": corners, "directions": directions}


def _numbers(text: str, kind: str) -> npt.NDArray[Any]:
    """The numbers of a base64 text, in the machine's own byte order, free to be changed."""
    read = np.frombuffer(b64decode(text, validate=True), kind)
    return read.astype(read.dtype.newbyteorder("="))


def _belong_together(mesh: Mesh, n_corners: int) -> bool:
    """Whether every number that stands for something stands for what is there."""
    marks = [mark for one in mesh.label_sets for mark in one]
    bits = 64 * mesh.patterns.shape[1]
    return (
        bool(np.isfinite(mesh.vertices).all())
        and len(mesh.labels) == len(mesh.edges)
        and not beyond(mesh.edges.ravel(), len(mesh.vertices))
        and not beyond(mesh.labels, len(mesh.label_sets))
        and not beyond(mesh.sides, 2 * len(mesh.edges))
        and not beyond(mesh.flat[:, 0], len(mesh.patterns))
        and not beyond(mesh.flat[:, 1], bits)
        and max(marks, default=-1) < bits
        and min(marks, default=0) >= -n_corners
    )


def _are_polygons(mesh: Mesh) -> bool:
    """Whether the sides of every cell go round it, and none is a side of two cells."""
    sizes = np.diff(mesh.offsets)
    if mesh.offsets[0] != 0 or mesh.offsets[-1] != len(mesh.sides) or (sizes < _LEAST).any():
        return False
    ends = mesh.edges[mesh.sides >> 1, 1 - (mesh.sides & 1)]
    starts = mesh.edges[mesh.sides >> 1, mesh.sides & 1]
    goes_round = (ends == starts[next_sides(mesh)]).all()
    return bool(goes_round) and len(np.unique(mesh.sides)) == len(mesh.sides)
