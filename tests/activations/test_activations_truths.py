"""Known truths: minima, fixed points, gains and tails, from closed forms and 50 digits."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy.integrate import quad

from hinge.activations import (
    abs,  # noqa: A004  the activation is meant
    binary_step,
    elu,
    gelu,
    gelu_tanh,
    hard_mish,
    hardsigmoid,
    hardswish,
    leaky_relu,
    logsigmoid,
    mish,
    prelu,
    quick_gelu,
    relu,
    relu6,
    rrelu,
    selu,
    sigmoid,
    silu,
    softplus,
    squareplus,
    star_relu,
    tanh,
)
from hinge.errors import OptionError, UnsupportedError

mpmath.mp.dps = 50

# least value, its place; least and greatest slope, and where they are
DIPS = [
    (silu, (-0.2784645428, -1.278464543), (-0.0998393, 1.0998393), (-2.3993573, 2.3993573)),
    (gelu, (-0.1699712075, -0.7517915247), (-0.1289041, 1.1289041), (-(2**0.5), 2**0.5)),
    (gelu_tanh, (-0.1700407506, -0.7524614221), (-0.1289931, 1.1289931), (-1.418504, 1.418504)),
    (quick_gelu, (-0.1636101896, -0.7511542554), (-0.0998393, 1.0998393), (-1.4097281, 1.4097281)),
    (mish, (-0.308843413, -1.192431215), (-0.1125261, 1.0884982), (-2.2563764, 1.4905712)),
]


@pytest.mark.parametrize(("act", "dip", "slopes", "places"), DIPS)
def test_self_gated_functions_dip_where_they_should(act, dip, slopes, places):
    least, place = dip
    low, high = slopes
    assert act.range() == pytest.approx((least, math.inf), abs=1e-9)
    assert act(place) == pytest.approx(least, abs=1e-9)
    assert act.derivative(places[0]) == pytest.approx(low, abs=1e-7)
    assert act.derivative(places[1]) == pytest.approx(high, abs=1e-7)
    assert act.lipschitz() == pytest.approx(high, abs=1e-7)
    assert act.derivative(0.0) == pytest.approx(0.6 if act is mish else 0.5, abs=1e-15)


def test_hard_functions_dip_where_they_should():
    assert hardswish.range() == (-0.375, math.inf)
    assert hardswish(-1.5) == -0.375
    assert hardswish.lipschitz() == 1.5
    assert hard_mish.range() == (-0.5, math.inf)
    assert hard_mish(-1.0) == -0.5
    assert hardsigmoid.lipschitz() == pytest.approx(1 / 6)


def test_values_and_slopes_at_zero_in_closed_form():
    assert softplus(0.0, beta=2.0) == pytest.approx(math.log(2) / 2, rel=1e-15)
    assert squareplus(0.0) == 1  # √b / 2
    assert logsigmoid(0.0) == pytest.approx(-math.log(2), rel=1e-15)
    for act in (softplus, squareplus, logsigmoid):
        assert act.derivative(0.0) == 0.5
    assert binary_step(0.0) == 0
    assert math.copysign(1, abs(-0.0)) == math.copysign(1, abs(0.0)) == 1
    assert abs.derivative(0.0) == 0


def test_far_left_self_gated_functions_come_to_zero_from_below():
    for act in (silu, gelu, gelu_tanh, quick_gelu, mish, hardswish, hard_mish):
        assert math.copysign(1, act(-math.inf)) == -1
        assert act(-math.inf) == 0
    assert math.copysign(1, logsigmoid(math.inf)) == -1


def test_the_approximations_are_as_far_from_gelu_as_they_should_be():
    x = np.linspace(-6, 6, 120_001)
    for act, distance, place in ((gelu_tanh, 4.7323e-4, 2.70), (quick_gelu, 0.02033, 2.27)):
        apart = np.abs(act(x) - gelu(x))
        assert apart.max() == pytest.approx(distance, rel=1e-3)
        assert np.abs(x[apart.argmax()]) == pytest.approx(place, abs=0.01)


def test_swish_comes_to_relu_and_to_half_a_line():
    """Ramachandran et al., 2017: as beta grows, ReLU; as it falls to 0, x/2."""
    x = np.linspace(-3, 3, 61)
    np.testing.assert_allclose(silu(x, beta=1e4), relu(x), atol=1e-4)
    np.testing.assert_allclose(silu(x, beta=1e-9), x / 2, atol=1e-8)
    assert silu.range(beta=2.0)[0] == pytest.approx(-0.2784645428 / 2, abs=1e-9)


def test_star_relu_keeps_mean_0_and_variance_1():
    """Yu et al., 2022, section 3: how its two numbers are derived."""
    assert star_relu.mean == pytest.approx(0, abs=1e-12)
    assert star_relu.gain == pytest.approx(1, rel=1e-12)


def test_parameters_out_of_order_are_refused():
    with pytest.raises(OptionError, match="out of order") as caught:
        rrelu(1.0, lower=0.4, upper=0.2)
    assert all((caught.value.where, caught.value.found, caught.value.do))
    with pytest.raises(OptionError, match="above 0"):
        softplus(1.0, beta=0.0)


def test_a_module_that_torch_has_not_is_refused():
    for act, given in ((squareplus, {}), (abs, {}), (silu, {"beta": 2.0})):
        with pytest.raises(UnsupportedError) as caught:
            act.torch_module(**given)
        error = caught.value
        assert all((error.what, error.where, error.found, error.do))


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
@pytest.mark.parametrize(
    ("library", "single"), [(np.asarray, 0.51), (torch.from_numpy, 4)], ids=["numpy", "torch"]
)
def test_tails_keep_their_digits(act, truth, end32, end64, library, single):  # noqa: PLR0917
    for dtype, end, ulps in ((np.float32, end32, single), (np.float64, end64, 8)):
        x = np.linspace(end, 8, 300).astype(dtype)
        exact = np.array([float(truth(mpmath.mpf(float(one)))) for one in x])
        found = np.asarray(act(library(x)), dtype=np.float64)
        spacing = np.spacing(abs(exact).astype(dtype)).astype(np.float64)
        assert np.max(abs(found - exact) / spacing) <= ulps


def test_formulas_are_written_from_the_pieces():
    assert relu.formula == "0 for x ≤ 0; x for x ≥ 0"
    assert relu6.formula == "0 for x ≤ 0; x for 0 ≤ x ≤ 6; 6 for x ≥ 6"
    assert leaky_relu.formula == "negative_slope·x for x ≤ 0; x for x ≥ 0"
    assert abs.formula == "−x for x ≤ 0; x for x ≥ 0"
    assert hardsigmoid.formula == "0 for x ≤ −3; 1/6·(x + 3) for −3 ≤ x ≤ 3; 1 for x ≥ 3"
    assert binary_step.formula == "0 for x ≤ 0; 1 for x > 0"
    assert rrelu.formula.startswith("1/2·(lower + upper)·x for x ≤ 0; x for x ≥ 0; while training")
