"""Some examples of data on the command line, picked by their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from hinge.cli.inputs.rows import Data
from hinge.errors import DataError

Reals = npt.NDArray[np.float64]


def picked(data: Data, rows: Sequence[int], where: str) -> Reals:
    """Return the examples with these numbers, counted from 0: ``(len(rows), *shape)``.

    Raises `DataError` if the data ends before them, or does not come as one array.
    """
    found: dict[int, Reals] = {}
    wanted, start, last = set(rows), 0, max(rows)
    for batch in _arrays(data.batches, where):
        inside = wanted.intersection(range(start, start + len(batch)))
        found |= {row: np.array(batch[row - start], dtype=np.float64) for row in inside}
        start += len(batch)
        if start > last:
            return np.stack([found[row] for row in rows])
    raise DataError(
        "the data has no such example",
        where=where,
        found=f"number {last} of {start:,} examples",
        do=f"count from 0: the last example is {start - 1}",
    )


def extent(data: Data, where: str) -> tuple[Reals, Reals]:
    """Return the smallest and the largest value of each entry over all examples."""
    low: Reals | None = None
    high: Reals | None = None
    for batch in _arrays(data.batches, where):
        least, most = (
            np.asarray(end, dtype=np.float64) for end in (batch.min(axis=0), batch.max(axis=0))
        )
        low = least if low is None else np.minimum(low, least)
        high = most if high is None else np.maximum(high, most)
    if low is None or high is None:
        raise DataError("the data is empty", where=where, found="0 examples", do="pass some")
    return low, high


def _arrays(batches: Iterable[Any], where: str) -> Iterable[npt.NDArray[Any]]:
    """The model's input out of each batch: the batch itself, or the first of a tuple."""
    for batch in batches:
        first = batch[0] if isinstance(batch, tuple | list) and batch else batch
        if isinstance(first, Tensor):
            first = first.detach().cpu().double().numpy()
        if not isinstance(first, np.ndarray) or not first.ndim:
            raise DataError(
                "the examples do not come as one array",
                where=where,
                found=f"a batch of type {type(batch).__name__}",
                do="name the array with --input, or pass a file that holds the model's one input",
            )
        yield first
