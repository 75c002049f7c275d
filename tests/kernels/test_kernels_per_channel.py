"""The compiled learned functions and all their gradients agree with formulas in float64."""

import pytest
import torch
from kernel_truths import (
    FLOATS,
    INF,
    NAN,
    AtLevel,
    at_every_level,
    close,
    flat,
    same_bits,
    spacing,
    values,
)

from hinge.kernels import per_channel
from hinge.kernels.native import native

NAMES = list(per_channel.PARAMETERS)
BANDWIDTH = 0.5
SHAPES = [(7,), (3, 5), (40, 33), (2, 3, 4, 5), (2, 3, 8, 9), (3, 70, 5), (2, 2, 1001), (1, 600)]
RANGES = {
    "prelu": [(-0.5, 0.5)],
    "swish": [(-2.0, 2.0)],
    "star_relu": [(0.5, 1.5), (-0.5, 0.5)],
    "srelu": [(-1.5, -0.5), (-0.2, 0.8), (0.5, 1.5), (-0.2, 0.8)],
    "jump_relu": [(0.2, 1.0)],
}


def relu(x):
    return torch.where(x > 0, x, 0.0)


def srelu(x, t_l, a_l, t_r, a_r):
    left, right = t_l + a_l * (x - t_l), t_r + a_r * (x - t_r)
    return torch.where(x >= t_r, right, torch.where(x <= t_l, left, x))


TRUTHS = {
    "prelu": lambda x, w: torch.where(x > 0, x, w * x),
    "swish": lambda x, beta: x * torch.sigmoid(beta * x),
    "star_relu": lambda x, scale, bias: scale * relu(x) ** 2 + bias,
    "srelu": srelu,
    "jump_relu": lambda x, threshold: torch.where(x > threshold, x, 0.0),
}


def drawn(name, size, dtype=torch.float32):
    """Parameters of a function, `size` values each."""
    random = torch.Generator().manual_seed(3)
    return tuple(
        (low + (high - low) * torch.rand(size, generator=random)).to(dtype)
        for low, high in RANGES[name]
    )


def wide(parameters, x):
    """Parameters in float64, shaped to act on x."""
    shape = (1, -1, *[1] * (x.dim() - 2)) if x.dim() > 1 else (-1,)
    return [p.double().reshape(shape).requires_grad_() for p in parameters]


def jump_gradients(gradient, x, threshold):
    """By the estimate: the derivative in the threshold is no derivative of the formula."""
    inside = (x - threshold).abs() < BANDWIDTH / 2
    return gradient * (x > threshold), -gradient * threshold / BANDWIDTH * inside


def swish_gradients(gradient, x, beta):
    """Without the difference 1 − σ, whose digits are lost also in float64."""
    right, left = torch.sigmoid(beta * x), torch.sigmoid(-beta * x)
    return gradient * right * (1 + beta * x * left), gradient * x**2 * right * left


BY_HAND = {"jump_relu": jump_gradients, "swish": swish_gradients}


def true_gradients(name, gradient, x, parameters):
    """The gradients in float64: of x, and of each parameter before they are summed."""
    x, gradient = x.double().requires_grad_(), gradient.double()
    each = [p.expand(x.shape).detach().requires_grad_() for p in wide(parameters, x)]
    if name in BY_HAND:
        found = BY_HAND[name](gradient, x.detach(), *(p.detach() for p in each))
    else:
        y = TRUTHS[name](x, *each)
        found = torch.autograd.grad(y, (x, *each), gradient)
    return found[0], found[1:]


def summed(total, size):
    """A parameter's gradients summed over all but its channels."""
    if size == 1:
        return total.sum().reshape(1)
    return total.sum([axis for axis in range(total.dim()) if axis != 1])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_the_formula(monkeypatch, name, shared, shape, dtype):
    size = 1 if shared or len(shape) == 1 else shape[1]
    x, parameters = values(shape, dtype=dtype), drawn(name, size)
    assert per_channel.takes(x, parameters)
    wider = [p.detach() for p in wide(parameters, x)]
    truth = TRUTHS[name](x.double(), *wider)
    # Where terms cancel, the ulps are those of the terms.
    terms = [x.double().abs(), *(p.abs() for p in wider)] if name in ("srelu", "star_relu") else []
    slack = sum(4 * spacing(term, torch.float32) for term in terms)
    for y in at_every_level(
        monkeypatch, per_channel, lambda: per_channel.forward(name, x, parameters)
    ):
        assert y.dtype == dtype
        close(y, truth, slack=slack)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_autograd_in_float64(monkeypatch, name, shared, shape, dtype):
    size = 1 if shared or len(shape) == 1 else shape[1]
    x, gradient = values(shape, dtype=dtype), values(shape, 1, dtype=dtype)
    parameters = drawn(name, size)
    dx, each = true_gradients(name, gradient, x, parameters)

    def backward():
        return per_channel.backward(name, gradient, x, parameters, bandwidth=BANDWIDTH)

    for found, sums in at_every_level(monkeypatch, per_channel, backward):
        assert found.dtype == dtype
        close(found, dx, slack=1e-6 * gradient.double().abs())
        for got, p, terms in zip(sums, parameters, each, strict=True):
            assert got.dtype == p.dtype
            assert got.shape == p.shape
            close(got, summed(terms, size), slack=2e-6 * summed(terms.abs(), size))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(4, 6, 5, 3), (3, 40, 9, 9), (2, 4, 3, 5, 6)])
