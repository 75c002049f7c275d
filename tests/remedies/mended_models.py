"""Small models with dead units, and the optimizers that train them, for the tests of remedies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

DEAD = (1, 4)


class Tied(nn.Module):
    """An autoencoder whose decoder has the encoder's weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(10, 6) / 3)
        self.bias = nn.Parameter(torch.zeros(10))
        self.shift = nn.Parameter(torch.zeros(6))

    def forward(self, x):
        h = functional.relu(functional.linear(x, self.weight, self.bias))
        return functional.linear(h, self.weight.t(), self.shift)


@dataclass
class Patient:
    model: nn.Module
    x: torch.Tensor
    site: str
    maker: str
    offset: str

    def parameter(self, name: str) -> torch.Tensor:
        return dict(self.model.named_parameters())[name]

    def loss(self) -> torch.Tensor:
        return (self.model(self.x) - 0.5).square().mean()


def patient(kind: str) -> Patient:
    """A model of a kind; the units `DEAD` of its first site never fire on ``x``."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model, shape, site, maker, offset = _KINDS[kind]()
        x = torch.randn(20, *shape)
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                if name.endswith(("mean", "var")):
                    buffer.uniform_(0.5, 1.5)
            named = dict(model.named_parameters())
            named[offset][list(DEAD)] = -40.0
        return Patient(model, x, site, maker, offset)


def optimizer(name: str, model: nn.Module) -> torch.optim.Optimizer:
    """A torch optimizer; SGD with momentum."""
    options = {"momentum": 0.9} if name == "SGD" else {}
    options |= {"amsgrad": True} if name == "Adam" else {}
    return getattr(torch.optim, name)(model.parameters(), lr=1e-3, **options)


def step(of: Patient, by: torch.optim.Optimizer) -> float:
    """One step of training; the gradients stay."""
    of.model.train()
    by.zero_grad()
    loss = of.loss()
    loss.backward()
    by.step()
    return loss.item()


def outputs(of: Patient) -> torch.Tensor:
    """What the model gives in eval mode."""
    of.model.eval()
    with torch.no_grad():
        y = of.model(of.x)
    of.model.train()
    return y


def _linear():
    layers = nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 3)
    return nn.Sequential(*layers), (6,), "1", "0.weight", "0.bias"


def _conv():
    layers = (
        *(nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3, padding=1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)),
    )
    return nn.Sequential(*layers), (2, 5, 5), "1", "0.weight", "0.bias"


def _flattened():
    layers = nn.Conv2d(2, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24, 3)
    return nn.Sequential(*layers), (2, 6, 6), "1", "0.weight", "0.bias"


def _normalised():
    layers = (
        *(nn.Conv2d(2, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU()),
        *(nn.Conv2d(6, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)),
    )
    return nn.Sequential(*layers), (2, 6, 6), "2", "0.weight", "1.bias"


def _transposed():
    layers = nn.ConvTranspose2d(2, 6, 3, stride=2), nn.ReLU(), nn.Conv2d(6, 3, 3)
    return nn.Sequential(*layers), (2, 4, 4), "1", "0.weight", "0.bias"


def _tied():
    return Tied(), (6,), "relu()", "weight", "bias"


def _half():
    model, *rest = _linear()
    return _Half(model), *rest[:1], "inside.1", "inside.0.weight", "inside.0.bias"


class _Half(nn.Module):
    """bfloat16 weights behind float32 inputs."""

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside.bfloat16()

    def forward(self, x):
        return self.inside(x.bfloat16()).float()


_KINDS = {
    "linear": _linear,
    "conv": _conv,
    "flattened": _flattened,
    "normalised": _normalised,
    "transposed": _transposed,
    "tied": _tied,
    "half": _half,
}
