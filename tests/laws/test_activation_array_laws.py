"""What every activation promises on arrays: kinds, dtypes, limits, signs, gradients, twins."""

import functools

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import torch
from activation_cases import (
    breaks,
    every_call,
    every_case,
    every_kind,
    grid,
    made,
    points,
    read,
)
from activation_truths import limit, limit_of_slope


def precision(dtype):
    """The spacing of numbers next to 1."""
    return float(ml_dtypes.finfo(dtype).eps)


def assert_close(found, truth, dtype, ulps, least=5e-38):
    """Equal to within some units in the last place; JAX flushes what is about 1e-38 to 0."""
    least = max(least, float(ml_dtypes.finfo(dtype).smallest_subnormal))
    np.testing.assert_allclose(found, truth, rtol=ulps * precision(dtype), atol=least)


def sample(act, given, kind, dtype):
    """Points as the library holds them, and again as exact float64.

    Without the breaks that JAX and torch round: in float32, or in the dtype, they lie elsewhere.
    """
    chosen = read(made(points(act, given), kind, dtype))
    for at in breaks(act, given):
        for held in (float(np.float32(at)), *read(made([at], kind, dtype))):
            if kind != "numpy" and held != at:
                chosen = np.where(abs(chosen - held) < 1e-6, at + 0.25, chosen)
    x = made(chosen, kind, dtype)
    return x, read(x)


@every_kind
@every_call
def test_same_kind_and_value_as_in_float64(act, given, kind, dtype):
    x, exact = sample(act, given, kind, dtype)
    y = act(x, **given)
    assert type(y) is type(x)
    assert y.dtype == x.dtype
    assert y.shape == x.shape
    wide = read(made(act(exact, **given), kind, dtype))
    ulps = 10 if dtype in ("float32", "float64") else 0.51
    if kind == "torch" and dtype == "float32" and given:
        ulps = 40  # a parameter is rounded to float32, and an exponential enlarges that
    # in float32 a parameter is rounded, which shows next to a root of the function
    least = 2 * precision(dtype) if kind == "jax" and act.parameters else 5e-38
    assert_close(read(y), wide, dtype, ulps, least)


@every_kind
@every_call
def test_derivative_is_the_same_in_every_kind(act, given, kind, dtype):
    x, exact = sample(act, given, kind, dtype)
    slope = act.derivative(x, **given)
    assert type(slope) is type(x)
    assert slope.dtype == x.dtype
    wide = read(made(act.derivative(exact, **given), kind, dtype))
    eps = precision(dtype)
    np.testing.assert_allclose(read(slope), wide, rtol=16 * eps, atol=2 * eps)  # f' has roots


@every_kind
@every_call
def test_limits(act, given, kind, dtype):
    """At ±inf stands the limit, and the derivative's; NaN stays NaN, in any place."""
    y = read(act(made([-np.inf, np.inf], kind, dtype), **given))
    slope = read(act.derivative(made([-np.inf, np.inf], kind, dtype), **given))
    limits = np.array([limit(act, given, sign) for sign in (-1, 1)])
    np.testing.assert_allclose(y, read(made(limits, kind, dtype)), rtol=precision(dtype))
    coming = act(np.array([-100.0, 100.0]), **given) != 0  # zeros that are reached have no sign
    np.testing.assert_array_equal(np.signbit(y)[coming], np.signbit(limits)[coming])
    slopes = np.array([limit_of_slope(act, given, sign) for sign in (-1, 1)])
    expected = read(made(slopes, kind, dtype))
    np.testing.assert_allclose(slope, expected, rtol=precision(dtype), atol=1e-14)


@every_kind
@every_call
def test_nan_stays_nan_wherever_it_stands(act, given, kind, dtype):
    for length in (1, 24, 67):  # torch's vector body and its scalar tail differ
        x = np.linspace(-3, 3, length)
        x[[0, -1]] = np.nan
        assert np.array_equal(np.isnan(read(act(made(x, kind, dtype), **given))), np.isnan(x))
        slope = act.derivative(made(x, kind, dtype), **given)
        assert np.array_equal(np.isnan(read(slope)), np.isnan(x))


