"""Keeps the watch's own errors away from the training."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType


class Guard(AbstractContextManager[None]):
    """A context in which an error becomes one warning, and a call of ``stop`` with its text.

    After the first error everything is let pass, since what follows is its consequence.
    """

    def __init__(self, stop: Callable[[str], None]) -> None:
        self._stop = stop
        self.error: Exception | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if self.error is None:
            self.error = error
            told = f"hinge.watch stopped, the training goes on: {type(error).__name__}: {error}"
            self._stop(told)
            warnings.warn(told, RuntimeWarning, stacklevel=3)
        return True
