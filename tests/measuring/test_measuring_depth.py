"""The gradient that survives many layers, against what wide random networks are known to do."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from hinge.activations import find
from hinge.measuring.depth import DEPTH, surviving_gradient
from hinge.measuring.subject import module_of


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


@pytest.mark.parametrize("name", ["identity", "relu", "elu", "tanh", "sigmoid"])
def test_it_is_the_mean_field_s(name):
    """Per layer gain² E[f'(z)²] of the squared norm (Schoenholz et al., Deep Information
    Propagation, 2017, eq. 16), where the gain keeps z standard normal: not for GELU and its
    like, with which any deviation grows."""
    record = find(name)
    z = np.random.default_rng(0).standard_normal(1_000_000)
    per_layer = record.gain**2 * np.mean(record.derivative(z) ** 2)
    expected = per_layer ** ((DEPTH - 1) / 2)
    found = surviving_gradient(lambda: module_of(record, "torch"), record.gain)
    assert found == pytest.approx(expected, rel=0.5)


def test_the_gain_makes_up_for_a_factor():
    plain = surviving_gradient(lambda: Times(1.0), 1.0)
    assert surviving_gradient(lambda: Times(4.0), 0.25) == pytest.approx(plain, rel=1e-3)
    assert surviving_gradient(lambda: Times(4.0), 0.5) == pytest.approx(
        plain * 2 ** (DEPTH - 1), rel=1e-3
    )
