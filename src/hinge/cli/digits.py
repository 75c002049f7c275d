"""The demo's network and how it is trained: handwritten digits, and too large a learning rate."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hinge.cli.inputs.optional import optional

LEARNING_RATE = 0.9
"""Careless: large steps throw units so far below their kink that no gradient brings them back."""

EPOCHS = 20
_BATCH = 64
_HELD_OUT = 597  # a third of the digits, which training never sees
_SEED = 1
_OPENING = '''\
"""The network of `hinge demo`."""

from collections import OrderedDict

from torch import nn
'''


def network() -> nn.Module:
    """Make the network, not trained yet: 64 pixels, two layers of ReLUs, 10 digits."""
    return nn.Sequential(
        OrderedDict(
            first=nn.Linear(64, 128),
            first_relu=nn.ReLU(),
            second=nn.Linear(128, 64),
            second_relu=nn.ReLU(),
            answer=nn.Linear(64, 10),
        )
    )


def network_source() -> str:
    """The code of `network` as a file of its own."""
    return f"{_OPENING}\n\n{inspect.getsource(network)}"


@dataclass(frozen=True)
class Digits:
    """Handwritten digits: ``pixels`` ``(N, 64)`` float32 from 0 to 1, ``labels`` ``(N,)`` int64."""

    pixels: Tensor
    labels: Tensor

    @classmethod
    def load(cls) -> Digits:
        """Return the 1,797 digits that scikit-learn brings along, in an order of chance.

        E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
        Learning Repository, 1998. Raises `HingeError` if scikit-learn is missing.
        """
        datasets = optional("sklearn.datasets", "scikit-learn", "demo", "the demo")
        pixels, labels = datasets.load_digits(return_X_y=True)
        order = np.random.default_rng(_SEED).permutation(len(labels))
        darkest = pixels.max()
        return cls(
            torch.tensor(pixels[order] / darkest, dtype=torch.float32),
            torch.tensor(labels[order], dtype=torch.int64),
        )

    @property
    def training(self) -> Digits:
        """The digits to train on."""
        return Digits(self.pixels[_HELD_OUT:], self.labels[_HELD_OUT:])

    @property
    def held_out(self) -> Digits:
        """The digits to test on."""
        return Digits(self.pixels[:_HELD_OUT], self.labels[:_HELD_OUT])


@dataclass(frozen=True)
class Epoch:
    """One pass over the training digits: its mean loss, and the accuracy on held-out ones."""

    number: int
    loss: float
    accuracy: float


def train(model: nn.Module, digits: Digits) -> Iterator[Epoch]:
    """Train with plain stochastic gradient descent, one epoch per step of the iteration."""
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    training = digits.training
    for number in range(1, EPOCHS + 1):
        losses = []
        for batch in torch.split(torch.randperm(len(training.labels)), _BATCH):
            loss = nn.functional.cross_entropy(
                model(training.pixels[batch]), training.labels[batch]
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch gives it no types
            optimizer.step()
            losses.append(loss.item())
        yield Epoch(number, sum(losses) / len(losses), accuracy(model, digits.held_out))


@torch.no_grad()
def accuracy(model: nn.Module, digits: Digits) -> float:
    """Return the share of digits that the model names right."""
    return float((model(digits.pixels).argmax(1) == digits.labels).float().mean())


def trained(digits: Digits, show: Callable[[Epoch], None]) -> nn.Module:
    """Make the network and train it, the same way every time; random states stay untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        model = network()
        for epoch in train(model, digits):
            show(epoch)
    return model
