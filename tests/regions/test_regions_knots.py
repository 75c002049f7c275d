"""Knots to networks and functions to networks: exact kinks, known errors, clear refusals."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import hinge
from hinge.errors import DataError, OptionError
from hinge.regions.knots.network import UNIT, hinge_weights, rounding_bound
from hinge.regions.partitioning import partition
from hinge.report import to_text


def at(network, *places):
    return network(np.array(places, dtype=np.float64)[:, None]).ravel().tolist()


def stored(network):
    """The two layers as exact fractions: weights in, biases, weights out, bias out."""
    hidden, _, output = network.steps
    numbers = (
        hidden.operator.weight,
        hidden.operator.bias,
        output.operator.weight,
        output.operator.bias,
    )
    return [[Fraction(one) for one in t.double().flatten().tolist()] for t in numbers]


def exactly(network, x):
    inward, shifts, outward, (height,) = stored(network)
    x = Fraction(x)
    parts = zip(inward, shifts, outward, strict=True)
    return height + sum(c * max(w * x + b, 0) for w, b, c in parts)


def test_the_absolute_value():
    network = hinge.from_knots([-2, 0, 3], [2, 0, 3])
    places = [-7.5, -2.0, -(2.0**-40), 0.0, 2.0**-50, 0.375, 3.0, 2.0**20]
    assert at(network, *places) == [abs(x) for x in places]


def test_the_rectifier():
    network = hinge.from_knots([-1, 0, 1], [0, 0, 1])
    assert at(network, -9.0, -1.0, -0.25, 0.0, 0.1, 1.0, 8.0) == [0, 0, 0, 0, 0.1, 1, 8]


def test_a_sawtooth_whose_numbers_are_dyadic_is_exact_everywhere():
    """Height 1 at the odd multiples of 1/16, 0 at the even ones, as composed tents give it."""
    knots = np.arange(17) / 16
    network = hinge.from_knots(knots, np.arange(17) % 2)
    x = np.arange(1025) / 1024
    distance = np.abs(x * 8 - np.round(x * 8))
    assert at(network, *x) == (2 * distance).tolist()


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
        min_size=2,
        max_size=12,
        unique_by=lambda pair: pair[0],
    )
)
def test_at_the_knots_it_is_the_values_to_the_rounding_stated(points):
    x, y = (np.array(one) for one in zip(*sorted(points), strict=True))
    try:
        network = hinge.from_knots(x, y, beyond="fewest")
    except DataError:  # a slope beyond the largest float
        return
    weights = np.array([float(c) for c in stored(network)[2]])
    assert exactly(network, x[0]) == Fraction(y[0])
    for i, weight in enumerate(weights):
        off = abs(exactly(network, x[i + 1]) - Fraction(y[i + 1]))
        tiny = Fraction(5e-324)
        gap = Fraction(x[i + 1]) - Fraction(x[i])
        assert off <= (Fraction(UNIT) * abs(Fraction(weight)) + tiny) * gap
    run = network(x[:, None]).ravel()
    assert np.abs(run - y).max() <= rounding_bound(x, y, hinge_weights(x, y)) + 1e-300


@pytest.mark.parametrize(("beyond", "units"), [("linear", 6), ("constant", 6), ("fewest", 5)])
def test_the_kinks_are_the_knots_to_the_bit(beyond, units):
    knots = np.array([-1.7, -0.3, 0.1, 0.7, 1 / 3 + 1, 2.9])
    network = hinge.from_knots(knots, np.cos(knots), beyond=beyond)
    inward, shifts, _, _ = stored(network)
    kinks = {-b / w for w, b in zip(inward, shifts, strict=True)}
    assert network.n_units == units
    assert kinks >= {Fraction(one) for one in knots[:-1]}
    for knot in knots[:-1]:
        below, here, above = (
            network.pre_activations(np.array([[x]]))["relu"].numpy()
            for x in (np.nextafter(knot, -9), knot, np.nextafter(knot, 9))
        )
        assert ((below < 0) & (here == 0) & (above > 0)).any()


def test_a_partition_gives_the_knots_back():
    knots = np.array([0.0, 0.125, 0.3, 0.7, 0.875, 1.0])
    for beyond in ("linear", "constant", "fewest"):
        network = hinge.from_knots(knots, np.cos(5 * knots), beyond=beyond)
        found = partition(network, hinge.Segment([0.0], [1.0]))
        assert found.points.tolist() == pytest.approx(knots.tolist(), abs=2e-16)
        assert (found.n_cells, found.n_regions) == (5, 5)


def test_beyond_the_knots():
    x, y = [0.0, 1.0, 2.0], [1.0, 3.0, 2.5]
    assert at(hinge.from_knots(x, y), -1.0, 4.0) == [-1.0, 1.5]
    assert at(hinge.from_knots(x, y, beyond="constant"), -1.0, 4.0) == [1.0, 2.5]
    assert at(hinge.from_knots(x, y, beyond="fewest"), -1.0, 4.0) == [1.0, 1.5]


def test_it_is_a_torch_module_that_can_be_trained():
    network = hinge.from_knots([0, 1, 3], [1, -1, 2])
    model = network.to_torch()
    x = torch.linspace(-1, 4, 23, dtype=torch.float64)[:, None]
    assert torch.equal(model(x), network(x))
    assert {p.dtype for p in model.parameters()} == {torch.float64}
    assert network.sites[0].name == "relu"


@pytest.mark.parametrize("pieces", [1, 2, 8, 64])
def test_the_error_of_the_square_is_a_quarter_of_the_step_squared(pieces):
    """x² between two knots: (x - a)(b - x), largest in the middle, h² / 4."""
    found = hinge.approximate(lambda x: x * x, (0, 1), pieces, knots="even", second_derivative=2.0)
    assert found.measured == 1 / (4 * pieces**2) == found.bound
    assert not found.bound_is_estimate


def test_balanced_halves_the_error_of_a_convex_function():
    plain, half = (
        hinge.approximate(lambda x: x * x, (-1, 1), 8, knots="even", values=way)
        for way in ("interpolate", "balanced")
    )
    assert half.measured == plain.measured / 2
    assert half.bound == pytest.approx(plain.bound / 2, rel=1e-6)
    assert half.bound_is_estimate


def test_balanced_is_never_worse_and_its_bound_holds():
    for f, largest in ((np.sin, 1.0), (lambda x: x**3, 12.0)):
        plain = hinge.approximate(f, (-1, 2), 7, knots="even")
        found = hinge.approximate(
            f, (-1, 2), 7, knots="even", values="balanced", second_derivative=largest
        )
        assert found.measured <= plain.measured
        assert found.measured <= found.bound
        assert not found.bound_is_estimate  # both change the sign of f″


@pytest.mark.parametrize("way", ["even", "adaptive"])
def test_the_error_falls_with_the_square_of_the_pieces(way):
    few, many = (hinge.approximate(np.sin, (0, 6), n, knots=way).measured for n in (32, 128))
    assert few / many == pytest.approx(16, rel=0.05)


def test_even_knots_lose_the_rate_at_a_root_and_adaptive_ones_keep_it():
    """sqrt on [0, h]: error sqrt(h) / 4. Best placing: (∫ sqrt|f″|)² / (8 n²) = 1 / (2 n²)."""
    for n in (4, 16, 64):
        even = hinge.approximate(np.sqrt, (0, 1), n, knots="even")
        placed = hinge.approximate(np.sqrt, (0, 1), n)
        assert even.measured == pytest.approx(math.sqrt(1 / n) / 4, rel=1e-3)
        assert 0.3 / n**2 < placed.measured < 0.75 / n**2


@pytest.mark.parametrize("f", [np.exp, np.abs, np.cbrt, lambda x: x, lambda x: 0 * x, np.sign])
def test_adaptive_is_never_worse(f):
    for n in (1, 2, 5):
        even = hinge.approximate(f, (-1, 1.5), n, knots="even")
        assert hinge.approximate(f, (-1, 1.5), n).measured <= even.measured


def test_what_is_claimed_holds_between_the_points_measured():
    found = hinge.approximate(np.exp, (-1, 2), 9, second_derivative=math.exp(2))
    x = np.random.default_rng(0).uniform(-1, 2, 20_000)
    error = np.abs(found(x) - np.exp(x)).max()
    assert error <= found.bound + found.rounding
    assert error <= found.measured * 1.001
    assert found(x.reshape(100, 200)).shape == (100, 200)


def test_the_estimated_bound_is_near_the_true_one():
    found = hinge.approximate(np.exp, (0, 1), 16, knots="even")
    assert found.bound_is_estimate
    assert found.bound == pytest.approx(math.e / 8 / 16**2, rel=0.02)


@pytest.mark.parametrize("f", [math.sin, lambda x: [-1, 1][int(x > 0.5)], lambda _: 3])
def test_functions_of_one_float(f):
    found = hinge.approximate(f, (0, 1), 4)
    assert found.values.tolist() == [float(f(x)) for x in found.knots.tolist()]


def test_it_shows_itself(tmp_path):
    found = hinge.approximate(np.sin, (0, 3), 5)
    assert "estimated" in str(found)
    assert max(map(len, to_text(found.page(), 80).splitlines())) <= 80
    assert "<svg" in found._repr_html_()
    values = json.loads(found.to_json())
    again = hinge.from_knots(values["knots"], values["values"])
    assert np.array_equal(again(found.grid[:, None]).ravel(), found(found.grid))
    assert len(found.to_pandas()) == 6


def test_it_draws_itself():
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib.figure import Figure  # noqa: PLC0415 - optional

    ax = Figure().add_subplot()
    assert hinge.approximate(np.sin, (0, 3), 5).plot(ax) is ax
    assert ax.lines[1].get_xdata()[-1] == 3


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([0, 1, 1, 2], [0, 1, 1, 2], "there twice"),
        ([0, 2, 1], [0, 1, 2], "do not ascend"),
        ([0, math.nan, 1], [0, 1, 2], "not finite"),
        ([0, 1, 2], [0, math.inf, 2], "not finite"),
        ([0, 1], [0, 1, 2], "one value for each"),
        ([0], [1], "two knots"),
        ([[0, 1]], [[0, 1]], "one-dimensional"),
        (["a", "b"], [0, 1], "no real numbers"),
        ([0, 5e-324], [-1e300, 1e300], "too steep"),
        ([-1.7e308, 1.7e308], [0, 1], "too far apart"),
    ],
)
def test_knots_that_are_refused(x, y, words):
    with pytest.raises(DataError, match=words) as caught:
        hinge.from_knots(x, y)
    assert all((caught.value.where, caught.value.found, caught.value.do))


@pytest.mark.parametrize(
    ("f", "interval", "words"),
    [
        (np.sin, (1, 0), "upside down"),
        (np.sin, (1, 1), "empty"),
        (np.sin, (0, math.inf), "not finite"),
        (np.sin, 3, "two ends"),
        (np.sin, (1, np.nextafter(1, 2)), "no room"),
        (np.log, (0, 1), "not finite everywhere"),
        (lambda x: 1 / x, (0, 1), "not finite everywhere"),
        (lambda x: 1 / float(x), (0, 1), "cannot be evaluated"),
        (lambda x: x[:, None], (0, 1), "something else"),
        (lambda x: x[:-1], (0, 1), "something else"),
        (lambda x: x + 1j, (0, 1), "something else"),
        (lambda x: [float(x), 1.0], (0, 1), "something else"),
    ],
)
def test_functions_and_intervals_that_are_refused(f, interval, words):
    with pytest.raises(DataError, match=words) as caught:
        hinge.approximate(f, interval)
    assert all((caught.value.where, caught.value.found, caught.value.do))


@pytest.mark.parametrize(
    "options",
    [
        {"pieces": 0},
        {"pieces": 2.5},
        {"pieces": True},
        {"pieces": 2**30},
        {"knots": "odd"},
        {"values": "best"},
        {"second_derivative": -1.0},
        {"second_derivative": math.nan},
        {"beyond": "nothing"},
    ],
)
def test_options_that_mean_nothing(options):
    with pytest.raises(OptionError, match=r"means nothing|no such way"):
        hinge.approximate(np.sin, (0, 1), **options)
