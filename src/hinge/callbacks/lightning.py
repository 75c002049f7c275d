"""Watches a network that Lightning trains (``lightning`` or ``pytorch_lightning``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hinge.callbacks.attached import Attached, Log
from hinge.callbacks.joined import joined
from hinge.callbacks.redirecting import redirected
from hinge.events import Event
from hinge.sinks import Sink
from hinge.sinks.accepting import known_sink
from hinge.sinks.telling import counted

_MODULES = ("lightning.pytorch", "pytorch_lightning")


class Hooks(Attached):
    """A callback for a Lightning ``Trainer``: ``Trainer(callbacks=[HingeCallback()])``.

    The watch begins when training does, after the sanity check, and stops when it ends or an
    exception ends it. Numbers go to all of the trainer's loggers, at the trainer's
    ``global_step``; an event goes there as the number of its units, and in words too where
    the logger is one for TensorBoard or wandb.

    A step that Lightning optimizes itself is one pass, whatever ``training_step`` calls; where
    a module optimizes manually, only what it calls by ``self(...)`` is one.

    ``which`` says which of several optimizers counts the steps. All other options: `Attached`.
    """

    def __init__(self, *, which: int = 0, names: str = "*", **options: Any) -> None:
        super().__init__(names=names, **options)
        self._which = which
        self._undo: Callable[[], None] | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Start the watch on the model as the strategy has wrapped it."""
        optimizers = trainer.optimizers
        optimizer = optimizers[self._which] if optimizers else None
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        log = _Loggers(trainer.loggers, trainer.global_step)
        self.begin(trainer.model, optimizer, log, scaler=scaler)
        if trainer.model is pl_module and pl_module.automatic_optimization:
            self._undo = redirected(pl_module, "training_step")  # a wrapper calls the module

    def stop(self) -> None:
        """Stop watching; nothing happens if it was stopped before."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()
        super().stop()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_undo": None}

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Stop the watch."""
        del trainer, pl_module
        self.stop()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Stop the watch; Ctrl-C is one of the exceptions."""
        del trainer, pl_module, exception
        self.stop()


class _Loggers(Log):
    """The trainer's own loggers, which are written to at once."""

    def __init__(self, loggers: list[Any], first: int) -> None:
        super().__init__()
        self._loggers = loggers
        self._first = first  # steps of a run that this one continues
        self._tellers = [sink for logger in loggers if (sink := _teller(logger)) is not None]

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Log the numbers that are wanted."""
        wanted = self.wanted(values)
        for logger in self._loggers if wanted else ():
            logger.log_metrics(wanted, step=self._first + step)

    def event(self, event: Event) -> None:
        """Log the number of units, and the event in words."""
        self.numbers(event.found_at, counted(event))
        for teller in self._tellers:
            teller.event(event)

    def close(self) -> None:
        """Write the events that are kept for a table."""
        for teller in self._tellers:
            teller.close()


def _teller(logger: Any) -> Sink | None:
    """A sink for the events, where a logger's writer or run is known."""
    return known_sink(getattr(logger, "experiment", None))


if TYPE_CHECKING:
    HingeCallback = Hooks


def __getattr__(name: str) -> Any:
    """Make the class when it is first asked for (PEP 562): it needs Lightning."""
    if name != "HingeCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return joined(Hooks, _MODULES, "Callback", "lightning")
