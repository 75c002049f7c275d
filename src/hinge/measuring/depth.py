"""How much of the gradient is left after many layers with one activation."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import torch
from torch import nn

WIDTH, DEPTH, BATCH, SEEDS = 256, 20, 64, 5

EXPERIMENT = (
    f"{DEPTH} dense layers of {WIDTH} pre-activations without biases, weights normal with "
    f"variance gain²/fan_in (the record's Kaiming gain), a batch of {BATCH} standard normal "
    f"inputs, a random direction at the output: the norm of the gradient at the first layer's "
    f"pre-activations over that at the last's, the median of {SEEDS} seeds"
)


def surviving_gradient(make: Callable[[], nn.Module], gain: float) -> float:
    """Do `EXPERIMENT` with the modules that ``make`` builds, in float32."""
    return median(_one_run(make, gain, seed) for seed in range(SEEDS))


def _one_run(make: Callable[[], nn.Module], gain: float, seed: int) -> float:
    source = torch.Generator().manual_seed(seed)
    hidden = torch.randn(BATCH, WIDTH, generator=source)
    layers: list[torch.Tensor] = []
    for _ in range(DEPTH):
        fan_in = hidden.shape[1]
        scale = gain / fan_in**0.5 if layers else fan_in**-0.5  # the input has unit moments
        weight = torch.randn(WIDTH, fan_in, generator=source) * scale
        z = hidden @ weight.T if layers else (hidden @ weight.T).requires_grad_()
        layers.append(z)
        hidden = make()(z)
    direction = torch.randn(hidden.shape, generator=source)
    first, last = torch.autograd.grad(hidden, [layers[0], layers[-1]], direction)
    return float(first.norm() / last.norm())
