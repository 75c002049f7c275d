"""Writes what a watch tells to a run of MLflow."""

from __future__ import annotations

import json
import posixpath
import re
import time
from collections.abc import Mapping
from typing import Any

from hinge.errors import HingeError, OptionError
from hinge.events import Event
from hinge.optional import optional
from hinge.sinks.lines import line
from hinge.sinks.telling import counted

_PURPOSE = "logging to MLflow"
_BATCH = 1000  # the most metrics that MLflow takes at once
_LONGEST = 250  # the longest name that MLflow takes, in characters


class MLflow:
    """Log numbers as metrics, an event as a metric of its units, all events as an artifact.

    The artifact ``hinge/events.json`` is written by `close`. In the names of metrics, ``#``
    becomes ``-`` and other signs that MLflow refuses become ``_``.

    ``run_id`` is the identity of a run, or a run; without it, the active run is taken, or one
    is started here, which `close` ends. ``client`` is a ``MlflowClient``; without it, one is
    made for the tracking server that is set.

    Raises
    ------
    HingeError
        The package mlflow is not installed; or the run cannot be opened or started.
    OptionError
        ``run_id`` is neither text nor a run.
    """

    def __init__(self, run_id: Any = None, *, client: Any = None) -> None:
        mlflow = optional("mlflow", "mlflow-skinny", _PURPOSE)
        self._metric = optional("mlflow.entities", "mlflow-skinny", _PURPOSE).Metric
        self._events: list[Event] = []
        self._own = False
        identity = _identity(run_id)
        try:
            if identity is None:
                active = mlflow.active_run()
                self._own = active is None
                identity = (mlflow.start_run() if active is None else active).info.run_id
            self._client = mlflow.MlflowClient() if client is None else client
            self._client.get_run(identity)
        except mlflow.MlflowException as error:
            raise HingeError(
                "the run of MLflow cannot be opened",
                where="MLflow(run_id)",
                found=str(error),
                do="check the run and mlflow.get_tracking_uri()",
            ) from error
        self.run_id: str = identity

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Log the numbers of a step, all at the same time."""
        now = time.time_ns() // 1_000_000
        metrics = [
            self._metric(_allowed(name), float(value), now, step) for name, value in values.items()
        ]
        for first in range(0, len(metrics), _BATCH):
            self._client.log_batch(self.run_id, metrics=metrics[first : first + _BATCH])

    def event(self, event: Event) -> None:
        """Log to how many units it happened, and keep the event for the artifact."""
        self._events.append(event)
        self.numbers(event.found_at, counted(event))

    def close(self) -> None:
        """Log the artifact; end the run if it was started here."""
        if self._events:
            events = [json.loads(line(event))["event"] for event in self._events]
            text = json.dumps(events, indent=1)
            self._client.log_text(self.run_id, text, "hinge/events.json")
            self._events.clear()
        if self._own:
            self._own = False
            mlflow = optional("mlflow", "mlflow-skinny", _PURPOSE)
            active = mlflow.active_run()
            if active is not None and active.info.run_id == self.run_id:
                mlflow.end_run()


def is_mlflow_run(x: Any) -> bool:
    """Whether this is a run of MLflow."""
    return isinstance(getattr(getattr(x, "info", None), "run_id", None), str)


def _identity(run: Any) -> str | None:
    if run is None or isinstance(run, str):
        return run
    if is_mlflow_run(run):
        return str(run.info.run_id)
    raise OptionError(
        "what is to be logged to is no run of MLflow",
        where="MLflow(run_id)",
        found=f"a {type(run).__name__}",
        do="pass a run, its run_id, or nothing for the active run",
    )


def _allowed(name: str) -> str:
    """The nearest name that MLflow takes."""
    plain = re.sub(r"[^\w. /-]", "_", name.replace("#", "-"), flags=re.ASCII)
    return posixpath.normpath("/" + plain[-_LONGEST:]).lstrip("/")