@every_kind
@every_call
def test_sign_of_zero_is_kept(act, given, kind, dtype):
    """Where the function rises through 0. A flat piece is +0, and so is the tip of |x|."""
    if act(0.0, **given) != 0:
        return
    steps = bool(getattr(act.form, "steps", ()))
    y = read(act(made([-0.0, 0.0] * 20, kind, dtype), **given))
    assert np.array_equal(y, np.zeros(40))
    left, right = act(np.array([-1e-9, 1e-9]), **given)
    if right > 0 >= left and not steps and not (left == 0 and right < 1e-12):
        assert np.array_equal(np.signbit(y), [True, False] * 20)


@every_kind
@every_call
def test_finite_at_the_extremes(act, given, kind, dtype):
    largest = float(ml_dtypes.finfo(dtype).max)
    x = made([-largest, -1e4, 1e4, largest], kind, dtype)
    y, slope = read(act(x, **given)), read(act.derivative(x, **given))
    assert not np.isnan(y).any()
    assert np.isfinite(y).all() or act.lipschitz(**given) > 1  # there the true value overflows
    bound = act.lipschitz(**given) * (1 + precision(dtype))
    assert np.all(abs(slope) <= bound)


@every_kind
@every_call
def test_every_element_stands_alone(act, given, kind, dtype):
    x = made([-7.5, -1.3, -0.2, 0.4, 2.5, 6.5, 31.0], kind, dtype)
    together = read(act(x, **given))
    alone = [float(read(act(x[i], **given))) for i in (0, 3, 6)]
    square = read(act(x[:6].reshape(2, 3), **given)).ravel()
    assert_close(np.array(alone), together[[0, 3, 6]], dtype, 4)
    assert_close(square, together[:6], dtype, 4)


@every_kind
@every_call
def test_the_input_is_not_touched(act, given, kind, dtype):
    x = made(points(act, given), kind, dtype)
    before = read(x).copy()
    if kind == "numpy":
        x.flags.writeable = False
    y = act(x, **given)
    act.derivative(x, **given)
    np.testing.assert_array_equal(read(x), before)
    if kind == "numpy":
        assert not np.shares_memory(x, y)
    elif kind == "torch":
        assert y.data_ptr() != x.data_ptr()


@every_case
def test_autograd_of_torch_gives_the_derivative(act, given):
    for dtype in ("float32", "float64"):
        held = [at for at in breaks(act, given) if read(made([at], "torch", dtype))[0] == at]
        x, _ = sample(act, given, "torch", dtype)
        x = torch.cat([x, made(held, "torch", dtype)]).requires_grad_()
        act(x, **given).sum().backward()
        expected = read(act.derivative(x, **given))
        # torch finds the slope of sigmoid and tanh from the output, which costs their tails
        np.testing.assert_allclose(read(x.grad), expected, rtol=1e-6, atol=2e-7)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
@every_call
def test_torch_differentiates_twice_forward_and_in_batches(act, given):
    x = torch.tensor([-3.1, -0.7, 0.4, 1.9, 7.2], dtype=torch.float64, requires_grad=True)
    function = functools.partial(act, **given)
    assert torch.autograd.gradcheck(function, x, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function, x)
    np.testing.assert_allclose(read(torch.func.vmap(function)(x)), read(function(x)))


@every_call
def test_grad_of_jax_gives_the_derivative(act, given):
    x = jnp.asarray([*grid(act, given, count=61), *breaks(act, given)], dtype=jnp.float32)
    slopes = jax.jit(jax.vmap(jax.grad(functools.partial(act, **given))))(x)
    np.testing.assert_allclose(slopes, act.derivative(x, **given), rtol=1e-6, atol=1e-7)
