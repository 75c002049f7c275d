"""How far a model's outputs move: the largest change, beside the spread of the outputs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import nn

from hinge.errors import ModelError
from hinge.remedies.changing.draft import Draft
from hinge.remedies.receipt import Preserves
from hinge.remedies.reviving.case import Plan


class Movement:
    """Compares outputs before and after a change, batch by batch."""

    def __init__(self) -> None:
        self._moved, self._seen = 0.0, False
        self._n, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, before: Sequence[torch.Tensor], after: Sequence[torch.Tensor]) -> None:
        """Take in the floating outputs of one batch. Raises `ModelError` if their shapes differ."""
        if [x.shape for x in before] != [x.shape for x in after]:
            raise ModelError(
                "the outputs of the model changed their shapes",
                where="the model's output",
                found=f"{[tuple(x.shape) for x in before]}, then {[tuple(x.shape) for x in after]}",
                do="take the part of the output whose shape stays, with forward=",
            )
        for old, new in zip(before, after, strict=True):
            if old.numel():
                self._add(old.detach().double(), new.detach().double())

    @property
    def moved(self) -> float:
        """The largest absolute change of an output; NaN if there were no outputs."""
        return self._moved if self._seen else math.nan

    @property
    def spread(self) -> float:
        """The standard deviation of all outputs before the change; NaN if there were none."""
        return math.sqrt(self._squares / self._n) if self._n else math.nan

    @property
    def size(self) -> float:
        """The root mean square of the outputs before the change; 0 if there were none."""
        return math.hypot(self.spread, self._mean) if self._n else 0.0

    def _add(self, old: torch.Tensor, new: torch.Tensor) -> None:
        self._seen = True
        same = (old == new) | (old.isnan() & new.isnan())
        change = torch.where(same, 0.0, (new - old).abs())
        self._moved = max(self._moved, float(change.nan_to_num(math.inf).max()))
        values = old[old.isfinite()]
        if not values.numel():
            return
        # Means and squared deviations of two parts joined (Chan, Golub and LeVeque, 1979).
        n, mean = values.numel(), float(values.mean())
        total, away = self._n + n, mean - self._mean
        self._squares += float((values - mean).square().sum()) + away**2 * self._n * n / total
        self._mean += away * n / total
        self._n = total


def hold(plan: Plan, movement: Movement, draft: Draft) -> None:
    """Hold a plan's contract against what was measured, and let it go if that says otherwise."""
    plan.tried = True
    if plan.preserves == "data" and _breaks(movement, (one for one, _ in draft.changed.values())):
        plan.breaks(
            "The outputs moved more than rounding explains: what stands between the units and "
            "the layers that read them is not known."
        )


def held(promised: Preserves, movement: Movement, model: nn.Module) -> tuple[Preserves, list[str]]:
    """The contract that is left of one that was promised, and why, after what was measured."""
    if promised == "no" or not _breaks(movement, model.parameters()):
        return promised, []
    why = (
        "the outputs moved more than rounding explains: other code reads what a module changes "
        "in place, or numbers overflow"
    )
    return "no", [why]


def _breaks(movement: Movement, tensors: Iterable[torch.Tensor]) -> bool:
    """Whether outputs moved by more than rounding to the dtypes of these tensors does."""
    dtypes = {one.dtype for one in tensors if one.is_floating_point()}
    precision = max(torch.finfo(dtype).eps for dtype in dtypes or {torch.get_default_dtype()})
    return movement.moved > math.sqrt(precision) * movement.size
