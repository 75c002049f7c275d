"""Run a model, or a network that was read, on one batch and see what its units do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch

from hinge.activations import traits_of
from hinge.census.measure import measure
from hinge.kernels import Measured
from hinge.layout import Place
from hinge.network import Network
from hinge.network.steps import Activate
from hinge.tracing.arrangement import Arrangement
from hinge.tracing.batches import Batch, Forward
from hinge.tracing.failing import explained
from hinge.tracing.feed import feed_of
from hinge.tracing.gradients import projection, send_gradients
from hinge.tracing.guard import untouched
from hinge.tracing.modules import RunningModules
from hinge.tracing.operators import next_node_number
from hinge.tracing.provenance import Provenance
from hinge.tracing.running import as_written, unwrapped
from hinge.tracing.trace import Call, Trace
from hinge.units import Counts, Feed, Site, Traits

_FORWARD = "; in Python, forward= calls it in any other way"


@dataclass(frozen=True)
class Sighting:
    """What one batch showed of one site; ``reached`` only if gradients were watched.

    ``measured`` is None where the site was called with nothing, such as an unused expert.
    """

    site: Site
    traits: Traits
    measured: Measured | None
    feed: Callable[[], Feed]
    reached: Counts | None = None


class Watcher(Protocol):
    """Something that runs batches and sees units; ``target`` is what it runs."""

    target: Any

    def ready(self) -> Any:
        """Return a context in which `run` may be called."""

    def run(self, batch: Batch, *, first: int, gradients: bool) -> list[Sighting]:
        """Run one batch, whose first example has this number in the stream."""


class ModelWatcher:
    """Sees the activations of any callable on torch tensors while it runs."""

    def __init__(self, model: Any, forward: Forward | None) -> None:
        self.target = unwrapped(model)
        self._forward = forward
        self._modules = RunningModules(self.target)
        self._provenance = Provenance(self.target)
        self._traits: dict[str, Traits] = {}
        self._sightings: list[Sighting] = []
        self._calls: dict[int, Call] = {}

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Leave the model as it was afterwards; run compiled parts as they were written."""
        with ExitStack() as stack:
            stack.enter_context(untouched(self.target))
            stack.enter_context(self._modules)
            stack.enter_context(as_written())
            yield

    def run(self, batch: Batch, *, first: int, gradients: bool) -> list[Sighting]:
        """Run one batch through the model. Raises `DataError` if the model fails on it."""
        self._sightings, self._calls = [], {}
        with torch.no_grad():
            self._pass(batch, first, self._seen)
        return self._with_gradients(batch, first) if gradients else self._sightings

    def _pass(self, batch: Batch, first: int, found: Callable[[Call], str]) -> Any:
        """One forward pass, each call of an activation handed to ``found``; the output."""
        self._modules.start()
        self._provenance.start(batch.tensors, batch.n, batch.axis)
        where = f"the batch that starts at example {first}"
        trace = Trace(self._modules, self._provenance, found)
        with explained(batch, _FORWARD, where), trace:
            return batch.run(self.target, self._forward)

    def _seen(self, call: Call) -> str:
        """Measure one call of an activation; return the name of its site."""
        name = call.site
        traits = self._traits.get(name)
        if traits is None:
            traits = self._traits[name] = traits_of(call.activation, call.parameters)
        self._sightings.append(_sighting(call, traits))
        return name

    def _with_gradients(self, batch: Batch, first: int) -> list[Sighting]:
        """Run the batch once more with autograd, and add where gradients arrived."""
        counted = {sighting.site.name: sighting for sighting in self._sightings}
        reached = {
            name: np.zeros(sighting.site.n_units, np.int64) for name, sighting in counted.items()
        }

        def arrived(call: Call, gradient: torch.Tensor) -> None:
            reached[call.site] += _examples_marked(call.arrangement, gradient)

        batch = batch.mapped(_requiring_gradient)
        with torch.enable_grad():
            output = self._pass(batch, first, self._numbered)
            send_gradients(output, self._calls, arrived)
        return [replace(counted[name], reached=reached[name]) for name in counted]

    def _numbered(self, call: Call) -> str:
        """Remember a call by the number of its autograd node, made just before."""
        self._calls[next_node_number() - 1 if call.node is None else call.node] = call
        return call.site


class NetworkWatcher:
    """Sees the sites of a network that was read from a model or a file."""

    def __init__(self, network: Network) -> None:
        self.target = network
        self._feeds = network.feeds()

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Nothing to prepare: a network is a value."""
        yield

    def run(self, batch: Batch, *, first: int, gradients: bool) -> list[Sighting]:
        """Run one batch through the network. Raises `DataError` if it does not fit."""
        del first  # a network says itself what does not fit
        x = batch.args[0]
        with torch.set_grad_enabled(gradients):
            output, values = self.target.run(_requiring_gradient(x) if gradients else x)
        reached = _reached(output, values) if gradients else {}
        with torch.no_grad():
            return [
                self._sighting(step, values[step.name].detach(), reached.get(step.name))
                for step in self.target.activations
            ]

    def _sighting(self, step: Activate, z: torch.Tensor, gradient: torch.Tensor | None) -> Sighting:
        arrangement = Arrangement(step.units, Place(0, z.shape[0]))
        h = step.to(z.dtype, z.device).apply(z)
        measured = measure(z, h, arrangement, step.traits)
        reached = None if gradient is None else _examples_marked(arrangement, gradient)
        return Sighting(step.site, step.traits, measured, lambda: self._feeds[step.name], reached)


def _reached(output: torch.Tensor, values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The gradient of a projection of the output with respect to each pre-activation."""
    gradients = torch.autograd.grad(
        output, list(values.values()), projection(output), allow_unused=True
    )
    pairs = zip(values.items(), gradients, strict=True)
    return {n: torch.zeros_like(z) if g is None else g for (n, z), g in pairs}


def _examples_marked(arrangement: Arrangement, gradient: torch.Tensor) -> Counts:
    """On how many examples each unit's gradient is not zero at some position."""
    marks = arrangement.arrange(gradient.ne(0))
    axis = 2 if arrangement.positions_last else 1
    counts: Counts = marks.any(axis).sum(0).cpu().numpy()
    return counts


def _sighting(call: Call, traits: Traits) -> Sighting:
    site = Site(
        call.module,
        call.function,
        call.call,
        call.activation.name,
        call.arrangement.units.size,
    )
    measured = None
    if call.z.numel():
        measured = measure(call.z, call.h, call.arrangement, traits)
    layer = call.layer  # a closure over the call would keep its tensors until the pass is over
    return Sighting(site, traits, measured, lambda: feed_of(layer, site.n_units))


def _requiring_gradient(x: torch.Tensor) -> torch.Tensor:
    return x.detach().clone().requires_grad_() if x.is_floating_point() else x