def test_channels_last_gives_the_same_values(name, shape):
    order = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
    x, gradient, parameters = values(shape), values(shape, 1), drawn(name, shape[1])
    last = x.contiguous(memory_format=order)
    assert per_channel.takes(last, parameters)
    y = per_channel.forward(name, last, parameters)
    assert y.is_contiguous(memory_format=order)
    assert torch.equal(y, per_channel.forward(name, x, parameters))
    one, of_one = per_channel.backward(name, gradient, x, parameters, bandwidth=BANDWIDTH)
    two, of_two = per_channel.backward(name, gradient, last, parameters, bandwidth=BANDWIDTH)
    assert torch.equal(one, two)
    assert two.is_contiguous(memory_format=order)
    _, each = true_gradients(name, gradient, x, parameters)
    for sums in (of_one, of_two):
        for got, terms in zip(sums, each, strict=True):
            truth, bound = summed(terms, shape[1]), summed(terms.abs(), shape[1])
            close(got, truth, slack=2e-6 * bound)


@pytest.mark.parametrize("shape", [(500_003,), (700, 300), (4, 3, 50_000), (9, 7, 100, 100)])
@pytest.mark.parametrize("name", NAMES)
def test_any_number_of_threads_gives_the_same_bits(monkeypatch, name, shape):
    size = shape[1] if len(shape) > 1 else 1
    x, gradient, parameters = values(shape), values(shape, 1), drawn(name, size)

    def both():
        return (
            per_channel.forward(name, x, parameters),
            per_channel.backward(name, gradient, x, parameters),
        )

    found = at_every_level(monkeypatch, per_channel, both)
    for one, three in zip(found[::2], found[1::2], strict=True):
        same_bits([one, three])


def test_a_long_sum_keeps_its_digits():
    """Summed in float32 one after the other, 4 million ones and halves would lose theirs."""
    x = torch.full((2**22,), -0.1)
    weight = torch.tensor([0.25])
    _, (total,) = per_channel.backward("prelu", torch.ones_like(x), x, (weight,))
    assert total.item() == pytest.approx(float(x[0].double()) * 2**22, rel=1e-6)


def test_the_parameters_keep_their_dtypes():
    x = values((6, 5), dtype=torch.bfloat16)
    for dtype in FLOATS:
        weight = torch.nn.Parameter(torch.full((5,), 0.25, dtype=dtype))
        assert per_channel.takes(x, (weight,))
        y = per_channel.forward("prelu", x, (weight,))
        torch.testing.assert_close(y, torch.nn.functional.leaky_relu(x, 0.25))
        found, (total,) = per_channel.backward("prelu", x, x, (weight,))
        assert (found.dtype, total.dtype) == (torch.bfloat16, dtype)


def test_the_derivatives_at_the_kinks():
    def slopes(name, x, *parameters):
        x = torch.tensor(x)
        parameters = tuple(torch.tensor([p]) for p in parameters)
        return per_channel.backward(name, torch.ones_like(x), x, parameters)[0].tolist()

    assert slopes("prelu", [0.0, -0.0], 0.25) == [0.25, 0.25]
    assert slopes("star_relu", [0.0, -0.0], 1.0, 0.0) == [0.0, 0.0]
    assert slopes("srelu", [-1.0, -0.5, 1.0], -1.0, 0.125, 1.0, 0.25) == [0.125, 1.0, 0.25]
    assert slopes("jump_relu", [0.5, 0.75], 0.5) == [0.0, 1.0]


