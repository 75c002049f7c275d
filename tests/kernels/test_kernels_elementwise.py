"""The compiled activations are right to the last digits and at the edges, at every level."""

import math

import numpy as np
import pytest
import torch
from elementwise_cases import (
    DEFAULTS,
    at_level,
    every_dtype,
    every_half,
    every_kernel,
    every_level,
    every_truth,
    same_bits,
)
from elementwise_truths import TRUTHS, spacing

from hinge.kernels.elementwise import KERNELS, Keeps, backward
from hinge.kernels.native import native

INF, NAN = math.inf, math.nan


def float32_values():
    """Every 40009th float32, and more of them where the functions bend."""
    patterns = np.arange(0, 2**32, 40009, dtype=np.uint32).view(np.float32)
    bends = [np.linspace(-reach, reach, 20001, dtype=np.float32) for reach in (1.5, 16, 110)]
    values = np.concatenate([patterns, *bends])
    return torch.from_numpy(values[np.isfinite(values)])


def all_values(dtype):
    """All 65536 values of a type of 16 bits."""
    return torch.arange(-(2**15), 2**15).to(torch.int16).view(dtype)


def errors(found, exact, dtype):
    """By how many units in the last place; what is too large for the dtype must be infinite."""
    facts = torch.finfo(dtype)
    unit = spacing(exact, facts.eps, facts.tiny * facts.eps)
    edge = facts.max * (1 + facts.eps / 4)  # beyond it lies nothing but infinity
    with np.errstate(invalid="ignore"):
        off = np.where(abs(exact) >= edge, found != np.copysign(INF, exact), found - exact) / unit
    return abs(off)


def test_every_kernel_has_a_truth():
    assert DEFAULTS.keys() == KERNELS.keys()
    for truth in TRUTHS:
        assert len(truth.parameters) == len(KERNELS[truth.name].parameters)


@every_level
@every_truth
def test_values_are_within_4_ulp(truth, level):
    x = float32_values()
    exact = truth.value(x.double().numpy())
    found = at_level(native.forward, truth, x, level).double().numpy()
    assert errors(found, exact, torch.float32).max() <= 4


@every_level
@every_truth
def test_slopes_are_within_8_ulp_away_from_their_roots(truth, level):
    x = float32_values()
    at = x.double().numpy()
    exact = truth.slope(at)
    found = at_level(native.derivative, truth, x, level).double().numpy()
    near_root = abs(at - truth.root) < abs(truth.root) / 2
    assert errors(found, exact, torch.float32)[~near_root].max() <= 8
    assert abs(found - exact)[near_root].max(initial=0) <= 1e-7


@every_level
@every_half
@every_truth
def test_all_values_of_16_bits_are_within_1_ulp(truth, dtype, level):
    x = all_values(dtype)
    x = x[x.isfinite()]
    at = x.double().numpy()
    value, slope = truth.value(at), truth.slope(at)
    with np.errstate(invalid="ignore"):
        found = at_level(native.forward, truth, x, level).double().numpy()
        steep = at_level(native.derivative, truth, x, level).double().numpy()
    assert errors(found, value, dtype).max() <= 1
    near_root = abs(at - truth.root) < abs(truth.root) / 2
    assert errors(steep, slope, dtype)[~near_root].max() <= 1
    assert abs(steep - slope)[near_root].max(initial=0) <= torch.finfo(dtype).eps / 2


def limit_of(y):
    """Where what is y at 1e30 goes to."""
    y = np.where(abs(y) > 1e20, np.copysign(INF, y), y)
    return np.where(abs(y) < 1e-20, 0, y)


@every_dtype
@every_level
@every_truth
def test_limits(truth, level, dtype):
    ends = torch.tensor([-INF, INF], dtype=dtype)
    far = np.array([-1e30, 1e30])
    with np.errstate(over="ignore"):
        value, slope = truth.value(far), truth.slope(far)
    value, slope = limit_of(value), limit_of(slope)
    found = at_level(native.forward, truth, ends, level)
    assert found.tolist() == torch.from_numpy(value).to(dtype).tolist()
    assert at_level(native.derivative, truth, ends, level).tolist() == pytest.approx(
        torch.from_numpy(slope).to(dtype).tolist(), rel=torch.finfo(dtype).eps, abs=1e-38
    )


@every_level
@pytest.mark.parametrize("name", ["silu", "quick_gelu", "gelu", "gelu_tanh", "mish", "hardswish"])
def test_they_come_from_below_at_minus_infinity(name, level):
    found = at_level(native.forward, DEFAULTS[name], torch.tensor([-INF, -3e38]), level)
    assert found.tolist() == [0, 0]
    assert found.signbit().all()


@every_level
@pytest.mark.parametrize(
    ("name", "low", "x", "exact"),
    [
        ("silu", -92, -90.0, -90 * math.exp(-90)),
        ("mish", -92, -90.0, -90 * math.exp(-90)),
        ("gelu", -13, -12.9, -12.9 * math.erfc(12.9 / math.sqrt(2)) / 2),
        ("hardswish", -3, 3e38, 3e38),
        ("gelu", -13, 3e38, 3e38),
        ("gelu_tanh", -10, 3e38, 3e38),
    ],
)
def test_nothing_is_flushed_and_nothing_overflows(name, low, x, exact, level):
    """Where torch gives 0, inf or NaN."""
    found = at_level(native.forward, DEFAULTS[name], torch.tensor([x], dtype=torch.float32), level)
    assert float(found) == pytest.approx(exact, rel=1e-5)


@every_dtype
@every_level
@every_truth
def test_nan_stays_nan_wherever_it_stands(truth, level, dtype):
    for length in (1, 16, 24, 67):
        x = torch.linspace(-3, 3, length).to(dtype)
        x[[0, length // 2, -1]] = NAN
        for function in (native.forward, native.derivative):
            assert torch.equal(at_level(function, truth, x, level).isnan(), x.isnan())
        if KERNELS[truth.name].keeps is not Keeps.BITS:
            pulled = backward(truth.name, torch.ones_like(x), x, truth.parameters)
            assert pulled[x.isnan()].isnan().all()


@every_dtype
@every_level
@every_truth
def test_zero_keeps_its_sign(truth, level, dtype):
    zeros = torch.tensor([-0.0, 0.0] * 20, dtype=dtype)
    found = at_level(native.forward, truth, zeros, level)
    if found[0] == 0:
        signs = torch.zeros(40, dtype=torch.bool) if truth.name == "abs" else zeros.signbit()
        assert torch.equal(found.signbit(), signs)


@every_dtype
@every_level
@every_kernel
def test_every_element_stands_alone(truth, level, dtype):
    x = (torch.randn(700) * 5).to(dtype)
    for function in (native.forward, native.derivative):
        whole = at_level(function, truth, x, level)
        for first, length in [(0, 1), (3, 15), (5, 16), (1, 33), (9, 511), (30, 600)]:
            part = at_level(function, truth, x[first : first + length].clone(), level)
            assert same_bits(part, whole[first : first + length])
