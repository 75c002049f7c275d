"""What is kept for the backward pass: never more than torch keeps, and what the records promise."""

import pytest
import torch
from nn_cases import every_pair, image, large

import hinge.nn as hnn
from hinge.measuring import kept_bytes


def bytes_per_element(module, x):
    kept = kept_bytes(module, x)
    return (kept.input + kept.output + kept.extra) / x.numel()


@every_pair
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("data", [image, large])
def test_nothing_keeps_more_than_torch(ours, theirs, dtype, data):
    for module in (ours, theirs):
        if any(True for _ in getattr(module, "parameters", list)()):
            module.to(dtype)
    x = data(dtype)
    small = 64 / x.numel()  # a saved number or two
    assert bytes_per_element(ours, x) <= bytes_per_element(theirs, x) + small


@pytest.mark.parametrize("name", ["ELU", "SELU", "CELU", "Softplus", "SquaredReLU", "ReLUN"])
def test_the_output_is_kept_where_the_derivative_follows_from_it(name):
    x = large()
    kept = kept_bytes(getattr(hnn, name)(), x)
    assert (kept.input, kept.output, kept.extra) == (0, 4 * x.numel(), 0)


def test_a_bit_is_kept_where_one_bit_decides():
    x = large()
    assert bytes_per_element(hnn.Hardsigmoid(), x) == pytest.approx(1 / 8, rel=1e-3)
    assert bytes_per_element(hnn.CReLU(), x) == pytest.approx(2 / 8, rel=1e-2)


@pytest.mark.parametrize("module", [hnn.ReGLU(1), hnn.GEGLU(1), hnn.SwiGLU(1), hnn.GLU(1)])
def test_gates_keep_their_input_alone(module):
    x = large()
    kept = kept_bytes(module, x)
    assert (kept.input, kept.output, kept.extra) == (4 * x.numel(), 0, 0)


def test_random_slopes_are_not_kept():
    x = large()
    kept = kept_bytes(hnn.RReLU(), x)
    assert (kept.input, kept.output, kept.extra) == (0, 4 * x.numel(), 0)


@pytest.mark.parametrize("module", [hnn.PReLU(6), hnn.Swish(6), hnn.StarReLU(6), hnn.SReLU(6)])
def test_learned_ones_keep_their_input_and_their_parameters(module):
    x = large()
    kept = kept_bytes(module, x)
    assert (kept.input, kept.output, kept.extra) == (4 * x.numel(), 0, 0)


def test_without_gradients_nothing_is_kept():
    for module in (hnn.Mish(), hnn.CReLU(), hnn.SwiGLU(1), hnn.RReLU(), hnn.PReLU()):
        with torch.no_grad():
            assert module(large()).grad_fn is None
