"""Pieces: any breaks and slopes, also by the names of parameters, give the right function."""

import numpy as np
import pytest

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
        "4 + -2·(x − -1) for x ≤ -1; 4 + 0.5·(x − -1) for -1 ≤ x ≤ 2; "
        "5.5 for 2 ≤ x ≤ 5; 5.5 + 3·(x − 5) for x ≥ 5"
    )


def test_breaks_and_slopes_by_the_names_of_parameters():
    form = Pieces(("low", "high"), (0, 1, 0), (LEFT, RIGHT), height="low")
    given = {"low": -2.0, "high": 3.0}
    x = np.linspace(-9, 9, 91)
    np.testing.assert_array_equal(form.value(np, x, given), np.clip(x, -2, 3))
    assert form.breaks(given) == (-2, 3)
    assert form.formula == (
        "low for x ≤ low; low + (x − low) for low ≤ x ≤ high; low + 1·(high − low) for x ≥ high"
    )


def test_pieces_that_do_not_fit_together_are_refused():
    with pytest.raises(OptionError, match="one slope more than breaks") as caught:
        Pieces((0, 6), (0, 1), (LEFT, RIGHT))
    assert caught.value.found == "2, 2 and 2"
