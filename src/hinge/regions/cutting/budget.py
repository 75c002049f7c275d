"""How much a partition may take: cells, seconds, bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hinge.errors import OptionError

_ENDLESS = 1 << 62


@dataclass(frozen=True)
class Budget:
    """Limits at which a partition stops and returns what is complete; None is no limit.

    ``cells`` is the number of cells, ``seconds`` wall-clock time, ``bytes`` the memory that the
    result takes. The work is looked at now and then: limits are met roughly, never by much.
    """

    cells: float | None = None
    seconds: float | None = None
    bytes: float | None = None

    def __post_init__(self) -> None:
        for name, limit in self._limits.items():
            if limit is not None and not limit > 0:
                raise OptionError(
                    "a budget must be a positive number",
                    where=f"budget, {name}",
                    found=f"{limit}",
                    do="pass a larger one, or leave it out for no limit",
                )

    @classmethod
    def of(cls, given: Budget | Mapping[str, float] | None) -> Budget:
        """Take limits by their names. Raises `OptionError` for other names."""
        if given is None:
            return cls()
        if isinstance(given, Budget):
            return given
        if not isinstance(given, Mapping):
            raise OptionError(
                "a budget is a set of named limits",
                where="budget",
                found=repr(given),
                do="pass {'cells': 1e6, 'seconds': 60}, or one of the two",
            )
        unknown = sorted(set(given) - {"cells", "seconds", "bytes"})
        if unknown:
            raise OptionError(
                "a budget has no such limit",
                where="budget",
                found=", ".join(unknown),
                do="limit cells, seconds or bytes, as in {'cells': 1e6, 'seconds': 60}",
            )
        return cls(**given)

    @property
    def most_cells(self) -> int:
        """The number of cells, or one that is never reached."""
        return _ENDLESS if self.cells is None else math.ceil(min(self.cells, _ENDLESS))

    @property
    def most_bytes(self) -> int:
        """The number of bytes, or one that is never reached."""
        return _ENDLESS if self.bytes is None else math.ceil(min(self.bytes, _ENDLESS))

    @property
    def most_seconds(self) -> float:
        """The seconds, or infinity."""
        return math.inf if self.seconds is None else float(self.seconds)

    @property
    def _limits(self) -> dict[str, float | None]:
        return {"cells": self.cells, "seconds": self.seconds, "bytes": self.bytes}
