"""Passes of a model over data: as it is, or as a draft would have it, and never left changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, Protocol

import torch
from torch import nn

from hinge.remedies.changing.movement import Movement
from hinge.remedies.reviving.seen import Reading
from hinge.tracing.batches import Batch, Forward, Preparation
from hinge.tracing.failing import explained, no_example
from hinge.tracing.gradients import floating
from hinge.tracing.guard import untouched
from hinge.tracing.modules import RunningModules
from hinge.tracing.provenance import Provenance
from hinge.tracing.running import as_written
from hinge.tracing.stream import stream, watched
from hinge.tracing.survey import wire
from hinge.tracing.trace import Call, Trace
from hinge.tracing.wiring import Reader, Wiring

Found = Callable[[Call], None]
Done = Callable[[Batch, Any], None]

_FORWARD = ", or say with forward= how it is called"


class Trial(Protocol):
    """A change that can be tried, such as a `Draft`."""

    def placed(self) -> AbstractContextManager[None]:
        """Within the block the model is changed; afterwards it is as it was."""


class Passes:
    """Runs one model over data as often as is needed: in eval mode, without gradients.

    Data that come only once, such as a generator's, are kept.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Any,
        *,
        batch_size: int = 256,
        batch_axis: int = 0,
        forward: Forward | None = None,
    ) -> None:
        self.model = model
        self._data = list(data) if isinstance(data, Iterator) else data
        self._size, self._axis, self._forward = batch_size, batch_axis, forward
        self._prepare = Preparation(model, batch_axis, forward)
        self._modules = RunningModules(model)
        self._provenance = Provenance(model)

    def wirings(self) -> dict[str, Wiring]:
        """How each site hangs in the model, by the first batch. Raises `DataError`."""
        batch = next(self._batches(), None)
        if batch is None:
            raise no_example()
        with explained(batch, _FORWARD):
            return wire(self.model, batch, self._forward)

    def over(
        self,
        found: Found | None = None,
        done: Done | None = None,
        draft: Trial | None = None,
        readers: Mapping[tuple[str, Reader], torch.Tensor] | None = None,
    ) -> Reading:
        """One pass: ``found`` gets each call of an activation, ``done`` each batch's output.

        With a draft, the model has its values. Returned is what the ``readers`` read.
        """
        reading = Reading(readers or {})
        with self._ready():
            for batch in self._batches():
                with draft.placed() if draft is not None else nullcontext():
                    output = self._run(batch, found, reading)
                if done is not None:
                    done(batch, output)
        return reading

    def compare(self, draft: Trial, found: Found | None = None) -> Movement:
        """How far a draft moves the outputs; ``found`` gets the draft's calls of activations.

        Both runs of a batch draw the same random numbers, should the model draw any.
        """
        movement = Movement()
        with self._ready():
            for batch in self._batches():
                with self._same_random():
                    before = [x.clone() for x in floating(self._run(batch))]
                with self._same_random(), draft.placed():
                    movement.add(before, floating(self._run(batch, found)))
        return movement

    def _batches(self) -> Iterator[Batch]:
        for raw in watched(stream(self._data, self._size, self._axis)):
            batch = self._prepare(raw)
            if batch.n:
                yield batch

    @contextmanager
    def _ready(self) -> Iterator[None]:
        with untouched(self.model), self._modules, as_written(), torch.no_grad():
            yield

    def _run(self, batch: Batch, found: Found | None = None, reading: Any = None) -> Any:
        def called(call: Call) -> str:
            if found is not None:
                found(call)
            return call.site

        self._modules.start()
        self._provenance.start(batch.tensors, batch.n, batch.axis)
        with ExitStack() as stack:
            stack.enter_context(explained(batch, _FORWARD))
            stack.enter_context(Trace(self._modules, self._provenance, called))
            if reading is not None:
                stack.enter_context(reading)
            return batch.run(self.model, self._forward)

    def _same_random(self) -> AbstractContextManager[Any]:
        devices = {p.device.index or 0 for p in self.model.parameters() if p.is_cuda}
        return torch.random.fork_rng(sorted(devices))
