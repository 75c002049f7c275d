"""The elementwise Triton kernels agree with float64, have the right limits, and lose no tail."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from gpu_device import DTYPES, QUIET, assert_rounded, fenced, here, ulps
from scipy.special import log_ndtr, ndtr

from hinge.kernels.gpu import launch
from hinge.kernels.gpu.elementwise import KERNELS, backward, forward

pytestmark = [QUIET, pytest.mark.usefixtures(fenced.__name__)]
INF, NAN = math.inf, math.nan
LARGEST = float(np.finfo(np.float32).max)
C = 2 * math.sqrt(2 / math.pi)


def gate(z):
    """The logistic function."""
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1.0) / (1 + e)


def gated(x, z, rise):
    """x·σ(z), and its derivative where ``rise`` is z'."""
    return x * gate(z), gate(z) * (1 + x * rise * gate(-z))


def gelu(x):
    tail = np.exp(log_ndtr(-np.abs(x)))  # ndtr itself loses digits far out
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return np.where(x < 0, x * tail, x - x * tail), ndtr(x) + x * density


def mish(x):
    e = np.exp(-np.abs(x))
    tanh = np.where(x < 0, e * (e + 2) / (e * (e + 2) + 2), (1 + 2 * e) / (1 + 2 * e + 2 * e * e))
    sech = np.where(x < 0, 2 * (1 + e) / (e * (e + 2) + 2), 2 * e * (1 + e) / (1 + 2 * e * (1 + e)))
    return x * tanh, tanh + x * gate(x) * sech**2


def squareplus(x, b):
    root = np.sqrt(x * x + b)
    value = np.where(x < 0, b / 2 / (root + np.abs(x)), (x + root) / 2)
    return value, value / root


def tanhshrink(x):
    small = np.abs(x) < 0.02
    series = x**3 * (1 / 3 - x**2 * (2 / 15 - x**2 * 17 / 315))
    return np.where(small, series, x - np.tanh(x)), np.tanh(x) ** 2


TRUTHS = {
    "silu": lambda x, beta: gated(x, beta * x, beta),
    "quick_gelu": lambda x: gated(x, 1.702 * x, 1.702),
    "gelu": gelu,
    "gelu_tanh": lambda x: gated(x, C * (x + 0.044715 * x**3), C * (1 + 3 * 0.044715 * x**2)),
    "mish": mish,
    "tanhshrink": tanhshrink,
    "softsign": lambda x: (x / (1 + np.abs(x)), 1 / (1 + np.abs(x)) ** 2),
    "squareplus": squareplus,
    "hardswish": lambda x: (
        x * np.clip((x + 3) / 6, 0, 1),
        np.where(x <= -3, 0, np.where(x >= 3, 1, (2 * x + 3) / 6)),
    ),
    "squared_relu": lambda x: (np.maximum(x, 0) ** 2, 2 * np.maximum(x, 0)),
    "star_relu": lambda x, s, b: (s * np.maximum(x, 0) ** 2 + b, 2 * s * np.maximum(x, 0)),
}
PARAMETERS = {"silu": (1.0,), "squareplus": (4.0,), "star_relu": (0.75, 0.5)}
NAMES = pytest.mark.parametrize("name", KERNELS)


def points(limit=INF):
    """Numbers of every size, and many where the functions bend and fade."""
    size = np.geomspace(1e-44, min(limit, LARGEST), 2001)
    return np.concatenate(
        [size, -size, np.linspace(-30, 30, 4001), np.linspace(-110, -80, 1501), [0.0]]
    ).astype(np.float32)


def parts(name, x, parameters=None):
    """The kernel's values and slopes at x."""
    given = PARAMETERS.get(name, ()) if parameters is None else parameters
    x = here(x)
    return forward(name, x, given), backward(name, torch.ones_like(x), x, given)


def true(name, x, parameters=None):
    given = PARAMETERS.get(name, ()) if parameters is None else parameters
    with np.errstate(all="ignore"):
        return TRUTHS[name](x.astype(np.float64), *given)


def test_all_kernels_have_a_truth():
    assert set(TRUTHS) == set(KERNELS)


@NAMES
def test_values_are_within_four_ulp_everywhere(name):
    x = points(1e30 if name == "gelu_tanh" else INF)
    assert ulps(parts(name, x)[0], true(name, x)[0]).max() <= 4


@NAMES
def test_slopes_keep_their_tails(name):
    """Within 8 ulp where nothing cancels, and always within 8 ulp of 1."""
    x = points(1e30 if name == "gelu_tanh" else INF)
    slopes, truth = parts(name, x)[1], true(name, x)[1]
    far = np.abs(x) > 6
    assert ulps(slopes[torch.from_numpy(far).to(slopes.device)], truth[far]).max() <= 8
    near = np.abs(slopes.double().cpu().numpy() - truth)[~far]
    assert (near / np.maximum(1, np.abs(truth[~far]))).max() <= 8 * 2**-24


@pytest.mark.parametrize("beta", [0.5, 1.702, 2.0, 30.0, 0.01])
def test_silu_takes_any_positive_beta(beta):
    x = points(1e30)
    values, slopes = parts("silu", x, (beta,))
    truth, slope = true("silu", x, (beta,))
    assert ulps(values, truth).max() <= 4
    assert np.abs(slopes.double().cpu().numpy() - slope).max() <= 8 * 2**-24


