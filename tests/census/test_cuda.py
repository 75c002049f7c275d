"""On an accelerator the counts are those of the processor."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import hinge

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")

COUNTS = ("seen", "fired", "always", "live", "values", "zeros", "nonfinite", "min", "max")


@pytest.fixture
def model():
    """Whole weights and whole data: sums are exact on every device."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3)),
        *(nn.ReLU6(inplace=True), nn.Flatten(), nn.Linear(6 * 4, 10), nn.LeakyReLU()),
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((parameter * 8).round())
        model[0].bias[:3] = -1000
    return model


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_counts_equal_those_of_the_processor(model, dtype):
    x = torch.randint(-1, 2, (300, 2, 8, 8)).float()
    here = hinge.observe(model.to(dtype), x.to(dtype), gradients=100)
    there = hinge.observe(copy.deepcopy(model).cuda(), x.to(dtype), gradients=100)
    for site in here:
        for name in COUNTS:
            assert np.array_equal(getattr(here[site], name), getattr(there[site], name)), name
        np.testing.assert_allclose(here[site].var, there[site].var, rtol=1e-4)
    assert set(np.flatnonzero(there["1"].verdicts() == "dead")) >= {0, 1, 2}


def test_nan_inside(model):
    with torch.no_grad():
        model[0].weight[4] = float("nan")
    observed = hinge.observe(model.cuda(), torch.randn(20, 2, 8, 8))["1"]
    assert observed.nonfinite.tolist() == [0, 0, 0, 0, 20, 0, 0, 0]


def test_the_random_state_of_the_device_is_restored():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU()).cuda()
    before = torch.cuda.get_rng_state()
    hinge.observe(model, torch.randn(5, 3), forward=lambda m, x: m(x + torch.rand_like(x)))
    assert torch.equal(before, torch.cuda.get_rng_state())


def test_a_compiled_model(model):
    x = torch.randint(-1, 2, (64, 2, 8, 8)).float().cuda()
    expected = hinge.observe(model.cuda(), x)
    compiled = torch.compile(model)
    compiled(x)
    assert np.array_equal(hinge.observe(compiled, x)["1"].fired, expected["1"].fired)
