"""Hands what a watch tells to a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hinge.errors import OptionError
from hinge.events import Event
from hinge.sinks.record import Numbers, Record


class Call:
    """Call ``function(record)`` with each `Numbers` and each `hinge.events.Event`.

    >>> records = []
    >>> Call(records.append).numbers(16, {"hinge/relu/dead": 3.0})
    >>> records
    [Numbers(step=16, values={'hinge/relu/dead': 3.0})]

    Raises
    ------
    OptionError
        What is passed cannot be called.
    """

    def __init__(self, function: Callable[[Record], object]) -> None:
        if not callable(function):
            raise OptionError(
                "what is to be called is no function",
                where="Call(function)",
                found=f"a {type(function).__name__}",
                do="pass a function of one record: Numbers(step, values), or an Event",
            )
        self._function = function

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Call the function with `Numbers`; their mapping is a copy that may be kept."""
        self._function(Numbers(step, dict(values)))

    def event(self, event: Event) -> None:
        """Call the function with the event."""
        self._function(event)

    def close(self) -> None:
        """Do nothing: nothing is held back."""
