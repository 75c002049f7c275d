"""Bytes that autograd keeps, against what is known of torch's own functions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from hinge.errors import DataError
from hinge.measuring import Kept, kept_bytes

N = 1000
X = torch.randn(N)


def twice(x):
    """Saves its input for each factor."""
    return x * x


@pytest.mark.parametrize(
    ("function", "kept"),
    [
        (F.relu, Kept(input=0, output=4 * N, parameters=0, extra=0, elements=N)),
        (F.leaky_relu, Kept(4 * N, 0, 0, 0, N)),
        (lambda x: x.clone(), Kept(0, 0, 0, 0, N)),
        (nn.Identity(), Kept(0, 0, 0, 0, N)),
        (lambda x: F.relu(x) ** 2, Kept(0, 0, 0, 4 * N, N)),
        (lambda x: torch.cat([F.relu(x), F.relu(-x)]), Kept(0, 0, 0, 8 * N, 2 * N)),
        (nn.PReLU(), Kept(4 * N, 0, 4, 0, N)),
        (nn.RReLU(), Kept(4 * N, 0, 0, 4 * N, N)),
        (F.relu_, Kept(0, 4 * N, 0, 0, N)),
        (nn.ReLU(inplace=True), Kept(0, 4 * N, 0, 0, N)),
        (twice, Kept(4 * N, 0, 0, 0, N)),
        (lambda x: x[:10] * x[10:20], Kept(4 * N, 0, 0, 0, 10)),
        (lambda x: x.view(10, -1).exp(), Kept(0, 4 * N, 0, 0, N)),
        (lambda x: {"a": (x.exp(), 3), "b": [x.clone()]}, Kept(0, 4 * N, 0, 0, 2 * N)),
        (lambda x: checkpoint(lambda y: y.exp().sin(), x, use_reentrant=False), None),
    ],
)
def test_what_torch_is_known_to_keep(function, kept):
    found = kept_bytes(function, X)
    assert found == (kept or Kept(4 * N, 0, 0, 0, N))


def test_several_inputs():
    """The saved are a, b and silu(a), which b's gradient needs."""
    found = kept_bytes(lambda a, b: F.silu(a) * b, X, X)
    assert found == Kept(8 * N, 0, 0, 4 * N, N)
    assert found.per_element == 12


def test_parameters_are_told_apart_and_do_not_count_per_element():
    linear = nn.Linear(10, 20)
    found = kept_bytes(linear, torch.randn(5, 10))
    assert found == Kept(input=5 * 10 * 4, output=0, parameters=20 * 10 * 4, extra=0, elements=100)
    assert found.per_element == 2
    assert found.total == 200 + 800


def test_a_parameter_that_a_function_closes_over():
    weight = torch.randn(N, requires_grad=True)
    assert kept_bytes(lambda x: x * weight, X) == Kept(4 * N, 0, 4 * N, 0, N)


def test_half_as_wide_half_as_many():
    assert kept_bytes(F.relu, X.bfloat16()).per_element == 2


def test_nothing_is_left_behind():
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.ReLU(inplace=True))
    x = torch.randn(8, 4)
    before = {name: value.clone() for name, value in module.state_dict().items()}, x.clone()
    state = torch.random.get_rng_state()
    assert kept_bytes(module, x).total > 0
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(x, before[1])
    assert all(torch.equal(value, before[0][name]) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())


def test_it_counts_where_gradients_are_switched_off():
    with torch.no_grad():
        assert kept_bytes(F.relu, X).total == 4 * N


def test_integers_are_passed_on():
    embedding = nn.Embedding(7, 3)
    assert kept_bytes(embedding, torch.arange(5)).input == 5 * 8


def test_no_tensor_is_an_error_of_four_parts():
    with pytest.raises(DataError, match="no tensor"):
        kept_bytes(lambda x: x.sum().item(), X)


def test_it_reads_well():
    assert str(kept_bytes(F.relu, X)) == "4,000 bytes: output 4,000"
    assert str(kept_bytes(torch.clone, X)) == "0 bytes"
