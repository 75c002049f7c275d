"""Reads looks as they arrive: what happened is kept, and told to the sinks with the numbers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

from hinge.census.watching.counting.gathering import Group
from hinge.census.watching.counting.ledger import Ledger
from hinge.census.watching.counting.look import Look
from hinge.census.watching.glimpse import Glimpse
from hinge.census.watching.telling.chronicle import Chronicle
from hinge.census.watching.telling.numbers import records
from hinge.events import Event
from hinge.sinks import Sink
from hinge.units import Site

_WINDOW = 512  # steps whose numbers are kept, unless looks are further apart
_MOST = 1 << 16  # steps whose numbers are kept at most


class Teller:
    """Knows what is known of the sites: the ``latest`` glimpses, and the events so far.

    ``note`` takes sentences about what could not be told.
    """

    def __init__(self, sinks: Sequence[Sink], note: Callable[[str], None]) -> None:
        self.latest: Mapping[str, Glimpse] = {}
        self._sinks, self._note = tuple(sinks), note
        self._chronicle: Chronicle | None = None
        self._pending: list[Look] = []
        self._scale: float | None = None

    def begin(self, sites: Mapping[str, Site], *, patience: int, apart: int) -> None:
        """The sites are known, and looks are so many steps apart; said again, nothing happens."""
        if self._chronicle is None:
            window = min(max(_WINDOW, apart), _MOST)
            self._chronicle = Chronicle(sites, patience=patience, window=window)

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened so far, by step."""
        return () if self._chronicle is None else self._chronicle.events

    def dead(self) -> dict[str, tuple[int, ...]]:
        """The units of each site that were reported dead and are so still."""
        return {} if self._chronicle is None else self._chronicle.dead()

    def add(self, look: Look) -> None:
        """A look that may be on its way."""
        self._pending.append(look)

    def read(self, ledger: Ledger, group: Group, *, everything: bool) -> bool:
        """Read the looks, or all but the latest, which may be on its way; whether any was read."""
        before = len(self._pending)
        keep = 0 if everything else 1
        while len(self._pending) > keep and self._chronicle is not None:
            self._read(self._pending.pop(0), self._chronicle, ledger, group)
        return len(self._pending) < before

    def close(self) -> None:
        """No more is told."""
        for sink in self._sinks:
            try:
                sink.close()
            except Exception as error:  # noqa: BLE001 - a training that ends must end
                self._warn(f"closing {type(sink).__name__} failed", error)

    def _read(self, look: Look, chronicle: Chronicle, ledger: Ledger, group: Group) -> None:
        look.arrived()
        # Together at once, before anything can fail here that does not fail elsewhere.
        self.latest = look.glimpses(ledger, group)
        for beat in look.beats:
            pulse = beat.pulse(self._scale)
            self._scale = pulse.scale
            chronicle.pulse(pulse)
        events = chronicle.look(look.step, self.latest)
        if self._sinks:
            self._tell(look.step, records(self.latest, look.step), events)

    def _tell(self, step: int, values: Mapping[str, float], events: Sequence[Event]) -> None:
        """Tell the sinks; one that fails is left out from then on, with a warning."""
        for sink in self._sinks:
            try:
                sink.numbers(step, values)
                for event in events:
                    sink.event(event)
            except Exception as error:  # noqa: BLE001 - neither training nor watch may end of it
                self._sinks = tuple(one for one in self._sinks if one is not sink)
                self._warn(f"{type(sink).__name__} failed", error)

    def _warn(self, what: str, error: Exception) -> None:
        told = f"{what}, and hinge.watch goes on without it: {type(error).__name__}: {error}"
        self._note(told)
        warnings.warn(told, RuntimeWarning, stacklevel=2)
