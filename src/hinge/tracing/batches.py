"""Makes batches that a model can be called with of the batches that come."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from hinge.errors import DataError
from hinge.tracing.stream import checked_array

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


class Preparation:
    """Makes batches for one model: by its signature, on its device, of finite examples."""

    def __init__(self, model: Any, axis: int, forward: Forward | None = None) -> None:
        self._axis = axis
        self._whole = forward is not None
        self._device, self._dtype = _home(model)
        self._takes = _parameters(model)

    def __call__(self, raw: Any) -> Batch:
        """Prepare one batch. Raises `DataError` if it holds no tensor."""
        axis = self._axis
        batch = self._arguments(raw).mapped(self._tensor)
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

    def _arguments(self, raw: Any) -> Batch:
        """What of a batch the model takes: labels beside the inputs are left."""
        if self._whole:
            return Batch([raw], {})
        if isinstance(raw, Mapping):
            chosen = {key: value for key, value in raw.items() if self._takes_keyword(key)}
            return Batch([], chosen) if chosen else Batch([dict(raw)], {})
        if isinstance(raw, tuple | list):
            return Batch(list(raw[: self._positionals(len(raw))]), {})
        return Batch([raw], {})

    def _takes_keyword(self, name: Any) -> bool:
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return any(
            p.kind is p.VAR_KEYWORD or (p.name == name and p.kind in named) for p in self._takes
        )

    def _positionals(self, available: int) -> int:
        """How many members of a tuple the model takes: its required arguments, at least one."""
        if any(p.kind is p.VAR_POSITIONAL for p in self._takes):
            return available
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return max(1, sum(p.kind in positional and p.default is p.empty for p in self._takes))

    def _tensor(self, x: Any) -> torch.Tensor:
        """A tensor where the model is; NumPy's float64 becomes the model's own floating type."""
        if isinstance(x, np.ndarray):
            # Torch must own what it reads: a read-only or negatively strided array is copied.
            array = np.require(checked_array(None, x, 0), requirements=["C", "W"])
            tensor = torch.from_numpy(array)
            tensor = tensor.to(self._dtype) if tensor.is_floating_point() else tensor
        else:
            tensor = x
        return tensor if self._device is None else tensor.to(self._device)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Apply ``change`` to the tensors and arrays in nested tuples, lists and mappings."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_mapped(item, change) for item in value]
    return value


def _home(model: object) -> tuple[torch.device | None, torch.dtype]:
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


def _described(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of {', '.join(type(v).__name__ for v in value[:4])}"
    return type(value).__name__
