"""Matplotlib, which is optional, loaded when a plot is asked for."""

from __future__ import annotations

from typing import Any

from hinge.errors import OptionError


def new_axes() -> Any:
    """The axes of a new figure. Raises `OptionError` where matplotlib is not installed."""
    try:
        from matplotlib import pyplot as plt  # noqa: PLC0415 - optional: nothing else here needs it
    except ImportError as error:
        raise OptionError(
            "a plot needs matplotlib, which is not installed",
            where="plot()",
            found=str(error),
            do='install it: pip install "hinge[plot]"; .page() needs no more than Hinge',
        ) from error
    return plt.subplots()[1]
