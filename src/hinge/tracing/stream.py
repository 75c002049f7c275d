"""Turns what people call data into a stream of batches, as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from hinge.errors import DataError, HingeError


def stream(data: Any, batch_size: int, axis: int) -> Iterator[Any]:
    """Cut arrays and datasets into batches; pass on what already is a stream of them."""
    if hasattr(data, "to_numpy"):
        data = data.to_numpy()
    if isinstance(data, torch.Tensor | np.ndarray):
        data = {None: data}
        yield from (batch[None] for batch in _slices(data, batch_size, axis))
    elif isinstance(data, Mapping):
        yield from _slices(data, batch_size, axis)
    elif isinstance(data, torch.utils.data.Dataset) and not isinstance(data, Iterable):
        yield from torch.utils.data.DataLoader(data, batch_size)
    elif isinstance(data, Iterable) and not isinstance(data, str | bytes):
        yield from data
    else:
        raise DataError(
            "the data is nothing that can be read in batches",
            where="data",
            found=type(data).__name__,
            do="pass a tensor, an array, a dict of them, a DataLoader or any iterable of batches",
        )


def n_examples(data: Any, axis: int) -> int | None:
    """How many examples the data holds, if it can tell."""
    if isinstance(data, Mapping):
        data = next(iter(data.values()), None)
    if isinstance(data, torch.Tensor | np.ndarray):
        return int(data.shape[axis]) if data.ndim > axis else None
    try:
        return len(getattr(data, "dataset", None) or ()) or None
    except TypeError:
        return None


def watched(batches: Iterable[Any]) -> Iterator[Any]:
    """The user's own batches; an error of his code becomes one that keeps what was counted."""
    number = 0
    try:
        for number, batch in enumerate(batches, 1):  # noqa: B007 - counts also after an error
            yield batch
    except HingeError:
        raise
    except Exception as error:
        raise DataError(
            "the data stopped with an error",
            where=f"the iterable of batches, after {number:,} of them",
            found=f"{type(error).__name__}: {error}",
            do="mend the loader; the error above this one shows the place in it",
        ) from error


def _slices(data: Mapping[Any, Any], batch_size: int, axis: int) -> Iterator[dict[Any, Any]]:
    arrays = {key: checked_array(key, value, axis) for key, value in data.items()}
    lengths = {key: value.shape[axis] for key, value in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            "the arrays have different numbers of examples",
            where="data",
            found=", ".join(f"{key}: {n}" for key, n in lengths.items()),
            do="give each array one row per example",
        )
    n = next(iter(lengths.values()), 0)
    ahead = (slice(None),) * axis
    for start in range(0, n, batch_size):
        window = (*ahead, slice(start, start + batch_size))
        yield {key: value[window] for key, value in arrays.items()}


def checked_array(key: Any, value: Any, axis: int) -> Any:
    """A tensor or a numeric array with an axis of examples. Raises `DataError` for any other."""
    array = value if isinstance(value, torch.Tensor) else np.asarray(value)
    if isinstance(array, np.ndarray) and array.dtype.kind not in "fiub":
        raise DataError(
            "the data is not numeric",
            where=f"array {key!r}" if key is not None else "data",
            found=f"dtype {array.dtype}",
            do="pass floating-point or integer arrays",
        )
    if array.ndim <= axis:
        raise DataError(
            "the data has no axis of examples",
            where=f"array {key!r}" if key is not None else "data",
            found=f"shape {tuple(array.shape)}",
            do=f"pass arrays with the examples along axis {axis}",
        )
    return array