def test_a_slope_of_zero_stops_every_gradient():
    gradient, x = torch.tensor([INF, -INF, NAN]), torch.full((3,), -2.0)
    for name, parameters in (("star_relu", (1.0, 0.0)), ("jump_relu", (0.5,)), ("prelu", (0.0,))):
        given = tuple(torch.tensor([p]) for p in parameters)
        found, sums = per_channel.backward(name, gradient, x, given)
        assert found.tolist() == [0.0] * 3
        assert sums[0].item() == 0.0 or name == "prelu"


def test_the_estimate_of_the_threshold_is_a_rectangle():
    x = torch.tensor([0.0, 0.76, 0.9, 1.0, 1.24, 1.26, NAN])
    for value in x[:-1]:
        _, (found,) = per_channel.backward(
            "jump_relu",
            torch.tensor([3.0]),
            value.reshape(1),
            (torch.tensor([1.0]),),
            bandwidth=0.5,
        )
        assert found.item() == (-6.0 if 0.75 < value < 1.25 else 0.0)


@pytest.mark.parametrize("shared", [True, False])
def test_infinities_have_their_limits(shared):
    x = torch.tensor([[-INF, -INF, -INF], [INF, INF, INF]])
    parameter = (lambda p: torch.tensor([p])) if shared else (lambda p: torch.full((3,), p))

    def at(name, *parameters):
        return per_channel.forward(name, x, tuple(map(parameter, parameters)))[:, 0].tolist()

    assert at("prelu", 0.0) == [0.0, INF]
    assert at("prelu", 0.5) == [-INF, INF]
    assert at("swish", 1.5) == [0.0, INF]
    assert at("swish", -1.5) == [-INF, 0.0]
    assert at("swish", 0.0) == [-INF, INF]
    assert at("star_relu", 1.0, 0.5) == [0.5, INF]
    assert at("star_relu", 0.0, 0.5) == [0.5, 0.5]
    assert at("srelu", -1.0, 0.0, 2.0, 0.0) == [-1.0, 2.0]
    assert at("srelu", -1.0, 0.5, 2.0, -0.5) == [-INF, -INF]
    assert at("jump_relu", 0.5) == [0.0, INF]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", range(0, 67, 3))
def test_nan_comes_through_at_any_place(name, place):
    x = torch.full((1, 67), 0.75)
    x[0, place] = NAN
    for size in (1, 67):
        parameters = drawn(name, size)
        y = per_channel.forward(name, x, parameters)
        dx, _ = per_channel.backward(name, torch.ones_like(x), x, parameters)
        for result in (y, dx):
            assert torch.equal(result[0].isnan(), torch.arange(67) == place)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (4, 5, 0), (2, 0)])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_nothing(name, shape):
    x = torch.zeros(shape)
    sizes = {1, shape[1]} if len(shape) > 1 else {1}
    for size in sizes:
        parameters = drawn(name, size)
        assert per_channel.takes(x, parameters)
        assert per_channel.forward(name, x, parameters).shape == shape
        dx, sums = per_channel.backward(name, x, x, parameters)
        assert dx.shape == shape
        assert all(total.tolist() == [0.0] * size for total in sums)


def test_any_layout_of_the_gradient():
    x, parameters = values((4, 6, 5, 3)), drawn("prelu", 6)
    expanded, plain = torch.ones(1).expand(x.shape), torch.ones(x.shape)
    same_bits([per_channel.backward("prelu", g, x, parameters) for g in (expanded, plain)])


def test_what_it_takes():
    x, one, five = torch.zeros(4, 5, 3, 2), torch.zeros(1), torch.zeros(5)
    assert per_channel.takes(x, (one,))
    assert per_channel.takes(x, (five, five))
    assert per_channel.takes(x.contiguous(memory_format=torch.channels_last), (five,))
    assert per_channel.takes(x, (torch.zeros(()),))
    assert not per_channel.takes(x, (one, five))
    assert not per_channel.takes(x, (torch.zeros(4),))
    assert not per_channel.takes(x.transpose(0, 3), (torch.zeros(5),))
    assert not per_channel.takes(torch.zeros(5), (five,))
    assert not per_channel.takes(x.double(), (one,))
    assert not per_channel.takes(x, (one.double(),))
    assert not per_channel.takes(x.to("meta"), (one,))


def test_an_unknown_function_or_level_is_refused(monkeypatch):
    x, one = torch.zeros(3), torch.zeros(1)
    with pytest.raises(ValueError, match="unknown to this kernel: relux"):
        per_channel.forward("relux", x, (one,))
    monkeypatch.setattr(per_channel, "native", AtLevel("mmx"))
    with pytest.raises(ValueError, match="no such instruction-set level"):
        per_channel.forward("prelu", x, (one,))
    assert flat(x)[0].numel() == 3
    assert "mmx" not in native.levels
