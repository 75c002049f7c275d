"""Hooks that a copy or a pickle of the model does not take along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Passive:
    """Calls a function with what torch gives a hook; a copy of it does nothing."""

    def __init__(self, call: Callable[..., None]) -> None:
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Do what the hook does."""
        self._call(*args, **kwargs)

    def __deepcopy__(self, memo: object) -> Passive:
        return Passive(_nothing)

    def __reduce__(self) -> tuple[Any, ...]:
        return Passive, (_nothing,)


def _nothing(*args: object, **kwargs: object) -> None:
    """What is left of a hook in a copy of the model."""
