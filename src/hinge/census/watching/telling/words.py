"""Numbers and units in the sentences of events."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def number(value: float) -> str:
    """A number with three digits.

    >>> number(0.012345), number(65536.0), number(float("inf"))
    ('0.0123', '65,536', 'infinity')
    """
    if np.isnan(value):
        return "not a number"
    if np.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    large = 1000 <= abs(value) < 1e7  # noqa: PLR2004  # where digits say more than a power of ten
    return f"{value:,.0f}" if large else f"{value:.3g}"


def middle(values: Iterable[float]) -> float:
    """The median of the values that are no NaN; NaN if there are none."""
    known = [x for x in values if not np.isnan(x)]
    return float(np.median(known)) if known else float("nan")


def many(n: int, what: str) -> str:
    """A count with its noun.

    >>> many(1, "step"), many(2000, "step")
    ('1 step', '2,000 steps')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"
