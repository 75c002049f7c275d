"""A model, its optimizer and all that an undo has to bring back, for the tests of structure."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Everything:
    """What a model and its optimizer are at one moment, down to the identity of objects."""

    def __init__(self, model, optimizer=None):
        self._model, self._optimizer = model, optimizer
        self._objects = self._identities()
        self._values = {key: value.clone() for key, value in model.state_dict().items()}
        self._state = copy.deepcopy(optimizer.state_dict()) if optimizer else None
        self._groups = self._held()

    def check_same(self):
        now = self._model.state_dict()
        assert list(now) == list(self._values)
        assert all(same_bits(now[key], value) for key, value in self._values.items())
        assert self._identities() == self._objects
        assert self._held() == self._groups
        if self._optimizer is not None:
            assert same_nested(self._optimizer.state_dict(), self._state)

    def _identities(self):
        modules = [
            (path, id(module), module.training)
            for path, module in self._model.named_modules(remove_duplicate=False)
        ]
        parameters = [(name, id(one)) for name, one in self._model.named_parameters()]
        functions = [
            (path, name, id(value))
            for path, module in self._model.named_modules()
            for name, value in sorted(vars(module).items())
            if callable(value)
        ]
        marks = [
            (getattr(m, "activation_relu_or_gelu", None), getattr(m, "use_nested_tensor", None))
            for m in self._model.modules()
        ]
        return modules, parameters, functions, marks

    def _held(self):
        if self._optimizer is None:
            return None
        return [
            ([id(p) for p in group["params"]], group.get("param_names"))
            for group in self._optimizer.param_groups
        ]


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)


def same_nested(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_nested(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same_nested, a, b))
    return same_bits(a, b) if isinstance(a, torch.Tensor) else a == b


def trained(model, x, kind=torch.optim.Adam, **options):
    """An optimizer that has taken two steps."""
    optimizer = kind(model.parameters(), lr=1e-3, **options)
    steps(model, optimizer, x)
    return optimizer


def steps(model, optimizer, x, number=2):
    for _ in range(number):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def perceptron(activation=nn.ReLU, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(4, 8), activation(), nn.Linear(8, 6), activation(), nn.Linear(6, 2)
    ).double()


def image_network(activation=nn.ReLU, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        activation(),
        nn.Conv2d(4, 5, 3, padding=1),
        activation(),
        nn.Flatten(),
        nn.Linear(5 * 16, 6),
        activation(),
        nn.Linear(6, 2),
    ).double()


def change(model, before, x):
    """The largest change of the outputs in eval mode."""
    training = model.training
    model.eval()
    with torch.no_grad():
        largest = float((model(x) - before).abs().max())
    model.train(training)
    return largest


def outputs(model, x):
    training = model.training
    model.eval()
    with torch.no_grad():
        out = model(x).clone()
    model.train(training)
    return out


def in_four_parts(error):
    parts = (error.what, error.where, error.found, error.do)
    return all(isinstance(part, str) and part for part in parts)
