"""The watch on a GPU: the same counts as on the processor, and no step waits for the device."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

import hinge

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

EXACT = ("seen", "fired", "always", "live", "values", "nonfinite")


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(6 * 16, 20), nn.ReLU(inplace=True), nn.Linear(20, 3)),
    ).double()


def trained(model: nn.Module, device: str, *, careful: bool) -> hinge.Watch:
    """Train a few steps; ``careful``: an error if any but the first step waits for the device."""
    model = copy.deepcopy(model).to(device)
    generator = torch.Generator().manual_seed(1)
    data = torch.randn(40, 16, 2, 6, 6, dtype=torch.float64, generator=generator).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with hinge.watch(model, optimizer, every=4) as watch:
        for step, batch in enumerate(data):
            torch.cuda.set_sync_debug_mode("error" if careful and step else "default")
            optimizer.zero_grad()
            model(batch).square().mean().backward()
            optimizer.step()
        torch.cuda.set_sync_debug_mode("default")
    return watch


def test_the_counts_are_those_of_the_processor():
    model = small()
    here, there = (trained(model, device, careful=False).census for device in ("cpu", "cuda"))
    assert list(here) == list(there)
    for site, observed in here.items():
        for name in EXACT:
            np.testing.assert_array_equal(getattr(there[site], name), getattr(observed, name))
        for name in ("min", "max", "mean", "var", "strength"):
            np.testing.assert_allclose(getattr(there[site], name), getattr(observed, name), 1e-9)


def test_no_step_waits_for_the_device():
    watch = trained(small(), "cuda", careful=True)
    assert watch.step == 40
    assert watch.notes == ()
    assert watch.latest
