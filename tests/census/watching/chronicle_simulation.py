"""Simulated training whose truth is known: units with given rates, steps with given spikes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hinge.census.watching.glimpse import Glimpse, Pulse
from hinge.census.watching.telling.chronicle import Chronicle
from hinge.events import Event
from hinge.units import Site, Traits

RELU = Traits(0.0, (0.0, float("inf")))
LEAKY = Traits(0.0, (float("-inf"), float("inf")))


def site(name: str, n: int) -> Site:
    return Site(name, "", 1, "relu", n)


@dataclass
class Layer:
    """One simulated site: set what shall happen between two steps."""

    name: str
    n: int
    rates: np.ndarray
    inputs: tuple[str, ...] = ()
    traits: Traits = RELU
    batch: int = 64
    bias: np.ndarray = field(init=False)
    top: np.ndarray = field(init=False)
    mean: np.ndarray = field(init=False)
    has_bias: bool = True
    gradient: float = 1.0
    gradient_norm: float = float("nan")

    def __post_init__(self) -> None:
        self.rates = np.broadcast_to(np.asarray(self.rates, float), (self.n,)).copy()
        self.bias = np.zeros(self.n)
        self.top = np.full(self.n, 2.0)
        self.mean = np.full(self.n, -0.5)
        self.seen = np.zeros(self.n, np.int64)
        self.fired = np.zeros(self.n, np.int64)
        self.last = np.full(self.n, -1, np.int64)
        self.silent = np.zeros(self.n, np.int64)

    def kill(self, *units: int, top: float = -14.0) -> None:
        self.rates[list(units)] = 0.0
        self.top[list(units)] = top

    def restart(self) -> None:
        self.seen[:] = self.fired[:] = 0
        self.last[:] = -1

    def run(self, step: int, rng: np.random.Generator) -> None:
        fired = rng.binomial(self.batch, self.rates)
        self.seen += self.batch
        self.fired += fired
        self.last[fired > 0] = step
        self.silent += self.batch
        self.silent[fired > 0] = 0

    def glimpse(self) -> Glimpse:
        return Glimpse(
            site(self.name, self.n),
            self.traits,
            self.seen.copy(),
            self.fired.copy(),
            self.last.copy(),
            self.silent.copy(),
            self.top.copy(),
            last_gradient=self.last.copy(),
            bias=self.bias.copy() if self.has_bias else None,
            mean=self.mean.copy(),
            var=np.ones(self.n),
            strength=np.maximum(self.rates, 0),
            gradient_norm=self.gradient_norm,
            inputs=self.inputs,
        )


class Training:
    """Steps of simulated training; ``before`` is called before each step's forward pass."""

    def __init__(self, *layers: Layer, seed: int = 0, every: int = 16, **options: int) -> None:
        self.layers = {layer.name: layer for layer in layers}
        self.chronicle = Chronicle(
            {layer.name: site(layer.name, layer.n) for layer in layers}, **options
        )
        self.rng = np.random.default_rng(seed)
        self.every = every
        self.step = -1
        self.rate = 0.1
        self.scale: float | None = None
        self.noise = 0.2

    def run(self, steps: int, before=lambda step, training: None) -> list[Event]:
        found: list[Event] = []
        for _ in range(steps):
            self.step += 1
            self.rate, self.skipped = 0.1, False
            for layer in self.layers.values():
                layer.gradient = float(self.rng.lognormal(0, self.noise))
            before(self.step, self)
            for layer in self.layers.values():
                layer.run(self.step, self.rng)
            norms = np.array([layer.gradient for layer in self.layers.values()])
            self.chronicle.pulse(Pulse(self.step, self.rate, norms, self.scale, self.skipped))
            if (self.step + 1) % self.every == 0:
                found += self.look()
        return found

    def look(self) -> list[Event]:
        glimpses = {name: layer.glimpse() for name, layer in self.layers.items()}
        return self.chronicle.look(self.step, glimpses)
