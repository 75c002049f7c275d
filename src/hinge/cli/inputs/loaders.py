"""Batches out of the user's own code: a loader, or a function that returns one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from hinge.cli.inputs.rows import Cut, Data
from hinge.cli.inputs.sources import Reference
from hinge.cli.inputs.user_code import users_batches, users_code
from hinge.errors import DataError
from hinge.tracing.stream import n_examples, stream

_DATA = (Tensor, np.ndarray, Mapping, Dataset)


def loader_batches(reference: Reference, cut: Cut) -> Data:
    """Return the batches of the user's loader, up to as many examples as were asked for.

    Raises `DataError` with the file and line when the user's code fails.
    """
    value = reference.load()
    if callable(value) and (isinstance(value, type) or not _is_data(value)):
        with users_code("the loader fails", str(reference), DataError):
            value = value()
    if not _is_data(value):
        raise DataError(
            "the loader gives no batches",
            where=str(reference),
            found=f"an object of type {type(value).__name__}",
            do="return an iterable of batches: tensors, or tuples or dicts of them",
        )
    batches = users_batches(stream(value, cut.batch_size, cut.batch_axis), str(reference))
    total = n_examples(value, cut.batch_axis)
    if cut.examples is None:
        return Data(batches, total)
    return Data(
        _first(batches, cut.examples, cut.batch_axis),
        cut.examples if total is None else min(total, cut.examples),
    )


def _is_data(value: object) -> bool:
    return isinstance(value, (*_DATA, Iterable)) and not isinstance(value, str | bytes)


def _first(batches: Iterable[Any], most: int, axis: int) -> Iterator[Any]:
    """Pass on batches up to so many examples; the last is cut."""
    left = most
    for batch in batches:
        n = _size(batch, axis)
        if n is not None and n > left:
            yield _shortened(batch, n, left, axis)
            return
        yield batch
        left -= n or 0
        if left == 0:
            return


def _size(batch: Any, axis: int) -> int | None:
    """How many examples a batch holds, by its first array."""
    if isinstance(batch, Tensor | np.ndarray):
        return int(batch.shape[axis]) if batch.ndim > axis else None
    parts = batch.values() if isinstance(batch, Mapping) else batch
    if not isinstance(batch, Mapping | tuple | list):
        return None
    sizes = (_size(part, axis) for part in parts)
    return next((size for size in sizes if size is not None), None)


def _shortened(batch: Any, n: int, left: int, axis: int) -> Any:
    """Keep the first examples of every array that has one entry per example."""
    if isinstance(batch, Tensor | np.ndarray):
        whole = batch.ndim > axis and batch.shape[axis] == n
        return batch[(slice(None),) * axis + (slice(left),)] if whole else batch
    if isinstance(batch, Mapping):
        return {name: _shortened(part, n, left, axis) for name, part in batch.items()}
    if isinstance(batch, tuple | list):
        return [_shortened(part, n, left, axis) for part in batch]
    return batch
