"""The demo's network and how it is trained: handwritten digits, and one careless epoch."""

from __future__ import annotations

import copy
import inspect
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from hinge.optional import optional

RATE, SLIP = 0.05, 1.0
"""The learning rate, and what it is for one epoch by mistake, which kills units."""

RATES = (RATE,) * 6 + (SLIP,) + (RATE,) * 7
"""The learning rate of each epoch: after the slip there are enough steps to see what is dead."""

MORE = (RATE,) * 8
"""The epochs after that, with and without a revival."""

_MOMENTUM = 0.9
_BATCH = 64
_HELD_OUT = 597  # a third of the digits, which training never sees
_ORDER, _SEED = 1, 2
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
        datasets = optional("sklearn.datasets", "scikit-learn", "the demo", extra="demo")
        pixels, labels = datasets.load_digits(return_X_y=True)
        order = np.random.default_rng(_ORDER).permutation(len(labels))
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
    rate: float
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Training:
    """A network, its optimizer, and the random numbers that shuffle the digits."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    shuffles: torch.Generator

    @classmethod
    def begin(cls) -> Self:
        """A new network, the same every time; torch's own random state stays untouched."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=_MOMENTUM)
        return cls(model, optimizer, torch.Generator().manual_seed(_SEED))

    def copy(self) -> Self:
        """The same training once more, to go on with in another way."""
        shuffles = torch.Generator()
        shuffles.set_state(self.shuffles.get_state())
        return type(self)(*copy.deepcopy((self.model, self.optimizer)), shuffles)

    def epochs(self, digits: Digits, rates: Sequence[float]) -> Iterator[Epoch]:
        """Train with stochastic gradient descent, one epoch per step of the iteration."""
        training = digits.training
        for number, rate in enumerate(rates, 1):
            self.optimizer.param_groups[0]["lr"] = rate
            order = torch.randperm(len(training.labels), generator=self.shuffles)
            losses = [
                self._step(training.pixels[batch], training.labels[batch])
                for batch in torch.split(order, _BATCH)
            ]
            loss = sum(losses) / len(losses)
            yield Epoch(number, rate, loss, accuracy(self.model, digits.held_out))

    def _step(self, pixels: Tensor, labels: Tensor) -> float:
        loss = nn.functional.cross_entropy(self.model(pixels), labels)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch gives it no types
        self.optimizer.step()
        return loss.item()


@torch.no_grad()
def accuracy(model: nn.Module, digits: Digits) -> float:
    """Return the share of digits that the model names right."""
    return float((model(digits.pixels).argmax(1) == digits.labels).float().mean())
