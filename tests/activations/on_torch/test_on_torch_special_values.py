"""Kernels, torch's own functions and the formulas agree at infinities, at zeros and at NaN."""

import itertools

import numpy as np
import pytest
import torch

from hinge.activations import all_activations, geglu, glu, reglu, swiglu

SPECIAL = [-np.inf, -3e38, -1e4, -200.0, -9.0, -1.0, -1e-30, -0.0, 0.0, 1e-30, 1.0, 9.0, 200.0]
SPECIAL += [1e4, 3e38, np.inf, np.nan]


@pytest.mark.parametrize("copies", [1, 20_000], ids=["few", "many"])
@pytest.mark.parametrize("act", all_activations(), ids=lambda act: act.name)
def test_elementwise(act, copies):
    x = np.repeat(np.array(SPECIAL, np.float32), copies)
    with np.errstate(all="ignore"):
        wanted, slope = act(x), act.derivative(x)
    given = torch.from_numpy(x)
    found = act(given).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-38)
    rising = ~np.isnan(wanted) & ((wanted != 0) | (slope > 0))  # elsewhere no zero has a sign
    assert np.array_equal(np.signbit(found)[rising], np.signbit(wanted)[rising])
    found = act.derivative(given).numpy()
    np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-38)
    leaf = given.clone().requires_grad_()
    act(leaf).sum().backward()
    numbers = ~np.isnan(x)
    np.testing.assert_allclose(leaf.grad.numpy()[numbers], slope[numbers], rtol=1e-5, atol=3e-7)


@pytest.mark.parametrize("copies", [1, 200], ids=["few", "many"])
@pytest.mark.parametrize("kin", [glu, reglu, geglu, swiglu], ids=lambda kin: kin.name)
def test_gated(kin, copies):
    pairs = np.array(list(itertools.product(SPECIAL, SPECIAL)), np.float32)
    x = np.repeat(pairs, copies, 0).T.copy()
    with np.errstate(all="ignore"):
        wanted = kin(x, dim=0)
    found = kin(torch.from_numpy(x), dim=0).numpy()
    assert np.array_equal(np.isnan(found), np.isnan(wanted))
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-38)
