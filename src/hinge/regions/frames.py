"""Pandas, which is optional, loaded when a table is asked for."""

from __future__ import annotations

from typing import Any

from hinge.errors import OptionError


def pandas() -> Any:
    """The module. Raises `OptionError` where it is not installed."""
    try:
        import pandas as pd  # noqa: PLC0415 - optional: nothing else here needs it
    except ImportError as error:
        raise OptionError(
            "a data frame needs pandas, which is not installed",
            where="to_pandas()",
            found=str(error),
            do='install it: pip install "hinge[data]"',
        ) from error
    return pd
