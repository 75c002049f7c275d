"""What a watch asks of whatever it writes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from hinge.events import Event


@runtime_checkable
class Sink(Protocol):
    """Takes numbers and events as they come, in the order of the steps.

    A sink never changes what it is given. Whatever another has opened, it leaves open.
    """

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Take the numbers of one step of the optimizer, named like ``hinge/SITE/dead``."""
        ...

    def event(self, event: Event) -> None:
        """Take one thing that happened."""
        ...

    def close(self) -> None:
        """Write what is still held back. May be called again; nothing comes afterwards."""
        ...
