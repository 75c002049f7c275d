"""The Triton kernels with learned parameters agree with torch's autograd in float64."""

import math

import pytest
import torch
from gpu_device import DTYPES, QUIET, assert_rounded, fenced, here

from hinge.kernels.gpu import per_channel
from hinge.kernels.gpu.per_channel import FUNCTIONS, backward, forward

pytestmark = [QUIET, pytest.mark.usefixtures(fenced.__name__)]
INF, NAN = math.inf, math.nan


def srelu(x, t_l, a_l, t_r, a_r):
    right = t_r + a_r * (x - t_r)
    return torch.where(x >= t_r, right, torch.where(x <= t_l, t_l + a_l * (x - t_l), x))


TRUTHS = {
    "prelu": lambda x, weight: torch.where(x > 0, x, weight * x),
    "star_relu": lambda x, scale, bias: scale * x.relu() ** 2 + bias,
    "srelu": srelu,
}
NAMES = pytest.mark.parametrize("name", FUNCTIONS)
SHAPES = pytest.mark.parametrize(
    "shape",
    [(5, 6, 7), (3000, 5), (4, 3, 100), (2, 3, 40, 70), (1, 1), (2, 1500, 2), (9,)],
    ids=str,
)


def case(name, shape, channels):
    """An input, its parameters, and a gradient."""
    random = torch.Generator().manual_seed(6)
    x = torch.randn(shape, generator=random)
    numbers = torch.rand((FUNCTIONS[name].parameters, channels), generator=random)
    if name == "srelu":
        numbers += torch.tensor([[-1.5], [-0.5], [0.5], [-0.5]])
    parameters = tuple(here(row) for row in numbers)
    return here(x), parameters, here(torch.randn(shape, generator=random))


@NAMES
@SHAPES
@pytest.mark.parametrize("shared", [True, False])
def test_autograd_in_float64_says_the_same(name, shape, shared):
    channels = 1 if shared or len(shape) < 2 else shape[1]
    x, parameters, gradient = case(name, shape, channels)
    exact = x.double().cpu().requires_grad_()
    numbers = [p.double().cpu().requires_grad_() for p in parameters]
    across = (-1, *[1] * (len(shape) - 2)) if channels > 1 else (-1,)
    value = TRUTHS[name](exact, *[number.view(across) for number in numbers])
    value.backward(gradient.double().cpu())
    close = {"rtol": 1e-5, "atol": 2e-6}
    found = forward(name, x, parameters)
    torch.testing.assert_close(found.double().cpu(), value.detach(), **close)
    of_x, of_parameters = backward(name, gradient, x, parameters)
    torch.testing.assert_close(of_x.double().cpu(), exact.grad, **close)
    for found, number in zip(of_parameters, numbers, strict=True):
        scale = float(number.grad.abs().max()) + 1
        torch.testing.assert_close(found.double().cpu(), number.grad, rtol=1e-5, atol=2e-6 * scale)


@NAMES
@pytest.mark.parametrize("programs", [1, 3, 10**9])
def test_any_number_of_programs_sums_alike(monkeypatch, name, programs):
    """A program goes down several tiles where there are more than enough of them."""
    x, parameters, gradient = case(name, (1111, 7), 7)
    expected = backward(name, gradient, x, parameters)
    monkeypatch.setattr(per_channel, "PROGRAMS", programs)
    found = backward(name, gradient, x, parameters)
    assert torch.equal(found[0], expected[0])
    for ours, theirs in zip(found[1], expected[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)


@NAMES
@pytest.mark.parametrize("shape", [(3000, 5), (4, 3, 100)])
def test_sums_are_the_same_bits_every_time(name, shape):
    x, parameters, gradient = case(name, shape, shape[1])
    before = x.clone(), gradient.clone()
    first, second = (backward(name, gradient, x, parameters)[1] for _ in range(2))
    assert all(map(torch.equal, first, second))
    assert torch.equal(x, before[0])
    assert torch.equal(gradient, before[1])


@NAMES
@DTYPES
def test_other_dtypes_are_rounded_once(name, dtype):
    x, parameters, gradient = case(name, (7, 6, 70), 6)
    x, gradient = x.to(dtype), gradient.to(dtype)
    assert_rounded(forward(name, x, parameters), forward(name, x.float(), parameters))
    of_x, of_parameters = backward(name, gradient, x, parameters)
    in_float32, sums = backward(name, gradient.float(), x.float(), parameters)
    assert_rounded(of_x, in_float32)
    assert all(map(torch.equal, of_parameters, sums))


@NAMES
@pytest.mark.parametrize("shape", [(0, 4), (3, 4, 0)])
def test_of_nothing_comes_nothing(name, shape):
    x, parameters, gradient = case(name, shape, 4)
    assert forward(name, x, parameters).shape == shape
    of_x, of_parameters = backward(name, gradient, x, parameters)
    assert of_x.shape == shape
    assert [p.tolist() for p in of_parameters] == [[0] * 4] * len(parameters)


def test_parameters_keep_their_shape_and_dtype():
    x, (weight,), gradient = case("prelu", (5, 6, 7), 6)
    weight = weight.bfloat16().view(6, 1)
    (found,) = backward("prelu", gradient, x, (weight,))[1]
    assert (found.shape, found.dtype) == (weight.shape, weight.dtype)


def test_the_slopes_at_kinks():
    ones = torch.ones
    at_zero = here([0.0, -0.0])
    of_x, (of_weight,) = backward("prelu", here(ones(2)), at_zero, (here([0.25]),))
    assert (of_x.tolist(), of_weight.item()) == ([0.25, 0.25], 0)
    at_thresholds = here([-1.0, 1.0])
    numbers = tuple(here([number]) for number in (-1.0, 0.25, 1.0, 0.5))
    of_x, _ = backward("srelu", here(ones(2)), at_thresholds, numbers)
    assert of_x.tolist() == [0.25, 0.5]


def test_numbers_that_go_wrong():
    x = here([NAN, INF, -INF, -0.0, 0.0])
    y = forward("prelu", x, (here([0.25]),))
    assert y[0].isnan()
    assert y[1:].tolist() == [INF, -INF, 0, 0]
    assert torch.signbit(y[3:]).tolist() == [True, False]
    assert forward("prelu", x, (here([0.0]),))[1:].tolist() == [INF, 0, 0, 0]
    y = forward("srelu", x, tuple(here([number]) for number in (-1.0, 0.0, 1.0, 0.0)))
    assert y[0].isnan()
    assert y[1:].tolist() == [1, -1, 0, 0]
    of_x, _ = backward("prelu", torch.ones_like(x), x, (here([0.25]),))
    assert of_x[0].isnan()
    assert of_x[1:].tolist() == [1, 0.25, 0.25, 0.25]
