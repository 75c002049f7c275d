"""Writes what a watch tells to a run of Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hinge.errors import OptionError
from hinge.events import Event
from hinge.optional import optional
from hinge.sinks.telling import told

_NEEDED = ("wandb", "wandb", "logging to wandb")
_METHODS = ("log", "define_metric", "finish")
_STEP = "hinge/step"
_COLUMNS = ("found_at", "step", "site", "kind", "units", "cause", "evidence")


class WandB:
    """Log numbers over the axis ``hinge/step``, and events as they come and as a table.

    ``run`` is a run that stays open; without one, the run that ``wandb.init`` has started is
    taken, or one is started here and finished again.

    ``commit`` says whether each step gets a row of its own. A row of ours moves wandb's own
    step on, and wandb drops whatever is then logged with a smaller ``step=``. So in a run
    that was found or given, the numbers go by default into the row that is being filled, and
    the latest stay where nobody else completes it. Pass ``commit=True`` if nothing is logged
    to the run with ``step=``. The table ``hinge/events`` is complete either way, and is
    written by `close`.

    Raises
    ------
    HingeError
        No run is given, and the package wandb is not installed.
    OptionError
        What is given is not a run.
    """

    def __init__(self, run: Any = None, *, commit: bool | None = None) -> None:
        found = _active() if run is None else _checked(run)
        self._own = found is None
        self._run = optional(*_NEEDED).init() if found is None else found
        self._commit = self._own if commit is None else commit
        self._events: list[Event] = []
        self._run.define_metric(_STEP, hidden=True)
        self._run.define_metric("hinge/*", step_metric=_STEP)

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Log the numbers of a step."""
        self._run.log({**values, _STEP: step}, commit=self._commit)

    def event(self, event: Event) -> None:
        """Log the event as a text, and keep it for the table."""
        self._events.append(event)
        values = {f"hinge/{event.site}/event": told(event), _STEP: event.found_at}
        self._run.log(values, commit=self._commit)

    def close(self) -> None:
        """Log the table of all events; finish the run if it was started here."""
        if self._events:
            table = optional(*_NEEDED).Table(
                columns=list(_COLUMNS), data=[_row(event) for event in self._events]
            )
            self._run.log({"hinge/events": table}, commit=self._commit)
            self._events.clear()
        if self._own:
            self._run.finish()


def is_run(x: Any) -> bool:
    """Whether this is a run of wandb, or can be logged to as one."""
    return all(callable(getattr(x, name, None)) for name in _METHODS)


def _active() -> Any:
    """The run that ``wandb.init`` has started, or None."""
    return optional(*_NEEDED).run


def _row(event: Event) -> list[int | str]:
    units = ", ".join(str(unit) for unit in event.units)
    step, site, kind, cause = event.step, event.site, event.kind.value, event.cause.value
    return [event.found_at, step, site, kind, units, cause, event.evidence]


def _checked(run: Any) -> Any:
    if is_run(run) and not isinstance(run, type):
        return run
    raise OptionError(
        "what is to be logged to is no run of wandb",
        where="WandB(run)",
        found=f"a {type(run).__name__}",
        do="pass what wandb.init() returns, or nothing for the run that it started",
    )
