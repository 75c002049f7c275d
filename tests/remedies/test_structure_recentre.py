"""Inputs recentred inside the model: the same function, and a first layer that sees mean 0."""

import pytest
import torch
from structure_cases import (
    Everything,
    change,
    image_network,
    in_four_parts,
    outputs,
    perceptron,
    random,
    steps,
    trained,
)
from torch import nn

from hinge.errors import HingeError, UnsupportedError
from hinge.remedies.layering.recentre import recentre

CONVOLUTIONS = {
    "plain": (nn.Conv2d(4, 6, 3), (9, 4, 7, 7)),
    "no bias": (nn.Conv2d(4, 6, 3, bias=False), (9, 4, 7, 7)),
    "groups": (nn.Conv2d(4, 6, 3, stride=2, dilation=2, groups=2), (9, 4, 7, 7)),
    "valid": (nn.Conv2d(4, 6, 3, padding="valid"), (9, 4, 7, 7)),
    "same, of one": (nn.Conv2d(4, 6, 1, padding="same"), (9, 4, 7, 7)),
    "circular": (nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), (9, 4, 7, 7)),
    "reflect": (nn.Conv1d(4, 6, 3, padding=1, padding_mode="reflect"), (9, 4, 7)),
    "replicate": (nn.Conv3d(2, 3, 2, padding=1, padding_mode="replicate"), (5, 2, 3, 3, 3)),
}


def read_by(layer, model, x):
    found = []
    handle = layer.register_forward_pre_hook(lambda m, a: found.append(a[0]))
    outputs(model, x)
    handle.remove()
    return torch.cat(found)


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolutions_are_preserved_everywhere(case):
    layer, shape = CONVOLUTIONS[case]
    torch.manual_seed(0)
    model = nn.Sequential(layer, nn.ReLU()).double()
    x, other = random(*shape) + 5, 3 * random(*shape, seed=8)
    before, had = outputs(model, other), Everything(model)
    receipt = recentre(model, x)
    assert receipt.preserves == "everywhere"
    assert change(model, before, other) <= 1e-12
    seen = read_by(layer, model, x)
    assert float(seen.mean((0, *range(2, seen.ndim))).abs().max()) <= 1e-12
    receipt.undo()
    had.check_same()


@pytest.mark.parametrize("shape", [(9, 4), (9, 5, 4)])
def test_linear_layers_are_preserved_everywhere(shape):
    model, other = perceptron(), 3 * random(*shape, seed=8)
    x = random(*shape) + 5
    before, layer = outputs(model, other), model[0]
    receipt = recentre(model, x)
    assert receipt.preserves == "everywhere"
    assert change(model, before, other) <= 1e-12
    seen = read_by(layer, model, x).flatten(0, -2)
    assert float(seen.mean(0).abs().max()) <= 1e-12


@pytest.mark.parametrize("padding", [1, (0, 1), "same"])
def test_zeros_around_the_input_break_the_promise_and_are_measured(padding):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(4, 6, 3, padding=padding), nn.ReLU()).double()
    x = random(9, 4, 7, 7) + 5
    before = outputs(model, x)
    receipt = recentre(model, x)
    assert receipt.preserves == "no"
    assert receipt.moved == change(model, before, x) > 0.01
    assert any("zeros" in note for note in receipt.notes)


def test_the_gradient_is_that_of_centred_inputs():
    model, x = perceptron(), random(30, 4) + 50
    layer = model[0]
    recentre(model, x)
    made = []
    layer.register_forward_hook(lambda m, a, out: made.append(out))
    model(x).square().sum().backward()
    back = torch.autograd.grad(model(x).square().sum(), made[1])[0]
    assert torch.allclose(layer.weight.grad, back.T @ (x - x.mean(0)), rtol=1e-9, atol=1e-9)


class TwoReaders(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.deep = nn.Linear(4, 3), nn.Linear(4, 3, bias=False), nn.Linear(3, 3)

    def forward(self, x):
        return self.deep(torch.relu(self.a(x))) + self.b(x)


def test_every_reader_of_the_input_and_none_else_is_changed():
    torch.manual_seed(0)
    model, x = TwoReaders().double(), random(20, 4) + 4
    optimizer = trained(model, x)
    before, had = outputs(model, 2 * x), Everything(model, optimizer)
    receipt = recentre(model, x, optimizer=optimizer)
    assert change(model, before, 2 * x) <= 1e-12
    assert type(model.deep) is nn.Linear
    assert any("b.layer.bias" in said for said in receipt.changes)
    receipt.undo()
    had.check_same()


def test_training_goes_on_after_it_and_after_undo():
    model, x = image_network(), random(20, 3, 6, 6) + 3
    optimizer = trained(model, x)
    first = model[0]
    receipt = recentre(model, x, optimizer=optimizer)
    weight = first.weight.clone()
    steps(model, optimizer, x)
    assert not torch.equal(first.weight, weight)
    receipt.undo()
    assert list(model.state_dict()) == list(image_network().state_dict())
    steps(model, optimizer, x)


class Reused(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(4, 4)

    def forward(self, x):
        return self.line(torch.relu(self.line(x)))


def tied():
    model = TwoReaders().double()
    model.b.bias = model.a.bias
    return model


@pytest.mark.parametrize(
    "model",
    [
        nn.Linear(4, 3).double(),
        nn.Sequential(nn.ReLU(), nn.Linear(4, 3)).double(),
        Reused().double(),
        tied(),
        nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))).double(),
        nn.Sequential(nn.Flatten(), nn.ReLU()),
    ],
)
def test_what_cannot_be_recentred_is_refused_and_left(model):
    before = Everything(model)
    with pytest.raises(UnsupportedError) as error:
        recentre(model, random(9, 4))
    assert in_four_parts(error.value)
    before.check_same()


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": random(9, 5)},
        {"data": random(0, 4)},
        {"data": "x"},
        {"data": random(9, 4), "optimizer": 1},
    ],
)
def test_bad_input_is_told_in_four_parts_and_nothing_is_done(arguments):
    model = perceptron()
    before = Everything(model)
    with pytest.raises(HingeError) as error:
        recentre(model, **arguments)
    assert in_four_parts(error.value)
    before.check_same()
