"""Arrays, tables and folders of images as batches in the shape that the model takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from hinge.cli.inputs.takes import Shape, Takes
from hinge.errors import DataError, OptionError

Array = npt.NDArray[Any]


class Rows(Protocol):
    """Examples that are read when they are asked for: an array in a file, a folder of images."""

    @property
    def shape(self) -> Shape:
        """The shape of all examples together."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""

    def __getitem__(self, window: tuple[slice, ...], /) -> Array:
        """Read some examples."""


Named = Mapping[str | None, Rows]
"""Rows by the argument of the model that they are for; None: its only input."""


@dataclass(frozen=True)
class Cut:
    """How examples are cut into batches: how many in one, along which axis, how many in all."""

    batch_size: int = 256
    batch_axis: int = 0
    examples: int | None = None


@dataclass(frozen=True)
class Data:
    """Batches for a model; ``total`` examples, if that is known."""

    batches: Iterable[Any]
    total: int | None = None


def batched(named: Named, takes: Takes, cut: Cut, where: str) -> Data:
    """Cut rows into batches.

    Raises `DataError` unless they are numbers, fit each other and, as far as it is known
    before it runs, the model.
    """
    axis = cut.batch_axis
    if axis and takes.shape is not None:
        raise OptionError(
            "a model from a file takes its examples along axis 0",
            where="--batch-axis",
            found=str(axis),
            do="leave out --batch-axis, and save the data with one row per example",
        )
    lengths = {name: _length(rows, axis, _place(where, name)) for name, rows in named.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            "the arrays have different numbers of examples",
            where=where,
            found=", ".join(f"{name}: {n:,}" for name, n in lengths.items()),
            do="give each array one row per example",
        )
    fits = {name: _fit(rows, takes.shape, _place(where, name)) for name, rows in named.items()}
    n = next(iter(lengths.values()))
    total = n if cut.examples is None else min(n, cut.examples)
    return Data(_batches(named, fits, cut, total), total)


def _batches(
    named: Named, fits: Mapping[str | None, Shape | None], cut: Cut, total: int
) -> Iterator[Any]:
    ahead = (slice(None),) * cut.batch_axis
    for start in range(0, total, cut.batch_size):
        window = (*ahead, slice(start, min(start + cut.batch_size, total)))
        batch = {name: _read(rows, window, fits[name]) for name, rows in named.items()}
        yield batch.get(None, batch)


def _read(rows: Rows, window: tuple[slice, ...], fit: Shape | None) -> Array:
    """Copy a window out of a file, in a type that torch knows and the shape that was agreed."""
    dtype = rows.dtype
    if dtype.kind == "f":
        dtype = np.dtype(f"f{min(dtype.itemsize, 8)}")
    elif fit is not None:
        dtype = np.dtype(np.float32)
    elif dtype.kind in "iu" and dtype.itemsize > 1:
        dtype = np.dtype(np.int64)
    array = np.array(rows[window], dtype=dtype, order="C")
    return array if fit is None else array.reshape(-1, *fit)


def _length(rows: Rows, axis: int, where: str) -> int:
    """Return how many examples there are; refuse what are no numbers, or no examples."""
    complaints = (
        (
            rows.dtype.kind not in "fiub",
            "the data is not numeric",
            f"dtype {rows.dtype}",
            "save floating-point or integer numbers",
        ),
        (
            len(rows.shape) <= axis,
            "the data has no axis of examples",
            f"shape {rows.shape}",
            f"save it with the examples along axis {axis}",
        ),
        (0 in rows.shape, "the data is empty", f"shape {rows.shape}", "pass at least one example"),
    )
    for wrong, what, found, do in complaints:
        if wrong:
            raise DataError(what, where=where, found=found, do=do)
    return rows.shape[axis]


def _fit(rows: Rows, wanted: Shape | None, where: str) -> Shape | None:
    """Return the shape that each example is to have; None if only running the model can tell.

    Flat rows are folded when the sizes agree, and axes of length 1 come and go; anything
    else could put numbers in the wrong places.
    """
    if wanted is None:
        return None
    given = rows.shape[1:]
    flat = len(given) == 1 and given[0] == prod(wanted)
    if flat or _without_ones(given) == _without_ones(wanted):
        return wanted
    raise DataError(
        "the data does not fit the model's input",
        where=where,
        found=f"examples of shape {given}, while the model takes {wanted}",
        do=f"save the data with shape (N, {', '.join(map(str, wanted))}), "
        f"or flat with {prod(wanted):,} numbers per example",
    )


def _without_ones(shape: Shape) -> Shape:
    return tuple(length for length in shape if length != 1)


def _place(where: str, name: str | None) -> str:
    return where if name is None else f"array {name!r} of {where}"
