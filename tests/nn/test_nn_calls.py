"""Calls that are easily forgotten: with odd devices, numbers and gradients."""

import pytest
import torch
from torch.nn import functional as F

import hinge.nn as hnn
from hinge.nn import functional

SIZES = {
    "ReLU6": 1 << 22,
    "GELU": 4096,
    "GLU": 65536,
    "CReLU": 65536,
    "Swish": 4096,
    "RReLU": 65536,
}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_results_lie_where_the_input_does(name, size):
    """Whatever device torch makes new tensors on."""
    module = getattr(hnn, name)()
    x = torch.randn(16, size // 16, requires_grad=True)
    with torch.device("meta"):
        y = module(x)
        y.sum().backward()
    assert y.is_cpu
    assert x.grad.is_cpu


@pytest.mark.parametrize("name", ["GELU", "GLU"])
def test_a_gradient_whose_sign_is_pending(name):
    found = []
    for one in (getattr(hnn, name)(), getattr(torch.nn, name)()):
        x = torch.linspace(-3, 3, 40_000).requires_grad_()
        y = one(x)
        y.backward(torch._neg_view(torch.ones_like(y)))
        found.append(x.grad)
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-6)


def test_a_tensor_for_a_number_is_read_at_each_call():
    x, slope = torch.tensor([-1.0]), torch.tensor(0.25)
    assert functional.leaky_relu(x, slope).item() == -0.25
    slope.fill_(0.5)
    assert functional.leaky_relu(x, slope).item() == -0.5


def test_a_learned_function_of_one_number_bends():
    x = torch.tensor(0.7, requires_grad=True)
    bends = []
    for function in (hnn.Swish(), F.silu):
        (slope,) = torch.autograd.grad(function(x), x, create_graph=True)
        bends.append(torch.autograd.grad(slope, x)[0])
    torch.testing.assert_close(*bends)


@pytest.mark.parametrize(("dtype", "value"), [(torch.float16, 300.0), (torch.float32, 3e19)])
def test_a_small_scale_saves_a_square_from_overflow(dtype, value):
    module = hnn.StarReLU(scale=0.0078125, bias=0.0).to(dtype)
    wanted = 0.0078125 * torch.tensor(value, dtype=dtype).double().item() ** 2
    found = module(torch.full((8,), value, dtype=dtype))
    torch.testing.assert_close(found.double(), torch.full((8,), wanted).double(), rtol=1e-3, atol=0)
