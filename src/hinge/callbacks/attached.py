"""What the callbacks of all trainers share: a watch that begins, passes on, and always stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Self

from hinge.events import Event
from hinge.sinks.telling import counted


class Attached:
    """Watches the model of one training run after another.

    Parameters
    ----------
    names
        Which numbers go to the trainer's own log: a pattern with ``*`` and ``?`` that their
        names must match. Sinks get all of them.
    options
        All other options are passed to `hinge.watch` as they are, and come before whatever
        the trainer says; ``sinks`` are written to besides the trainer's own log.

    Attributes
    ----------
    watch
        The `hinge.Watch` of the latest run; None before the first.
    """

    def __init__(self, *, names: str = "*", **options: Any) -> None:
        super().__init__()
        self.watch: Any = None
        self._names = names
        self._options = options
        self._begun = False

    def begin(self, model: Any, optimizer: Any, log: Log, **known: Any) -> None:
        """Start a new watch; one of a run that was broken off is stopped first."""
        from hinge.census.watching import watch  # noqa: PLC0415 - torch comes with it

        self.stop()
        log.names = self._names
        options = {**known, **self._options}
        sinks = (log, *_several(options.pop("sinks", ())))
        self.watch = watch(model, options.pop("optimizer", optimizer), sinks=sinks, **options)
        self.watch.start()
        self._begun = True

    def stop(self) -> None:
        """Stop watching; nothing happens if it was stopped before."""
        if self._begun:
            self._begun = False
            self.watch.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching, whatever ended the run."""
        self.stop()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the watch out: it belongs to this process and this model."""
        return {**self.__dict__, "watch": None, "_begun": False}


class Log:
    """A sink that keeps the latest numbers until the trainer writes its own log.

    An event is the number of units to which it happened since the last log; 0 once it is known.
    """

    def __init__(self) -> None:
        self.names = "*"
        self._latest: dict[str, float] = {}
        self._happened: dict[str, float] = {}

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the numbers that are wanted."""
        del step  # the trainer counts its own
        self._latest.update(self.wanted(values))

    def event(self, event: Event) -> None:
        """Add to the number of units of this kind of event."""
        for name, n_units in self.wanted(counted(event)).items():
            self._happened[name] = self._happened.get(name, 0.0) + n_units

    def close(self) -> None:
        """Do nothing: whoever reads it last, reads all."""

    def wanted(self, values: Mapping[str, float]) -> dict[str, float]:
        """Choose the numbers whose names match."""
        return {name: value for name, value in values.items() if fnmatchcase(name, self.names)}

    def taken(self) -> dict[str, float]:
        """Give the numbers since the last time, and forget them."""
        taken = self._latest | self._happened
        self._latest = {}
        self._happened = dict.fromkeys(self._happened, 0.0)
        return taken


def _several(sinks: Any) -> Iterable[Any]:
    """One sink, or several of them."""
    return sinks if isinstance(sinks, list | tuple) else (sinks,)
