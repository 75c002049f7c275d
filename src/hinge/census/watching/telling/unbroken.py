"""Counts since the start of the run, though the census may begin its own anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hinge.census.watching.glimpse import Glimpse
from hinge.units import Counts


class Unbroken:
    """Puts the counts of one site together over every new beginning.

    Counts smaller than at the look before have begun anew. What was counted between that look
    and the new beginning is lost.
    """

    def __init__(self, n_units: int) -> None:
        nothing: Counts = np.zeros(n_units, dtype=np.int64)
        self._given = self._whole = self._base = (nothing, nothing, nothing - 1, nothing)
        self._anew = False

    def __call__(self, glimpse: Glimpse) -> Glimpse:
        """The glimpse with the counts of the whole run."""
        given = _counts(glimpse)
        if any((now < before).any() for now, before in zip(given[:3], self._given, strict=False)):
            self._base, self._anew = self._whole, True
        if self._anew:
            seen, fired, last, silent = self._base
            quiet = glimpse.last_fired < 0
            glimpse = replace(
                glimpse,
                seen=glimpse.seen + seen,
                fired=glimpse.fired + fired,
                last_fired=np.where(quiet, last, glimpse.last_fired),
                silent=np.where(quiet, silent + glimpse.seen, glimpse.silent),
            )
        self._given, self._whole = given, _counts(glimpse)
        return glimpse


def _counts(glimpse: Glimpse) -> tuple[Counts, Counts, Counts, Counts]:
    return (
        glimpse.seen.copy(),
        glimpse.fired.copy(),
        glimpse.last_fired.copy(),
        glimpse.silent.copy(),
    )
