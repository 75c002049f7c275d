"""Known truths: minima, fixed points, gains and tails, from closed forms and 50 digits."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy.integrate import quad

from hinge.activations import elu, gelu, leaky_relu, prelu, relu, relu6, selu, sigmoid, silu, tanh

mpmath.mp.dps = 50

# least value, its place; least and greatest slope, their distance from 0
DIPS = [
    (silu, (-0.2784645428, -1.278464543), (-0.0998393, 1.0998393, 2.3993573)),
    (gelu, (-0.1699712075, -0.7517915247), (-0.1289041, 1.1289041, math.sqrt(2))),
]


@pytest.mark.parametrize(("act", "dip", "slopes"), DIPS)
def test_self_gated_functions_dip_where_they_should(act, dip, slopes):
    least, place = dip
    low, high, steepest = slopes
    assert act.range() == pytest.approx((least, math.inf), abs=1e-9)
    assert act(place) == pytest.approx(least, abs=1e-9)
    assert act.derivative(-steepest) == pytest.approx(low, abs=1e-7)
    assert act.lipschitz() == pytest.approx(high, abs=1e-7)
    assert act.derivative(0.0) == 0.5


def test_selu_keeps_mean_0_and_variance_1():
    """The fixed point of Klambauer et al., 2017, by which its two constants are defined."""

    def moment(power):
        def integrand(z):
            return selu(float(z)) ** power * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

        return quad(integrand, -12, 0)[0] + quad(integrand, 0, 12)[0]

    assert moment(1) == pytest.approx(0, abs=1e-9)
    assert moment(2) == pytest.approx(1, abs=1e-9)
    assert selu.gain == pytest.approx(1, abs=1e-9)
    assert selu.derivative(0.0) == pytest.approx(1.7580993408, abs=1e-10)


def test_gains_in_closed_form():
    assert relu.gain == pytest.approx(math.sqrt(2), rel=1e-12)
    assert leaky_relu.gain == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", 0.01))
    assert prelu.gain == pytest.approx(math.sqrt(2 / (1 + 0.25**2)), rel=1e-12)
    assert tanh.gain == pytest.approx(1.592537419722831, rel=1e-9)


def test_live_intervals_in_closed_form():
    assert relu.live(1e-3) == (0, math.inf)
    assert relu6.live(0.5) == (0, 6)
    assert leaky_relu.live(0.5) == (-math.inf, math.inf)
    assert leaky_relu.live(1e-3, negative_slope=0.0) == (0, math.inf)
    assert prelu.live(1e-3, weight=np.array([0.0, 0.1])) == (-math.inf, math.inf)
    assert elu.live(1e-3) == pytest.approx((math.log(1e-3), math.inf))
    steep = math.acosh(1 / math.sqrt(1e-3))  # sech² x = ε
    assert tanh.live(1e-3) == pytest.approx((-steep, steep))
    assert sigmoid.live(0.3) == (0, 0)  # its slope is never above 1/4


def test_relaxation_of_relu_is_fast_lin():
    (low_slope, low), (high_slope, high) = relu.relax(-1.0, 3.0)
    assert (low_slope, high_slope) == (0.75, 0.75)
    assert (low, high) == pytest.approx((0, 0.75), abs=1e-13)


TAILS = [
    (gelu, lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2, -13.0, -38.0),
    (silu, lambda x: x / (1 + mpmath.exp(-x)), -91.0, -740.0),
]


@pytest.mark.parametrize(("act", "truth", "end32", "end64"), TAILS)
@pytest.mark.parametrize("library", [np.asarray, torch.from_numpy], ids=["numpy", "torch"])
def test_tails_keep_their_digits(act, truth, end32, end64, library):
    for dtype, end, ulps in ((np.float32, end32, 0.51), (np.float64, end64, 8)):
        x = np.linspace(end, 8, 300).astype(dtype)
        exact = np.array([float(truth(mpmath.mpf(float(one)))) for one in x])
        found = np.asarray(act(library(x)), dtype=np.float64)
        spacing = np.spacing(abs(exact).astype(dtype)).astype(np.float64)
        assert np.max(abs(found - exact) / spacing) <= ulps


def test_formulas_are_written_from_the_pieces():
    assert relu.formula == "0 for x ≤ 0; x for x ≥ 0"
    assert relu6.formula == "0 for x ≤ 0; x for 0 ≤ x ≤ 6; 6 for x ≥ 6"
    assert leaky_relu.formula == "negative_slope·x for x ≤ 0; x for x ≥ 0"
