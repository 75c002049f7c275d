"""The gradients of the compiled activations: from the input, from the output, from bits."""

import math

import numpy as np
import pytest
import torch
from elementwise_cases import (
    every_dtype,
    every_half,
    every_level,
    every_truth,
    number_of,
    same_bits,
)

from hinge.kernels.elementwise import (
    KERNELS,
    Keeps,
    backward,
    derivative,
    forward,
    forward_with_bits,
)
from hinge.kernels.native import native

INF, NAN = math.inf, math.nan


@every_dtype
@pytest.mark.parametrize("length", [0, 1, 7, 8, 16, 23, 5000, 70_001])
def test_bits_say_where_the_slope_is_not_zero(length, dtype):
    x = (torch.randn(length) * 4).to(dtype)
    y, bits = forward_with_bits("hardsigmoid", x)
    assert same_bits(y, forward("hardsigmoid", x))
    assert bits.dtype == torch.uint8
    packed = np.packbits((x.abs() < 3).numpy(), bitorder="little")
    assert bits.numpy().tolist() == packed.tolist()
    gradient = torch.randn(length).to(dtype)
    expected = (gradient.float() * (x.abs() < 3) / 6).to(dtype)
    torch.testing.assert_close(
        backward("hardsigmoid", gradient, bits), expected, rtol=torch.finfo(dtype).eps, atol=0
    )


@every_level
def test_bits_at_every_level(level):
    x, gradient = torch.randn(100) * 4, torch.randn(100)
    y, bits = forward_with_bits("hardsigmoid", x)
    marks, out = torch.full_like(bits, 7), torch.full_like(x, 7)
    number = number_of("hardsigmoid")
    addresses = x.data_ptr(), y.data_ptr(), marks.data_ptr()
    native.forward_with_bits(number, *addresses, 100, 0, (), 1, level)
    assert torch.equal(bits, marks)
    addresses = gradient.data_ptr(), bits.data_ptr(), out.data_ptr()
    native.backward(number, *addresses, 100, 0, (), 1, level)
    assert torch.equal(out, backward("hardsigmoid", gradient, bits))


@every_truth
def test_backward_is_gradient_times_slope(truth):
    """From the input exactly; from the output to a few ulp of the largest slope."""
    if KERNELS[truth.name].keeps is Keeps.BITS:
        return
    x, gradient = torch.randn(3001) * 4, torch.randn(3001)
    slope = derivative(truth.name, x, truth.parameters)
    if KERNELS[truth.name].keeps is Keeps.INPUT:
        found = backward(truth.name, gradient, x, truth.parameters)
        assert torch.equal(found, gradient * slope)
    else:
        y = forward(truth.name, x, truth.parameters)
        found = backward(truth.name, gradient, y, truth.parameters)
        largest = max(1, *truth.parameters, 1.76 if truth.name == "selu" else 0)
        allowed = 5e-7 * gradient.abs() * slope.abs().clamp(min=largest)
        assert ((found - gradient * slope).abs() <= allowed).all()


@every_half
@every_truth
def test_backward_of_16_bits_is_gradient_times_slope(truth, dtype):
    if KERNELS[truth.name].keeps is not Keeps.INPUT:
        return
    x, gradient = (torch.randn(2, 3001) * 4).to(dtype)
    wide = derivative(truth.name, x.float(), truth.parameters)
    found = backward(truth.name, gradient, x, truth.parameters)
    assert torch.equal(found, (gradient.float() * wide).to(dtype))


@pytest.mark.parametrize("edge", [0.3, 0.7, 1.1])
@every_dtype
@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("relu_n", 1),
        ("hardtanh", 2),
        ("thresholded_relu", 1),
        ("shifted_relu", 1),
        ("hardshrink", 1),
        ("softshrink", 1),
    ],
)
def test_kinks_are_rounded_so_that_output_and_input_agree(name, many, dtype, edge):
    """An output at a kink that the dtype cannot hold tells no less than the input."""
    near = torch.tensor(edge).to(dtype)
    x = torch.cat([near + torch.arange(-9, 10) * torch.finfo(dtype).eps / 4, torch.randn(99)])
    x = torch.cat([x, -x]).to(dtype)
    parameters = (-edge, edge)[-many:]
    y = forward(name, x, parameters)
    found = backward(name, torch.ones_like(x), y, parameters)
    assert torch.equal(found, derivative(name, x, parameters))
    assert (float(near) in y.abs().tolist()) or name in (
        "thresholded_relu",
        "hardshrink",
        "softshrink",
    )


def test_a_slope_of_zero_stops_every_gradient():
    gradient = torch.tensor([INF, -INF, NAN, 1.0])
    assert backward("relu", gradient, torch.zeros(4)).tolist() == [0, 0, 0, 0]
    assert backward("hardswish", gradient, torch.full((4,), -5.0)).tolist() == [0, 0, 0, 0]
