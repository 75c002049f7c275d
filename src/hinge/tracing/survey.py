"""One pass of a model, surveyed: its sites, and how each hangs in the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
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
from hinge.units import Site


class Survey:
    """Learns the sites of a model from its passes, whoever runs them.

    ``each`` is called with every call of an activation, and with what is known of its site.
    ``guard`` is entered around all that is not the model's own.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        each: Callable[[Call, Wiring], None] = lambda _call, _wiring: None,
        guard: AbstractContextManager[Any] = nullcontext(),  # noqa: B008 - it holds nothing
    ) -> None:
        self._each, self._guard = each, guard
        self._modules = RunningModules(model)
        self._seen = Provenance(model)
        self._wires = Wires([*model.named_parameters(), *model.named_buffers()])
        self._found: dict[str, Wiring] = {}
        self._wired = False

    @contextmanager
    def of(self, inputs: list[torch.Tensor], n_examples: int, axis: int) -> Iterator[None]:
        """Survey the pass that runs within the block on these inputs."""
        with self._modules:
            self._modules.start()
            self._seen.start(inputs, n_examples, axis)
            wires = None if self._wired else self._wires
            with Trace(self._modules, self._seen, self._called, wires, self._guard):
                yield

    def wired(self, output: Any) -> dict[str, Wiring]:
        """How each site hangs in the model, in the order of the calls, after the first pass.

        ``output`` is what the model gave. Passes after this one are only looked at.
        """
        if not self._wired:
            self._wires.finish(output)
            self._found = {name: self._hung(wiring) for name, wiring in self._found.items()}
            self._wired = True
        return self._found

    def _called(self, call: Call) -> str:
        wiring = self._found.get(call.site)
        if wiring is None:
            wiring = self._found[call.site] = _bare(call)
        self._each(call, wiring)
        return call.site

    def _hung(self, wiring: Wiring) -> Wiring:
        """Add the layers around the site to what its call told."""
        hung = self._wires.sites[wiring.site.name]
        maker = hung.made.maker if hung.made else None
        names = (maker.weight, maker.bias) if maker else ()
        used = {*names, *(name for r in hung.readers for name in (r.weight, r.bias))} - {""}
        return replace(
            wiring,
            maker=maker,
            offset=hung.made.offset if hung.made else "",
            readers=tuple(hung.readers),
            elsewhere=tuple(hung.elsewhere),
            shared=tuple(sorted(used & self._wires.shared)),
        )


def _bare(call: Call) -> Wiring:
    """What the call of a site tells, without the layers around it."""
    size = call.arrangement.units.size
    return Wiring(
        site=Site(call.module, call.function, call.call, call.activation.name, size),
        traits=traits_of(call.activation, call.parameters),
        arrangement=call.arrangement,
        shape=tuple(call.z.shape),
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
    return survey.wired(output)
