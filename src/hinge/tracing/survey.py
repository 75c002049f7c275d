"""One pass of a model, surveyed: its sites, and how each hangs in the model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from hinge.activations import traits_of
from hinge.tracing.batches import Batch, Forward
from hinge.tracing.guard import untouched
from hinge.tracing.modules import RunningModules
from hinge.tracing.provenance import INPUT, Provenance
from hinge.tracing.running import as_written, unwrapped
from hinge.tracing.trace import Call, Trace
from hinge.tracing.wires import Wires
from hinge.tracing.wiring import Wiring
from hinge.units import Site, Traits


class Survey:
    """Learns the sites of a model from one pass of it, whoever runs that pass."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._modules = RunningModules(model)
        self._seen = Provenance(model)
        self._wires = Wires([*model.named_parameters(), *model.named_buffers()])
        self._calls: dict[str, Call] = {}
        self._traits: dict[str, Traits] = {}

    @contextmanager
    def of(self, inputs: list[torch.Tensor], n_examples: int, axis: int) -> Iterator[None]:
        """Survey the pass that runs within the block on these inputs."""
        with self._modules:
            self._modules.start()
            self._seen.start(inputs, n_examples, axis)
            with Trace(self._modules, self._seen, self._found, self._wires):
                yield

    def finish(self, output: Any) -> dict[str, Wiring]:
        """How each site hangs in the model, in the order of the calls; the pass gave ``output``."""
        self._wires.finish(output)
        return {name: self._wiring(name, call) for name, call in self._calls.items()}

    def _found(self, call: Call) -> str:
        self._calls.setdefault(call.site, call)
        return call.site

    def _wiring(self, name: str, call: Call) -> Wiring:
        hung, shared = self._wires.sites[name], self._wires.shared
        made = hung.made
        makers = (made.maker.weight, made.maker.bias) if made else ()
        used = {*makers, *(one for r in hung.readers for one in (r.weight, r.bias))} - {""}
        size = call.arrangement.units.size
        return Wiring(
            site=Site(call.module, call.function, call.call, call.activation.name, size),
            traits=traits_of(call.activation, call.parameters),
            arrangement=call.arrangement,
            maker=made.maker if made else None,
            offset=made.offset if made else "",
            readers=tuple(hung.readers),
            elsewhere=tuple(hung.elsewhere),
            shared=tuple(sorted(used & shared)),
            inputs=tuple(source for source in call.layer.sources if source != INPUT),
        )


def wire(model: torch.nn.Module, batch: Batch, forward: Forward | None = None) -> dict[str, Wiring]:
    """Run a model on one batch and say how each of its sites hangs in it.

    The model is run as it was written, in eval mode and without gradients, and left as it was.
    """
    model = unwrapped(model)
    survey = Survey(model)
    surveyed = survey.of(batch.tensors, batch.n, batch.axis)
    with untouched(model), as_written(), torch.no_grad(), surveyed:
        output = batch.run(model, forward)
    return survey.finish(output)
