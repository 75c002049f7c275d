"""The receipt of a remedy: what changed, how far the function moved, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Preserves = Literal["everywhere", "data", "no"]
"""Where a remedy leaves the model's function as it was, up to rounding."""


@dataclass(eq=False)
class Receipt:
    """What a remedy did to a model.

    ``remedy`` names it with its options. ``units`` are those that it changed, by site; empty
    where whole layers were changed. ``preserves`` is the contract, ``moved`` the largest
    absolute change of an output, measured on the data (NaN where there were none), and
    ``spread`` the standard deviation of the outputs, beside which that is large or small.
    ``changes`` say in sentences what was changed, ``notes`` what the owner should know.
    """

    remedy: str
    units: Mapping[str, tuple[int, ...]]
    preserves: Preserves
    moved: float
    spread: float
    changes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    _undo: Callable[[], None] = field(default=lambda: None, repr=False)
