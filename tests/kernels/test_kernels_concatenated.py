"""The compiled CReLU is the one composed of torch's ReLU, and its gradient keeps the convention."""

import pytest
import torch
from kernel_truths import FLOATS, INF, NAN, ODD, at_every_level, same_bits, values

from hinge.kernels import concatenated

SHAPES = [
    ((5, 33), 1),
    ((4, 8, 6), -2),
    ((3, 50), 0),
    ((2, 3, 16), 2),
    ((20,), 0),
    ((1, 1, 999), 1),
]


def composed(x, dim):
    return torch.cat([x.relu(), (-x).relu()], dim)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_values_are_those_of_torch(monkeypatch, shape, dim, dtype):
    x = values(shape, odd=True, dtype=dtype)
    assert concatenated.takes(x, dim)
    for y, _ in at_every_level(monkeypatch, concatenated, lambda: concatenated.forward(x, dim)):
        same_bits([y, composed(x, dim)])
    y, bits = concatenated.forward(x, dim, bits=False)
    same_bits([y, composed(x, dim)])
    assert bits is None


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_gradients_are_those_of_autograd(monkeypatch, shape, dim, dtype):
    x = values(shape, odd=True, dtype=dtype)
    x[x.isnan()] = 0.0
    leaf = x.clone().requires_grad_()
    y = composed(leaf, dim)
    gradient = values(y.shape, 1, dtype=dtype)
    (truth,) = torch.autograd.grad(y, leaf, gradient)

    def backward():
        return concatenated.backward(gradient, concatenated.forward(x, dim)[1], x.shape, dim)

    for result in at_every_level(monkeypatch, concatenated, backward):
        assert result.dtype == dtype
        assert torch.equal(result, truth)


def test_the_gradient_by_hand():
    x = torch.tensor([[2.0, -3.0, 0.0, -0.0, NAN, INF, -INF, 1e-40] + [0.0] * 8])
    gradient = torch.stack([torch.arange(1.0, 17), 100 * torch.arange(1.0, 17)])
    _, bits = concatenated.forward(x, 0)
    result = concatenated.backward(gradient, bits, x.shape, 0)[0]
    assert result.isnan().tolist() == [i == 4 for i in range(16)]
    assert result[~result.isnan()].tolist() == [1, -200, 0, 0, 6, -700, 8] + [0] * 8


@pytest.mark.parametrize("place", range(67))
def test_nan_comes_through_at_any_place(place):
    x = torch.full((1, 67), -1.0)
    x[0, place] = NAN
    there = torch.arange(67) == place
    y, bits = concatenated.forward(x, 0)
    assert torch.equal(y.isnan(), torch.stack([there, there]))
    result = concatenated.backward(torch.ones(2, 67), bits, x.shape, 0)
    assert torch.equal(result.isnan()[0], there)


@pytest.mark.parametrize(("shape", "dim"), [((77, 1999), 1), ((2, 64, 40, 41), 1)])
def test_threads_share_a_large_tensor(monkeypatch, shape, dim):
    x = values(shape)
    gradient = torch.cat([x, -2 * x], dim)

    def both():
        y, bits = concatenated.forward(x, dim)
        return y, concatenated.backward(gradient, bits, x.shape, dim)

    found = at_every_level(monkeypatch, concatenated, both)
    same_bits([*found, (composed(x, dim), x.clamp(min=0) - 2 * x.clamp(max=0) * -1)])


def test_two_bits_are_kept_of_each_value():
    _, bits = concatenated.forward(torch.ones(1000, 1000), 1)
    assert bits.dtype == torch.uint8
    assert bits.numel() <= 250_000 + 16


@pytest.mark.parametrize("shape", [(0, 64), (3, 0), (2, 0, 5), (2, 64, 0)])
def test_nothing_of_nothing(shape):
    x = torch.zeros(shape)
    assert concatenated.takes(x, 1)
    y, bits = concatenated.forward(x, 1)
    assert y.shape == (shape[0], 2 * shape[1], *shape[2:])
    assert concatenated.backward(y, bits, x.shape, 1).shape == shape


def test_any_layout_of_the_gradient():
    x = values((4, 64))
    _, bits = concatenated.forward(x, 1)
    expanded, plain = torch.ones(1, 1).expand(4, 128), torch.ones(4, 128)
    same_bits([concatenated.backward(g, bits, x.shape, 1) for g in (expanded, plain)])


def test_what_it_takes():
    x = torch.zeros(4, 64)
    assert concatenated.takes(x, 1)
    assert concatenated.takes(x, -2)
    assert not concatenated.takes(torch.zeros(64, 4), 1)
    assert not concatenated.takes(x.T, 0)
    assert not concatenated.takes(x.double(), 1)
    assert not concatenated.takes(x.to("meta"), 1)
    assert not concatenated.takes(torch.tensor(ODD[0]), 0)