def test_silu_takes_zero_and_negative_beta():
    x = here([-INF, -2.0, -0.0, 0.0, 2.0, INF])
    torch.testing.assert_close(forward("silu", x, (0.0,)), x / 2, rtol=0, atol=0)
    torch.testing.assert_close(forward("silu", x, (-1.0,)), -forward("silu", -x, (1.0,)))


@pytest.mark.parametrize("b", [0.0, 1e-6, 0.3, 100.0])
def test_squareplus_takes_any_b(b):
    x = points(1e15)
    x = x[np.abs(x) > 1e-15] if b == 0 else x
    assert (
        ulps(
            parts("squareplus", x, (b,))[0], true("squareplus", x, (np.float32(b) * 1.0,))[0]
        ).max()
        <= 4
    )


LIMITS = {  # values at -inf and inf, slopes there
    **dict.fromkeys(("silu", "quick_gelu", "gelu", "gelu_tanh", "mish"), (-0.0, INF, 0.0, 1.0)),
    "hardswish": (-0.0, INF, 0.0, 1.0),
    "tanhshrink": (-INF, INF, 1.0, 1.0),
    "softsign": (-1.0, 1.0, 0.0, 0.0),
    "squareplus": (0.0, INF, 0.0, 1.0),
    "squared_relu": (0.0, INF, 0.0, INF),
    "star_relu": (0.5, INF, 0.0, INF),
}


@NAMES
def test_limits(name):
    values, slopes = parts(name, [-INF, INF])
    found = [*values.tolist(), *slopes.tolist()]
    assert found == list(LIMITS[name])
    assert math.copysign(1, found[0]) == math.copysign(1, LIMITS[name][0])


@NAMES
def test_nan_stays(name):
    values, slopes = parts(name, [NAN, 1.0])
    assert values.isnan().tolist() == slopes.isnan().tolist() == [True, False]


@pytest.mark.parametrize("name", sorted(set(KERNELS) - {"squareplus", "star_relu"}))
def test_zeros_keep_their_signs(name):
    values, _ = parts(name, [0.0, -0.0])
    assert values.tolist() == [0, 0]
    assert torch.signbit(values).tolist() == [False, True]


@NAMES
def test_where_the_slope_is_zero_no_gradient_passes(name):
    x = here([-INF, INF])
    found = backward(name, torch.full_like(x, INF), x, PARAMETERS.get(name, ()))
    assert not found.isnan().any()
    assert (found[here(LIMITS[name][2:]) == 0] == 0).all()


TORCH = {
    "silu": lambda x, beta: x * torch.sigmoid(beta * x),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "mish": F.mish,
    "tanhshrink": F.tanhshrink,
    "softsign": F.softsign,
    "squareplus": lambda x, b: (x + (x * x + b).sqrt()) / 2,
    "hardswish": F.hardswish,
    "squared_relu": lambda x: x.relu() ** 2,
    "star_relu": lambda x, s, b: s * x.relu() ** 2 + b,
}


@NAMES
def test_torch_in_float64_says_the_same(name):
    x = torch.linspace(-7.93, 7.91, 501)
    gradient = torch.randn(501, generator=torch.Generator().manual_seed(1))
    given = PARAMETERS.get(name, ())
    exact = x.double().requires_grad_()
    value = TORCH[name](exact, *given)
    value.backward(gradient.double())
    close = {"rtol": 1e-5, "atol": 1e-6}
    found = forward(name, here(x), given).double().cpu()
    torch.testing.assert_close(found, value.detach(), **close)
    found = backward(name, here(gradient), here(x), given).double().cpu()
    torch.testing.assert_close(found, exact.grad, **close)


@NAMES
@DTYPES
def test_other_dtypes_are_rounded_once(name, dtype):
    x = here(torch.linspace(-12, 12, 1777), dtype)
    gradient = here(torch.linspace(1, 3, 1777), dtype)
    given = PARAMETERS.get(name, ())
    assert_rounded(forward(name, x, given), forward(name, x.float(), given))
    in_float32 = backward(name, gradient.float(), x.float(), given)
    assert_rounded(backward(name, gradient, x, given), in_float32)


@pytest.mark.parametrize("size", [0, 1, 2, launch.TILE - 1, launch.TILE, 2 * launch.TILE + 1])
def test_any_size_will_do(size):
    x = here(torch.linspace(-4, 4, 3 * launch.TILE))
    whole = forward("mish", x)
    part, before = x[:size].clone(), whole.clone()
    assert torch.equal(forward("mish", part), before[:size])
    gradient = torch.ones_like(part)
    assert torch.equal(
        backward("mish", gradient, part), backward("mish", torch.ones_like(x), x)[:size]
    )
    assert torch.equal(part, x[:size])
    assert torch.equal(gradient, torch.ones_like(part))


def test_shapes_and_strided_gradients():
    x = here(torch.randn(5, 6, 7))
    gradient = here(torch.randn(5, 7, 6)).mT
    assert forward("silu", x, (1.0,)).shape == x.shape
    found = backward("silu", gradient, x, (1.0,))
    assert torch.equal(found, backward("silu", gradient.contiguous(), x, (1.0,)))


def test_a_wrong_number_of_parameters_is_refused():
    x = here([1.0])
    with pytest.raises(ValueError, match="silu takes beta, not 0 values"):
        forward("silu", x)
    with pytest.raises(ValueError, match="gelu takes no parameters, not 1 values"):
        backward("gelu", x, x, (1.0,))
    with pytest.raises(KeyError):
        forward("no such", x)
