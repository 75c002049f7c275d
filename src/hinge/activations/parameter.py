"""A parameter of an activation, and the values that it may have."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hinge.errors import OptionError


@dataclass(frozen=True)
class Parameter:
    """A number that shapes an activation: its default and the values allowed.

    From ``low`` to ``high``, both ends included, ``low`` only while ``low_included``.
    ``learned``: trained with the network. ``per_channel``: an array that broadcasts
    against the input may take the place of the number.
    """

    name: str
    default: float
    low: float = -math.inf
    high: float = math.inf
    low_included: bool = True
    learned: bool = False
    per_channel: bool = False

    def allows(self, number: float) -> bool:
        """Whether it may have this value."""
        above = self.low <= number if self.low_included else self.low < number
        return math.isfinite(number) and above and number <= self.high

    def checked(self, given: Any, where: str) -> Any:
        """Turn ``given`` into a float in the allowed range, or leave it an array."""
        if isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool):
            number = float(given)
            if self.allows(number):
                return number
        elif self.per_channel and hasattr(given, "shape"):
            return given
        elif hasattr(given, "shape") and math.prod(given.shape) == 1:
            return self.checked(given.item(), where)
        raise OptionError(
            f"the parameter {self.name} has no such value",
            where=where,
            found=f"{self.name}={given!r}",
            do=f"pass a finite number {'from' if self.low_included else 'above'} {self.low:g} "
            f"{'' if self.low_included else 'and up '}to {self.high:g}"
            + (", or an array with one per channel" if self.per_channel else ""),
        )
