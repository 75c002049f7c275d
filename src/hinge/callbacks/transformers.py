"""Watches a network that the ``Trainer`` of Hugging Face's transformers trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from hinge.callbacks.attached import Attached, Log
from hinge.callbacks.joined import joined

_MODULES = ("transformers",)


class Hooks(Attached):
    """A callback for a ``Trainer``: ``HingeCallback().join(trainer)``.

    The watch begins when training does and stops when it ends. Whenever the trainer logs, the
    latest numbers go with it, and for each kind of event the number of units to which it
    happened since. ``Trainer(callbacks=[HingeCallback()])`` works as well, but the trainer
    asks its reporters (``report_to``) before the callbacks that it is given: the numbers then
    are in ``trainer.state.log_history`` only.

    The trainer does not tell its callbacks of an exception. Use the callback as a context,
    ``with callback: trainer.train()``, so that the watch stops with one; otherwise it stops
    when the next training begins, or by ``callback.stop()``.

    For the options see `Attached`.
    """

    def __init__(self, *, names: str = "*", **options: Any) -> None:
        super().__init__(names=names, **options)
        self._log = Log()

    def join(self, trainer: Any) -> Self:
        """Add the callback to a trainer, before its reporters. Returns the callback."""
        trainer.callback_handler.callbacks.insert(0, self)
        return self

    def on_train_begin(self, args: Any, state: Any, control: Any, **parts: Any) -> None:
        """Start the watch on the model and the optimizer that accelerate has wrapped."""
        del args, state, control
        optimizer = parts.get("optimizer")
        scaler = getattr(optimizer, "scaler", None)
        self._log = Log()
        self.begin(
            parts["model"], getattr(optimizer, "optimizer", optimizer), self._log, scaler=scaler
        )

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **parts: Any
    ) -> None:
        """Add the latest numbers to what is logged, and to what the trainer remembers of it."""
        del args, control, parts
        numbers = self._log.taken()
        if logs is not None:
            logs.update(numbers)
        if state.log_history:
            state.log_history[-1].update(numbers)

    def on_train_end(self, args: Any, state: Any, control: Any, **parts: Any) -> None:
        """Stop the watch."""
        del args, state, control, parts
        self.stop()


if TYPE_CHECKING:
    HingeCallback = Hooks


def __getattr__(name: str) -> Any:
    """Make the class when it is first asked for (PEP 562): it needs transformers."""
    if name != "HingeCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return joined(Hooks, _MODULES, "TrainerCallback", '"transformers[torch]"')
