"""An activation's formulas as torch operations, for every device and dtype."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Numbers = tuple[float, ...]
"""One value for each parameter, in the order of the record."""

Formula = Callable[[torch.Tensor, Numbers], torch.Tensor]
"""Elementwise: a tensor in, one of its shape and dtype out."""


@dataclass(frozen=True)
class Formulas:
    """f and f', made of torch operations that can be differentiated again.

    ``slope_of_value`` gives f'(x) from f(x), where f'(x) depends on nothing else and is
    not constant between the kinks. ``flat``: f' is 0 everywhere.
    """

    name: str
    parameters: tuple[str, ...]
    value: Formula
    derivative: Formula
    slope_of_value: Formula | None = None
    flat: bool = False

    def second(self, x: torch.Tensor, numbers: Numbers) -> torch.Tensor:
        """f''(x), which torch finds from the formula of f'."""
        return along(self.derivative, x, numbers)


def along(formula: Formula, x: torch.Tensor, numbers: Numbers) -> torch.Tensor:
    """Differentiate a formula of torch operations, elementwise."""
    rates: torch.Tensor
    rates = torch.func.jvp(lambda at: formula(at, numbers), (x,), (torch.ones_like(x),))[1]
    return rates
