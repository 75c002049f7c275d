"""A program and what says where its entries lie, as plain values for JSON, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import fields
from typing import Any

import numpy as np
from scipy import sparse

from hinge.layout import Place
from hinge.regions.cells.layouts import Layout
from hinge.regions.cutting.mesh import Chain
from hinge.regions.programs.program import (
    Bend,
    Fold,
    Join,
    Larger,
    Linear,
    Meaning,
    Operation,
    Program,
    Total,
)

_KINDS: dict[str, type[Operation]] = {
    one.__name__: one for one in (Linear, Total, Join, Fold, Bend, Larger)
}
_INTEGERS = {"columns", "first", "second", "entries", "break_index", "forms", "slot", "matches"}


def of_program(program: Program) -> dict[str, Any]:
    """The program as plain values."""
    return {
        "operations": [{"kind": type(one).__name__, **_of(one)} for one in program.operations],
        "widths": list(program.widths),
        "output": program.output,
        "meanings": [_of(one) for one in program.meanings],
        "smooth": program.smooth,
    }


def program_from(values: Any) -> Program:
    """The inverse of `of_program`. Raises `ValueError` and its kin for anything else."""
    program = Program(
        tuple(_back(_KINDS[one["kind"]], one) for one in values["operations"]),
        tuple(int(one) for one in values["widths"]),
        int(values["output"]),
        tuple(_back(Meaning, one) for one in values["meanings"]),
        str(values["smooth"]),
    )
    if len(program.folds) != len(program.meanings):
        raise ValueError(f"{len(program.folds)} folds and {len(program.meanings)} meanings")
    filled = {0}
    for operation in program.operations:
        _check(operation, program.widths, filled)
        if not isinstance(operation, Fold):
            filled.add(_new(operation.target, filled))
    for fold, meaning in zip(program.folds, program.meanings, strict=True):
        _check_meaning(meaning, fold, program.widths[fold.source])
    if program.output not in filled:
        raise ValueError("an output that nothing fills")
    return program


def of_chain(chain: Chain) -> dict[str, Any]:
    """The pieces of a segment; the patterns as base64 of little-endian words."""
    return {
        "points": chain.points,
        "labels": chain.labels,
        "label_sets": chain.label_sets,
        "words": chain.patterns.shape[1],
        "patterns": b64encode(chain.patterns.astype("<u8").tobytes()).decode(),
        "flat": chain.flat,
    }


def chain_from(values: Any, program: Program) -> Chain:
    """The inverse of `of_chain`. Raises `ValueError` and its kin where it does not fit."""
    points = np.asarray(values["points"], np.float64)
    labels = np.asarray(values["labels"], np.int32)
    sets = tuple(tuple(int(mark) for mark in one) for one in values["label_sets"])
    words = np.frombuffer(b64decode(values["patterns"], validate=True), "<u8").astype(np.uint64)
    patterns = words.reshape(len(points) - 1, program.first_words[-1])
    flat = np.asarray(values["flat"], np.int32).reshape(-1, 2)
    marks = [mark for one in sets for mark in one]
    if (
        len(labels) != len(points)
        or not (np.diff(points) >= 0).all()
        or beyond(labels, len(sets))
        or beyond(flat[:, 0], len(patterns))
        or beyond(flat[:, 1], 64 * patterns.shape[1])
        or max(marks, default=-1) >= 64 * patterns.shape[1]
    ):
        raise ValueError("points, labels and flat forms that do not belong together")
    return Chain(points, labels, sets, patterns, flat)


def of_layout(layout: Layout) -> dict[str, Any]:
    """Where the entries of a step lie."""
    return {"shape": layout.shape, "place": layout.place, "maximum": layout.maximum}


def layout_from(values: Any) -> Layout:
    """The inverse of `of_layout`. Raises `ValueError` and its kin for anything else."""
    place = None if values["place"] is None else Place(**values["place"])
    layout = Layout(tuple(int(one) for one in values["shape"]), place, bool(values["maximum"]))
    if place is not None and not place.fits((1, *layout.shape)):
        raise ValueError(f"units that do not fit the shape {layout.shape}")
    return layout


def _of(value: Any) -> dict[str, Any]:
    return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}


def _plain(value: Any) -> Any:
    if not isinstance(value, sparse.csr_array):
        return value
    parts = {name: getattr(value, name) for name in ("data", "indices", "indptr")}
    return {"shape": value.shape, **parts}


def _back(kind: type[Any], values: Any) -> Any:
    return kind(**{one.name: _read(one.name, values[one.name]) for one in fields(kind)})


def _read(name: str, value: Any) -> Any:
    if name == "orientation":
        return np.asarray(value, np.int8)
    if name == "sources":
        return tuple(int(one) for one in value)
    if isinstance(value, dict):
        parts = (np.asarray(value["data"], np.float64), value["indices"], value["indptr"])
        matrix = sparse.csr_array(parts, shape=tuple(value["shape"]))
        matrix.check_format(full_check=True)
        return matrix
    if isinstance(value, list):
        return np.asarray(value, np.int64 if name in _INTEGERS else np.float64)
    return value


def _check(operation: Operation, widths: tuple[int, ...], filled: set[int]) -> None:
    """Whether an operation reads what is there, and is as long as its buffers."""
    read = operation.sources if isinstance(operation, Total | Join) else (operation.source,)
    if not read or not filled.issuperset(read):
        raise ValueError("an operation that reads what nothing fills")
    sizes = [widths[one] for one in read]
    fits = True
    match operation:
        case Fold(_, columns, breaks):
            fits = len(columns) == len(breaks) and not beyond(columns, sizes[0])
        case Linear(_, target, matrix, bias):
            fits = matrix.shape == (widths[target], sizes[0]) and bias.shape == (widths[target],)
        case Total(_, target):
            fits = set(sizes) == {widths[target]}
        case Join(_, target):
            fits = sum(sizes) == widths[target]
        case Bend(_, target, breaks, slopes, heights):
            fits = breaks.shape[0] == slopes.shape[0] == len(heights) == widths[target] == sizes[0]
            fits = fits and slopes.shape[1] == breaks.shape[1] + 1 > 1
        case Larger(_, target, first, second):
            fits = len(first) == len(second) == widths[target]
            fits = fits and not beyond(first, sizes[0]) and not beyond(second, sizes[0])
    if not fits:
        raise ValueError(f"a {type(operation).__name__} that does not fit its buffers")


def _new(target: int, filled: set[int]) -> int:
    if target in filled or target < 0:
        raise ValueError("a buffer that is filled twice")
    return target


def _check_meaning(meaning: Meaning, fold: Fold, width: int) -> None:
    """Whether a meaning speaks of forms that its fold has, and of entries that there are."""
    parts = (meaning.break_index, meaning.forms, meaning.orientation, meaning.slot, meaning.matches)
    if (
        any(one is not None and len(one) != len(meaning.entries) for one in parts)
        or beyond(meaning.forms + 1, fold.n_forms + 1)
        or beyond(meaning.break_index, 1 << 30)
        or beyond(meaning.entries, 1 << 30 if meaning.winner else width)
    ):
        raise ValueError(f"a meaning of {meaning.step!r} that does not fit its fold")


def beyond(numbers: Any, size: int) -> bool:
    """Whether some of these numbers are no indices into what has this size."""
    return bool(len(numbers)) and not (numbers.min() >= 0 and numbers.max() < size)
