"""Runs a model over data as often as a remedy needs it, while its parts are replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from hinge.remedies.changing.movement import Movement
from hinge.tracing.batches import Batch, Preparation
from hinge.tracing.failing import explained, no_example
from hinge.tracing.gradients import floating
from hinge.tracing.guard import untouched
from hinge.tracing.modules import RunningModules
from hinge.tracing.provenance import Provenance
from hinge.tracing.running import as_written
from hinge.tracing.stream import stream, watched
from hinge.tracing.trace import Call, Trace

_BATCH_SIZE = 256

ModuleCall = Callable[[nn.Module, Tensor, Tensor, Batch], None]
"""Gets one call of a module: the module, its first input, its output, the model's batch."""


class Runs:
    """A model and the batches of the data, which are kept: a loader may shuffle, or come once.

    Every pass is in eval mode without gradients and leaves the model as it was. ``data`` is
    what `hinge.observe` takes. The modules of the model may change from pass to pass.
    Raises `DataError` for data without a single finite example.
    """

    def __init__(self, model: nn.Module, data: Any) -> None:
        self._model = model
        prepared = map(Preparation(model, 0), watched(stream(data, _BATCH_SIZE, 0)))
        self.batches = [batch for batch in prepared if batch.n]
        if not self.batches:
            raise no_example()

    def outputs(self) -> list[list[Tensor]]:
        """The floating-point outputs of the model on each batch."""
        with self._ready():
            return [[x.clone() for x in floating(self._run(batch))] for batch in self.batches]

    def over_calls(self, found: Callable[[Call], None]) -> None:
        """Run all batches; ``found`` gets each call of an activation, in the order of the calls."""
        modules, seen = RunningModules(self._model), Provenance(self._model)

        def named(call: Call) -> str:
            found(call)
            return call.site

        with self._ready(), modules:
            for batch in self.batches:
                modules.start()
                seen.start(batch.tensors, batch.n, batch.axis)
                with Trace(modules, seen, named):
                    self._run(batch)

    def over_modules(self, found: ModuleCall) -> None:
        """Run all batches; ``found`` gets each call of a module that maps a tensor to a tensor."""
        current = self.batches[0]

        def called(module: nn.Module, args: Any, out: Any) -> None:
            if args and isinstance(args[0], Tensor) and isinstance(out, Tensor):
                found(module, args[0], out, current)

        with self._ready(), ExitStack() as hooks:
            for module in self._model.modules():
                hooks.callback(module.register_forward_hook(called).remove)
            for current in self.batches:  # the hooks read it
                self._run(current)

    @contextmanager
    def _ready(self) -> Iterator[None]:
        with untouched(self._model), as_written(), torch.no_grad():
            yield

    def _run(self, batch: Batch) -> Any:
        with explained(batch):
            return batch.run(self._model, None)


class Measured:
    """How far a remedy moves the outputs, if there are data to measure it on."""

    def __init__(self, runs: Runs | None) -> None:
        self._runs = runs
        self._before = runs.outputs() if runs is not None else []

    def movement(self) -> Movement:
        """The outputs now beside those before. Raises `DataError` if the model runs no more."""
        movement = Movement()
        after = self._runs.outputs() if self._runs is not None else []
        for old, new in zip(self._before, after, strict=True):
            movement.add(old, new)
        return movement
