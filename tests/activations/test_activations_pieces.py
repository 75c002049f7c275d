"""Pieces: any breaks and slopes, also by the names of parameters, give the right function."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from hinge.activations import jump_relu, srelu
from hinge.activations.entries import Sum, negative
from hinge.activations.form import Side
from hinge.activations.pieces import Pieces
from hinge.errors import OptionError

LEFT, RIGHT = Side.LEFT, Side.RIGHT


def test_a_function_of_four_pieces_is_interpolation():
    form = Pieces((-1, 2, 5), (-2, 0.5, 0, 3), (LEFT, RIGHT, LEFT), height=4)
    x = np.linspace(-4, 8, 241)
    knots = [-4, -1, 2, 5, 8]
    truth = np.interp(x, knots, [10, 4, 5.5, 5.5, 14.5])
    np.testing.assert_allclose(form.value(np, x, {}), truth, rtol=1e-14)
    slopes = form.derivative(np, np.array([-1.0, 2.0, 5.0]), {})
    np.testing.assert_array_equal(slopes, [-2, 0, 0])
    assert form.formula == (
        "4 − 2·(x + 1) for x ≤ −1; 4 + 0.5·(x + 1) for −1 ≤ x ≤ 2; "
        "5.5 for 2 ≤ x ≤ 5; 5.5 + 3·(x − 5) for x ≥ 5"
    )


def test_breaks_and_slopes_by_the_names_of_parameters():
    form = Pieces(("low", "high"), (0, 1, 0), (LEFT, RIGHT), height="low")
    given = {"low": -2.0, "high": 3.0}
    x = np.linspace(-9, 9, 91)
    np.testing.assert_array_equal(form.value(np, x, given), np.clip(x, -2, 3))
    assert form.breaks(given) == (-2, 3)
    assert form.formula == ("low for x ≤ low; x for low ≤ x ≤ high; high for x ≥ high")


def test_steps_by_the_names_of_parameters():
    form = Pieces(
        (negative("width"), "width"), (1, 0, 1), (RIGHT, LEFT), negative("width"), ("width", "up")
    )
    given = {"width": 2.0, "up": 5.0}
    x = np.array([-3.0, -2.0, 0.0, 2.0, 3.0])
    np.testing.assert_array_equal(form.value(np, x, given), [-3, 0, 0, 0, 6])
    np.testing.assert_array_equal(form.derivative(np, x, given), [1, 0, 0, 0, 1])
    assert form.jumps(given) == ((-2, -2, 0), (2, 0, 5))
    assert form.formula == (
        "x for x < −width; 0 for −width ≤ x ≤ width; x − width + up for x > width"
    )


def test_a_slope_that_is_a_weighted_sum():
    form = Pieces((0,), (Sum((("low", Fraction(1, 3)), ("high", Fraction(2, 3)))), 1), (LEFT,))
    assert form.derivative(np, np.array([-1.0]), {"low": 3.0, "high": 6.0}) == 5
    assert form.formula == "(1/3·low + 2/3·high)·x for x ≤ 0; x for x ≥ 0"
    even = Sum((("low", Fraction(1, 2)), ("high", Fraction(1, 2))))
    assert str(even) == "1/2·(low + high)"


def test_thresholds_may_differ_from_channel_to_channel():
    """Values, slopes and bounds of arrays are those of each channel alone."""
    x = np.linspace(-3, 3, 61)
    left, right = np.array([[-1.0], [0.0]]), np.array([[0.5], [2.0]])
    given = {"left_threshold": left, "right_threshold": right, "right_slope": left * 0}
    for function in (srelu, srelu.derivative):
        rows = [
            function(x, left_threshold=a, right_threshold=b, right_slope=0.0)
            for a, b in zip(left[:, 0], right[:, 0], strict=True)
        ]
        np.testing.assert_allclose(function(np.stack([x, x]), **given), rows, rtol=1e-15)
    threshold = np.array([0.1, 0.7])
    low, high = jump_relu.interval(np.full(2, -1.0), np.full(2, 0.5), threshold=threshold)
    np.testing.assert_array_equal(low, [0, 0])
    np.testing.assert_array_equal(high, [0.5, 0])
    assert jump_relu.range(threshold=threshold) == (0, np.inf)


def test_a_learned_threshold_moves_the_value_beyond_it():
    """The slope in each parameter of SReLU, from its definition (Jin et al., 2015)."""
    x = torch.tensor([-3.0, 0.25, 4.0], dtype=torch.float64)
    learned = {
        name: torch.full((3,), value, dtype=torch.float64, requires_grad=True)
        for name, value in [
            ("left_threshold", -1.0),
            ("left_slope", 0.2),
            ("right_threshold", 1.0),
            ("right_slope", 0.5),
        ]
    }
    srelu(x, **learned).sum().backward()
    slopes = {name: value.grad.tolist() for name, value in learned.items()}
    assert slopes["left_threshold"] == pytest.approx([0.8, 0, 0])
    assert slopes["left_slope"] == pytest.approx([-2, 0, 0])
    assert slopes["right_threshold"] == pytest.approx([0, 0, 0.5])
    assert slopes["right_slope"] == pytest.approx([0, 0, 3])


def test_pieces_that_do_not_fit_together_are_refused():
    with pytest.raises(OptionError, match="one slope more than breaks") as caught:
        Pieces((0, 6), (0, 1), (LEFT, RIGHT))
    assert caught.value.found == "2, 2 and 2"
    with pytest.raises(OptionError, match="takes the value of one side"):
        Pieces((0,), (0, 0), (Side.MEAN,), steps=(1,))
