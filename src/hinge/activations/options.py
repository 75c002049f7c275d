"""The whole numbers that shape a call: an axis, a number of pieces, how many to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hinge.errors import OptionError


@dataclass(frozen=True)
class Option:
    """A whole number that shapes a call: its default (None: it must be given), the least allowed.

    ``counts_axis``: at most the size of the axis.
    """

    name: str
    default: int | None = None
    low: int | None = None
    counts_axis: bool = False

    def checked(self, given: Any, where: str) -> int:
        """Turn ``given`` into an int in the allowed range."""
        if isinstance(given, int | np.integer) and not isinstance(given, bool):
            number = int(given)
            if self.low is None or number >= self.low:
                return number
        allowed = "" if self.low is None else f" from {self.low} on"
        raise OptionError(
            f"the option {self.name} has no such value",
            where=where,
            found="nothing" if given is None else f"{self.name}={given!r}",
            do=f"pass {self.name}=..., a whole number{allowed}",
        )


def filled(
    options: tuple[Option, ...], given: Mapping[str, Any], title: str, where: str
) -> dict[str, int]:
    """Give every option its value; raises `OptionError` for one that ``title`` does not have."""
    known = [option.name for option in options]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise OptionError(
            f"{title} has no such option",
            where=where,
            found=", ".join(unknown),
            do=f"pass {', '.join(known)}" if known else "pass no option; it has none",
        )
    return {
        option.name: option.checked(given.get(option.name, option.default), where)
        for option in options
    }


def fit(
    options: tuple[Option, ...], values: Mapping[str, int], size: int, where: str, place: str
) -> None:
    """Check that an axis has as many entries as an option counts."""
    for option in options:
        if option.counts_axis and values[option.name] > size:
            raise OptionError(
                f"the axis has fewer than {option.name} entries",
                where=where,
                found=f"{option.name}={values[option.name]}, size {size} at {place}",
                do=f"pass {option.name} from {option.low} to the size of the axis",
            )
