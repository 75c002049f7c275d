"""Watches a network that Keras trains on its torch backend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hinge.callbacks.attached import Attached, Log
from hinge.callbacks.joined import joined
from hinge.errors import ModelError
from hinge.optional import optional

_MODULES = ("keras.callbacks",)


class Hooks(Attached):
    """A callback for Keras 3 on the torch backend: ``model.fit(..., callbacks=[HingeCallback()])``.

    The watch begins when training does and stops when it ends. The latest numbers of each
    epoch go into its ``logs``, and so into ``History`` and the callbacks that come later, with
    the number of units to which each kind of event happened; NaN stands for an epoch without
    a number. ``names`` keeps the progress bar short: ``names="*/dead"``. The optimizers of
    Keras are not torch's: the watch gets none, and counts passes.

    Keras does not tell its callbacks of an exception. Use the callback as a context, ``with
    callback: model.fit(...)``, so that the watch stops with one; otherwise it stops when the
    next training begins, or by ``callback.stop()``.

    For the options see `Attached`.
    """

    if TYPE_CHECKING:
        model: Any

    def __init__(self, *, names: str = "*", **options: Any) -> None:
        super().__init__(names=names, **options)
        self._log = Log()
        self._told: dict[str, float] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the watch. Raises `ModelError` on another backend than torch."""
        del logs
        backend = optional("keras", "keras", "the callback for Keras").backend.backend()
        if backend != "torch":
            raise ModelError(
                "only networks that torch runs can be watched",
                where="keras.backend.backend()",
                found=repr(backend),
                do="set KERAS_BACKEND=torch before keras is imported",
            )
        self._log = Log()
        self._told = {}
        self.begin(self.model, None, self._log)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the latest numbers to the epoch's logs."""
        self._told |= self._log.taken()
        if logs is not None:
            logs.update(self._told)
            self._fill(epoch)
        self._told = dict.fromkeys(self._told, math.nan)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Stop the watch."""
        del logs
        self.stop()

    def _fill(self, epoch: int) -> None:
        """Give each name in ``History`` a number per epoch: tables are made of it."""
        history = getattr(self.model, "history", None)
        if history is None or epoch in history.epoch:
            return
        for name in self._told:
            history.history.setdefault(name, [math.nan] * len(history.epoch))


if TYPE_CHECKING:
    HingeCallback = Hooks


def __getattr__(name: str) -> Any:
    """Make the class when it is first asked for (PEP 562): it needs Keras."""
    if name != "HingeCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return joined(Hooks, _MODULES, "Callback", "keras")
