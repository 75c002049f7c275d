"""The compiled gated units agree with their formulas in float64, and with torch's gradients."""

import math

import pytest
import torch
from kernel_truths import FLOATS, INF, NAN, at_every_level, close, flat, same_bits, values

from hinge.kernels import gated

NAMES = list(gated.GATES)
SHAPES = [((4, 64), 1), ((3, 70), -1), ((2, 6, 5, 7), 1), ((2, 34, 3), -2), ((2, 18), 0)]


def sigmoid(x):
    return torch.where(x == -INF, 0.0, torch.sigmoid(x))


def relu(x):
    return torch.where(x < 0, 0.0, x)


def gelu(x):
    return torch.where(x == -INF, 0.0, x * 0.5 * torch.special.erfc(-x / math.sqrt(2)))


def silu(x):
    return torch.where(x == -INF, 0.0, x * torch.sigmoid(x))


TRUTHS = {
    "glu": lambda a, b: a * sigmoid(b),
    "reglu": lambda a, b: relu(a) * b,
    "geglu": lambda a, b: gelu(a) * b,
    "swiglu": lambda a, b: silu(a) * b,
}


def slack(name, a, b):
    """What the product may lose where the gate is no normal float32."""
    factor = a if name == "glu" else b
    return torch.nan_to_num(factor.double().abs(), nan=0.0, posinf=0.0) * 2.0**-147


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_the_formula(monkeypatch, name, shape, dim, dtype):
    shape = torch.zeros(shape).chunk(2, dim)[0].shape
    gate, factor = values(shape, odd=True, dtype=dtype), values(shape, 1, dtype=dtype)
    x = torch.cat([factor, gate] if name == "glu" else [gate, factor], dim)
    assert gated.takes(x, dim)
    a, b = x.double().chunk(2, dim)
    for y in at_every_level(monkeypatch, gated, lambda: gated.forward(name, x, dim)):
        assert y.dtype == dtype
        close(y, TRUTHS[name](a, b), slack=slack(name, a, b))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_autograd_in_float64(monkeypatch, name, shape, dim, dtype):
    x = values(shape, 1, dtype=dtype)
    a, b = (half.double().requires_grad_() for half in x.chunk(2, dim))
    y = TRUTHS[name](a, b)
    gradient = values(y.shape, 2, dtype=dtype)
    truth = torch.autograd.grad(y, (a, b), gradient.double())
    # A derivative near its root is as exact as its terms are.
    other = [b, a] if name != "glu" else [torch.ones_like(b), a]
    bounds = torch.cat([1e-6 * (gradient * factor).abs().detach() for factor in other], dim)
    found = at_every_level(monkeypatch, gated, lambda: gated.backward(name, gradient, x, dim))
    for result in found:
        assert result.dtype == dtype
        close(result, torch.cat(truth, dim), slack=bounds)


@pytest.mark.parametrize("name", NAMES)
def test_separate_tensors_give_the_same_bits_as_halves(name):
    x, gradient = values((6, 200), odd=True), values((6, 100), 1)
    a, b = (half.contiguous() for half in x.chunk(2, 1))
    assert gated.takes_pair(a, b)
    same_bits([gated.forward_pair(name, a, b), gated.forward(name, x, 1)])
    pair = torch.cat(gated.backward_pair(name, gradient, a, b), 1)
    same_bits([pair, gated.backward(name, gradient, x, 1)])


@pytest.mark.parametrize("name", NAMES)
def test_threads_share_a_large_tensor(monkeypatch, name):
    x, gradient = values((3, 100_003, 2)), values((3, 100_003), 1)
    x = x.permute(0, 2, 1).contiguous()
    for function in (
        lambda: gated.forward(name, x, 1),
        lambda: gated.backward(name, gradient.unsqueeze(1), x, 1),
    ):
        found = at_every_level(monkeypatch, gated, function)
        for one, three in zip(found[::2], found[1::2], strict=True):
            same_bits([one, three])


def test_a_closed_gate_is_closed():
    """The limits: where the gate goes to zero so does a product with any number."""
    b = torch.tensor([2.0, -2.0, 0.0, 3e38])
    a = torch.full((4,), -INF)
    for name in ("reglu", "geglu", "swiglu"):
        assert (gated.forward_pair(name, a, b) == 0).all()
        for gradient in gated.backward_pair(name, torch.ones(4), a, b):
            assert (gradient == 0).all()
    assert (gated.forward_pair("glu", b, a) == 0).all()
    silu_at_minus_infinity = gated.forward_pair("swiglu", a, b)
    assert silu_at_minus_infinity.signbit().tolist() == [True, False, True, True]


@pytest.mark.parametrize("name", ["reglu", "geglu", "swiglu"])
def test_a_slope_of_zero_stops_every_gradient(name):
    gradient = torch.tensor([INF, -INF, NAN, 1.0])
    a, b = torch.full((4,), -200.0), torch.full((4,), 0.5)
    of_a, of_b = gated.backward_pair(name, gradient, a, b)
    assert of_a.tolist() == of_b.tolist() == [0.0] * 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", range(67))
def test_nan_comes_through_at_any_place(name, place):
    a, b, one = (torch.full((67,), 0.5) for _ in range(3))
    a[place] = NAN
    there = torch.arange(67) == place
    results = [gated.forward_pair(name, a, b), *gated.backward_pair(name, one, b, a)]
    assert (results[0].isnan() == there).all()
    assert results[1].isnan()[place] or results[2].isnan()[place]
    both = gated.backward_pair(name, one, a, b)
    assert any(gradient.isnan()[place] for gradient in both)
    assert not any(gradient.isnan()[~there].any() for gradient in flat((*results, *both)))


def test_glu_is_that_of_torch():
    x = values((5, 64))
    torch.testing.assert_close(gated.forward("glu", x, 1), torch.nn.functional.glu(x, 1))


@pytest.mark.parametrize("shape", [(0, 64), (3, 0), (2, 0, 5), (2, 64, 0)])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_nothing(name, shape):
    x = torch.zeros(shape)
    assert gated.takes(x, 1)
    y = gated.forward(name, x, 1)
    assert y.shape == (shape[0], shape[1] // 2, *shape[2:])
    assert gated.backward(name, y, x, 1).shape == shape


def test_any_layout_of_the_gradient():
    x = values((4, 64))
    expanded, plain = torch.ones(1, 1).expand(4, 32), torch.ones(4, 32)
    same_bits([gated.backward("swiglu", g, x, 1) for g in (expanded, plain)])


def test_what_it_takes():
    x = torch.zeros(4, 64)
    assert gated.takes(x, 1)
    assert gated.takes(x, 0)
    assert not gated.takes(torch.zeros(4, 63), 1)
    assert not gated.takes(torch.zeros(4, 6), 1)
    assert not gated.takes(x.T, 0)
    assert not gated.takes(x.double(), 1)
    assert not gated.takes(x.to("meta"), 1)
    assert not gated.takes(torch.zeros(()), 0)
    assert not gated.takes_pair(x, x.half())
    assert not gated.takes_pair(x, x[:3])
    assert not gated.takes_pair(x, x.T.contiguous().T)
