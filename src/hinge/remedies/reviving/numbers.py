"""Whether what was given as an option of a remedy is a number that means something there."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from hinge.errors import OptionError

_SEEDS = 2**63  # torch takes a signed 64-bit number


def lies_within(value: Any, low: float, high: float) -> bool:
    """Whether it is a number in the open interval; False for what is no number."""
    return isinstance(value, Real) and low < float(value) < high


def check_seed(seed: Any, where: str) -> None:
    """Raise `OptionError` for what torch's generators cannot begin from."""
    if not (isinstance(seed, Integral) and -_SEEDS <= int(seed) < _SEEDS):
        raise OptionError(
            "this is no seed",
            where=where,
            found=repr(seed),
            do="pass a whole number, such as 0",
        )
