"""Inputs and parameters: floats, scalars, one value per channel, and everything refused."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from hinge.activations import elu, gelu, leaky_relu, prelu, relu, relu6, silu
from hinge.errors import DataError, OptionError, UnsupportedError

REFUSED = [
    np.arange(3),
    np.array([1 + 2j]),
    np.array([True]),
    np.array(["1"]),
    np.array([1.0], dtype=object),
    torch.arange(3),
    torch.tensor([1j]),
    jnp.arange(3),
    [1.0, 2.0],
    1,
    None,
]


@pytest.mark.parametrize("x", REFUSED, ids=lambda x: f"{type(x).__name__}")
@pytest.mark.parametrize("act", [relu, elu, prelu])
def test_what_is_no_real_array_is_refused(act, x):
    for call in (act, act.derivative):
        with pytest.raises(DataError) as caught:
            call(x)
        error = caught.value
        assert error.where == f"{act.name}(x)"
        assert all((error.what, error.found, error.do))


def test_the_error_names_the_dtype():
    with pytest.raises(DataError, match="int64"):
        relu(torch.arange(3))


BAD_PARAMETERS = [
    (relu, {"negative_slope": 0.1}),
    (leaky_relu, {"slope": 0.1}),
    (leaky_relu, {"negative_slope": float("nan")}),
    (leaky_relu, {"negative_slope": float("inf")}),
    (leaky_relu, {"negative_slope": "0.1"}),
    (leaky_relu, {"negative_slope": True}),
    (leaky_relu, {"negative_slope": np.array([0.1, 0.2, 0.3])}),
    (elu, {"alpha": -1.0}),
    (prelu, {"weight": None}),
    (prelu, {"weight": np.zeros((2, 3))}),
    (prelu, {"weight": np.zeros(4)}),
]


@pytest.mark.parametrize(("act", "given"), BAD_PARAMETERS)
def test_parameters_that_mean_nothing_are_refused(act, given):
    with pytest.raises(OptionError) as caught:
        act(np.zeros(3), **given)
    error = caught.value
    assert act.name in error.where
    assert all((error.what, error.found, error.do))


@pytest.mark.parametrize(
    ("lower", "upper"), [(1.0, 0.0), (np.nan, 1.0), (0.0, np.nan), ([0.0, 2.0], 1.0)]
)
def test_bounds_that_are_none_are_refused(lower, upper):
    for call in (gelu.interval, gelu.relax):
        with pytest.raises(DataError, match="lower ≤ upper"):
            call(lower, upper)


def test_a_relaxation_needs_finite_bounds():
    with pytest.raises(DataError, match="both finite"):
        relu.relax(-np.inf, 0.0)


def test_scalars_stay_what_they_are():
    assert type(relu(-1.5)) is float
    assert type(relu(np.float32(2))) is np.float32
    assert type(relu(np.float64(2))) is np.float64
    zero_rank = gelu(np.array(1.0, dtype=np.float16))
    assert (type(zero_rank), zero_rank.shape, zero_rank.dtype) == (np.ndarray, (), np.float16)
    assert relu(np.zeros((0, 3))).shape == (0, 3)


def test_strided_and_big_endian_arrays():
    x = np.linspace(-3, 9, 24).reshape(4, 6)[::2, ::-3]
    np.testing.assert_array_equal(relu6(x), np.clip(x, 0, 6))
    swapped = relu(x.astype(">f4"))
    assert swapped.dtype == np.dtype(">f4")


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, jnp.asarray])
def test_prelu_takes_one_weight_per_channel(kind):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    weight = np.array([0.0, 0.25, -0.5], dtype=np.float32).reshape(1, 3, 1, 1)
    truth = np.where(x > 0, x, weight * x)
    np.testing.assert_array_equal(np.asarray(prelu(kind(x), weight=kind(weight))), truth)
    slopes = np.asarray(prelu.derivative(kind(x), weight=kind(weight)))
    np.testing.assert_array_equal(slopes, np.where(x > 0, 1, weight))
    assert prelu.range(weight=weight) == (-np.inf, np.inf)
    assert prelu.lipschitz(weight=weight * 4) == 2
    assert not prelu.convex(weight=weight * 5)  # one of the slopes is above 1


def test_prelu_bounds_with_one_weight_per_channel():
    weight = np.array([0.0, 0.25, -0.5]).reshape(3, 1)
    lower, upper = np.full((3, 2), -2.0), np.full((3, 2), 3.0)
    low, high = prelu.interval(lower, upper, weight=weight)
    np.testing.assert_array_equal(low[:, 0], [0, -0.5, 0])
    np.testing.assert_array_equal(high[:, 0], [3, 3, 3])
    (slope, below), (_, above) = prelu.relax(lower, upper, weight=weight)
    x = np.array([-2.0, 0.0, 3.0]).reshape(3, 1, 1)
    y = np.where(x > 0, x, weight * x)
    assert np.all(slope * x + below <= y)
    assert np.all(y <= slope * x + above)


def test_prelu_learns_its_weights_as_torch_does():
    x = torch.tensor([[-2.0, 0.0, 3.0], [-1.0, 5.0, -4.0]], requires_grad=True)
    twin = x.detach().clone().requires_grad_()
    weight = torch.tensor([0.0, 0.25, -0.5], requires_grad=True)
    theirs = weight.detach().clone().requires_grad_()
    prelu(x, weight=weight).square().sum().backward()
    torch.nn.functional.prelu(twin, theirs).square().sum().backward()
    torch.testing.assert_close(x.grad, twin.grad)
    torch.testing.assert_close(weight.grad, theirs.grad)


def test_a_weight_of_zero_meets_infinity():
    x = torch.tensor([-torch.inf, torch.inf])
    weight = torch.zeros(1, requires_grad=True)
    assert prelu(x, weight=weight).tolist() == [0, torch.inf]


def test_torch_modules_take_their_parameters():
    weight = torch.tensor([0.1, 0.2], dtype=torch.float64).reshape(1, 2, 1)
    module = prelu.torch_module(weight=weight)
    assert module.weight.dtype == torch.float64
    x = torch.randn(3, 2, 4, dtype=torch.float64)
    torch.testing.assert_close(module(x), prelu(x, weight=weight))
    assert leaky_relu.torch_module(negative_slope=0.3).negative_slope == 0.3
    with pytest.raises(UnsupportedError, match="one value per channel"):
        prelu.torch_module(weight=np.zeros((2, 3)))


def test_values_flow_through_compiled_and_transformed_code():
    import jax  # noqa: PLC0415  beside its one use

    x = jnp.linspace(-3, 3, 7)
    np.testing.assert_allclose(jax.jit(silu)(x), silu(x), rtol=1e-6)
    with torch.inference_mode():
        assert silu(torch.zeros(2)).tolist() == [0, 0]


def test_numpy_users_do_not_pay_for_torch_or_jax():
    program = (
        "import sys, numpy, hinge.activations as a; a.gelu(numpy.zeros(3)); "
        "assert not {'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
