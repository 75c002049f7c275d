"""The gated Triton kernels agree with float64, halves with pairs, and meet the gates' limits."""

import math

import pytest
import torch
import torch.nn.functional as F
from gpu_device import DTYPES, QUIET, assert_rounded, fenced, here

from hinge.kernels.gpu.gated import GATES, backward, backward_pair, forward, forward_pair

pytestmark = [QUIET, pytest.mark.usefixtures(fenced.__name__)]
INF, NAN = math.inf, math.nan
TRUTHS = {
    "glu": lambda a, b: a * torch.sigmoid(b),
    "reglu": lambda a, b: a.relu() * b,
    "geglu": lambda a, b: F.gelu(a) * b,
    "swiglu": lambda a, b: F.silu(a) * b,
}
NAMES = pytest.mark.parametrize("name", GATES)
SHAPES = pytest.mark.parametrize(
    ("shape", "dim"),
    [((5, 6, 7), 1), ((3, 2048), -1), ((3, 2050), 1), ((2,), 0), ((3000, 2), 1), ((70, 10, 3), -2)],
)


def case(shape, dim, dtype=torch.float32):
    """An input and a gradient."""
    random = torch.Generator().manual_seed(3)
    x = torch.randn(shape, generator=random) * 2
    gradient = torch.randn(x.chunk(2, dim)[0].shape, generator=random)
    return here(x, dtype), here(gradient, dtype)


def gate_and_linear(name, gate, linear):
    """The halves (a, b) with a given gate."""
    gate, linear = here(gate), here(linear)
    return (gate, linear) if GATES[name].first else (linear, gate)


def test_all_units_have_a_truth():
    assert set(TRUTHS) == set(GATES)


@NAMES
@SHAPES
def test_torch_in_float64_says_the_same(name, shape, dim):
    x, gradient = case(shape, dim)
    exact = x.double().cpu().requires_grad_()
    value = TRUTHS[name](*exact.chunk(2, dim))
    value.backward(gradient.double().cpu())
    close = {"rtol": 1e-6, "atol": 1e-6}
    found = forward(name, x, dim).double().cpu()
    torch.testing.assert_close(found, value.detach(), **close)
    found = backward(name, gradient, x, dim).double().cpu()
    torch.testing.assert_close(found, exact.grad, **close)


@NAMES
@SHAPES
def test_pairs_are_halves(name, shape, dim):
    x, gradient = case(shape, dim)
    a, b = (half.contiguous() for half in x.chunk(2, dim))
    assert torch.equal(forward_pair(name, a, b), forward(name, x, dim))
    gradients = torch.cat(backward_pair(name, gradient, a, b), dim)
    assert torch.equal(gradients, backward(name, gradient, x, dim))


@NAMES
def test_nothing_is_overwritten(name):
    x, gradient = case((9, 8), 1)
    before = x.clone(), gradient.clone()
    first = backward(name, gradient, x, 1)
    assert torch.equal(backward(name, gradient, x, 1), first)
    assert torch.equal(x, before[0])
    assert torch.equal(gradient, before[1])


@NAMES
@DTYPES
def test_other_dtypes_are_rounded_once(name, dtype):
    x, gradient = case((31, 66), 1, dtype)
    assert_rounded(forward(name, x, 1), forward(name, x.float(), 1))
    assert_rounded(backward(name, gradient, x, 1), backward(name, gradient.float(), x.float(), 1))


@NAMES
def test_a_finite_linear_part_meets_the_gates_limit(name):
    pair = gate_and_linear(name, [-INF, -INF, INF, INF], [3.0, -3.0, 3.0, -3.0])
    limit = 3.0 if name == "glu" else INF
    assert forward_pair(name, *pair).tolist() == [0, 0, limit, -limit]


@NAMES
def test_an_infinite_linear_part_passes_what_is_open(name):
    gates = [-200.0, -3.0, 3.0, 200.0]
    values = forward_pair(name, *gate_and_linear(name, gates, [INF] * 4)).tolist()
    below = {"glu": INF, "reglu": 0.0}.get(name, -INF)
    assert values == [below, below, INF, INF]


@NAMES
def test_at_a_root_of_the_gate_infinity_has_no_limit(name):
    value = forward_pair(name, *gate_and_linear(name, [0.0], [INF]))
    assert value.isnan().all() if name != "glu" else value.isposinf().all()


@NAMES
def test_nan_stays(name):
    x = here([[NAN, 1.0, 1.0, 1.0], [1.0, 1.0, NAN, 1.0]])
    assert forward(name, x, 1).isnan().tolist() == [[True, False]] * 2
    gradient = backward(name, torch.ones_like(x[:, :2]), x, 1)
    assert gradient[:, ::2].isnan().any(1).all()
    assert not gradient[:, 1::2].isnan().any()


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (2, 4, 0)])
def test_of_nothing_comes_nothing(shape):
    x = here(torch.zeros(shape))
    y = forward("swiglu", x, 1)
    assert y.shape == x.chunk(2, 1)[0].shape
    assert backward("swiglu", y, x, 1).shape == x.shape


def test_the_slope_of_relu_at_zero_is_zero():
    x = here([[0.0, 5.0], [-0.0, 5.0]])
    gradient = backward("reglu", here([[1.0], [1.0]]), x, 1)
    assert gradient.tolist() == [[0, 0], [0, 0]]
