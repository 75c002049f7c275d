"""RReLU draws its slopes as stated: uniform, repeatable, its own for each element."""

import pytest
import torch
from nn_cases import image, large
from scipy.stats import kstest

import hinge.nn as hnn


def slopes(module, x):
    y = module(x)
    return (y / x)[x < 0].detach()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_slopes_are_uniform(dtype):
    torch.manual_seed(0)
    drawn = slopes(hnn.RReLU(0.1, 0.4), large().sub(9).to(dtype)).double()
    assert 0.1 - 2e-3 <= drawn.min() < drawn.max() <= 0.4 + 2e-3
    if dtype in (torch.float32, torch.float64):
        assert kstest(drawn[:20000].numpy(), "uniform", args=(0.1, 0.3)).pvalue > 1e-3


@pytest.mark.parametrize("data", [image, large])
def test_a_seed_repeats_them_and_the_next_call_does_not(data):
    x, module = data(), hnn.RReLU()
    torch.manual_seed(7)
    first, second = module(x), module(x)
    torch.manual_seed(7)
    assert torch.equal(module(x), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("data", [image, large])
@pytest.mark.parametrize("lower", [0.125, -0.5])
def test_the_gradient_is_the_slope_that_was_drawn(data, lower):
    x = data().requires_grad_()
    y = hnn.RReLU(lower, 0.75)(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, (y / x).detach(), rtol=1e-5, atol=1e-6)


def test_positive_inputs_pass():
    x = large().abs()
    assert torch.equal(hnn.RReLU()(x), x)


def test_without_training_the_slope_is_the_mean():
    x = large()
    torch.testing.assert_close(
        hnn.RReLU(0.2, 0.4).eval()(x), torch.nn.functional.leaky_relu(x, 0.3)
    )


def test_checkpoints_draw_the_same_again():
    module, x = hnn.RReLU(), large().requires_grad_()
    y = torch.utils.checkpoint.checkpoint(module, x, use_reentrant=False)
    y.sum().backward()
    torch.testing.assert_close(x.grad, (y / x).detach(), rtol=1e-5, atol=1e-6)


def test_vmap_asks_whether_examples_share_their_slopes():
    x, module = -torch.ones(4, 5000), hnn.RReLU()
    with pytest.raises(RuntimeError, match="randomness"):
        torch.func.vmap(module)(x)
    same = torch.func.vmap(module, randomness="same")(x)
    assert torch.equal(same[0], same[1])
    other = torch.func.vmap(module, randomness="different")(x)
    assert not torch.equal(other[0], other[1])
