"""Turns what people call data into batches that a model can be called with."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from hinge.errors import DataError

Forward = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Batch:
    """One batch, ready for the model: the arguments that it is called with.

    ``n`` examples lie along ``axis``; ``skipped`` are the positions (in the batch as it
    came) of those that were left out because they held NaN or infinity.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    n: int = 0
    axis: int = 0
    skipped: tuple[int, ...] = ()

    @property
    def tensors(self) -> list[torch.Tensor]:
        """All tensors among the arguments."""
        found: list[torch.Tensor] = []
        _mapped([self.args, self.kwargs], found.append)
        return found

    def mapped(self, change: Callable[[torch.Tensor], Any]) -> Batch:
        """The batch with ``change`` applied to each tensor."""
        return replace(self, args=_mapped(self.args, change), kwargs=_mapped(self.kwargs, change))

    def run(self, model: Any, forward: Forward | None) -> Any:
        """Call the model, or the user's ``forward``, with the batch."""
        if forward is not None:
            return forward(model, self.args[0])
        return model(*self.args, **self.kwargs)


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


def prepared(raw: Any, model: object, axis: int, forward: Forward | None = None) -> Batch:
    """Tensors on the model's device, without the examples that hold NaN or infinity."""
    device, dtype = _home(model)
    batch = _arguments(raw, model, forward).mapped(lambda x: _tensor(x, device, dtype))
    tensors = batch.tensors
    if not tensors:
        raise DataError(
            "a batch holds no tensor",
            where="data",
            found=_described(raw),
            do="yield tensors, arrays, or tuples or dicts of them",
        )
    first = next((x for x in tensors if x.ndim > axis), None)
    if first is None:
        return replace(batch, n=1, axis=axis)
    n = first.shape[axis]
    bad = _nonfinite(tensors, n, axis)
    if bad is None:
        return replace(batch, n=n, axis=axis)
    keep = torch.nonzero(~bad).flatten()
    skipped = tuple(torch.nonzero(bad).flatten().tolist())
    batch = batch.mapped(lambda x: x.index_select(axis, keep) if _has(x, n, axis) else x)
    return replace(batch, n=n - len(skipped), axis=axis, skipped=skipped)


def _arguments(raw: Any, model: object, forward: Forward | None) -> Batch:
    """What of a batch the model takes, by its signature: labels beside the inputs are left."""
    if forward is not None:
        return Batch([raw], {})
    if isinstance(raw, Mapping):
        names, takes_any = _keywords(model)
        chosen = {key: value for key, value in raw.items() if takes_any or key in names}
        return Batch([], chosen) if chosen else Batch([dict(raw)], {})
    if isinstance(raw, tuple | list):
        return Batch(list(raw[: _positionals(model, len(raw))]), {})
    return Batch([raw], {})


def _slices(data: Mapping[Any, Any], batch_size: int, axis: int) -> Iterator[dict[Any, Any]]:
    arrays = {key: _checked(key, value, axis) for key, value in data.items()}
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


def _checked(key: Any, value: Any, axis: int) -> Any:
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


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Apply ``change`` to the tensors and arrays in nested tuples, lists and mappings."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_mapped(item, change) for item in value]
    return value


def _tensor(x: Any, device: torch.device | None, dtype: torch.dtype | None) -> torch.Tensor:
    """A tensor where the model is; NumPy's float64 becomes the model's own floating type."""
    if isinstance(x, np.ndarray):
        # Torch must own what it reads: a read-only or negatively strided array is copied.
        tensor = torch.from_numpy(np.require(_checked(None, x, 0), requirements=["C", "W"]))
        tensor = tensor.to(dtype) if tensor.is_floating_point() and dtype else tensor
    else:
        tensor = x
    return tensor if device is None else tensor.to(device)


def _home(model: object) -> tuple[torch.device | None, torch.dtype | None]:
    """The device and floating type of the model's first parameter."""
    parameters = model.parameters() if isinstance(model, nn.Module) else iter(())
    first = next((p for p in parameters if p.is_floating_point()), None)
    return (None, torch.float32) if first is None else (first.device, first.dtype)


def _has(x: torch.Tensor, n: int, axis: int) -> bool:
    return x.ndim > axis and x.shape[axis] == n


def _nonfinite(tensors: list[torch.Tensor], n: int, axis: int) -> torch.Tensor | None:
    """Which examples hold NaN or infinity, shape ``(n,)``; None if none does."""
    bad: torch.Tensor | None = None
    for x in tensors:
        if not (x.is_floating_point() and _has(x, n, axis)) or x.layout != torch.strided:
            continue
        wide = torch.float64 if x.dtype == torch.float64 else torch.float32
        if math.isfinite(x.sum(dtype=wide).item()):
            continue  # one pass without a mask: a sum is finite only if all terms are
        rows = ~torch.isfinite(x).movedim(axis, 0).reshape(n, -1).all(1)
        bad = rows if bad is None else bad | rows
    return bad if bad is not None and bool(bad.any()) else None


def _parameters(model: Any) -> list[inspect.Parameter]:
    try:
        target = model.forward if isinstance(model, nn.Module) else model
        return list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):  # a scripted or built-in callable tells nothing
        return []


def _keywords(model: Any) -> tuple[set[str], bool]:
    """The names of the model's keyword arguments, and whether it takes any."""
    parameters = _parameters(model)
    named = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return named, any(p.kind is p.VAR_KEYWORD for p in parameters)


def _positionals(model: Any, available: int) -> int:
    """How many members of a tuple the model takes: its required arguments, at least one."""
    parameters = _parameters(model)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return available
    required = [
        p
        for p in parameters
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
    ]
    return max(1, len(required))


def _described(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of {', '.join(type(v).__name__ for v in value[:4])}"
    return type(value).__name__
