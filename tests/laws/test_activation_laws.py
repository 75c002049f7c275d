"""What every activation's record promises: its traits, images, relaxations and live interval."""

import copy
import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from activation_cases import breaks, every_activation, every_case, grid, joints
from scipy.integrate import quad

EPSILONS = (1e-6, 1e-3, 0.05)


def quotient(act, given, left, right):
    """The slope of the chord from ``left`` to ``right``."""
    return (act(right, **given) - act(left, **given)) / (right - left)


def far(act, given):
    """Points out to where every limit is reached, beside the fine grid."""
    tail = np.geomspace(31.0, 1e6, 40)
    return np.concatenate([-tail[::-1], grid(act, given), tail])


@every_case
def test_derivative_is_the_limit_of_chords(act, given):
    x = grid(act, given)
    step = 1e-5
    apart = np.ones_like(x, dtype=bool)
    for at in breaks(act, given):
        apart &= abs(x - at) > 2 * step
    x = x[apart]
    chords = quotient(act, given, x - step, x + step)
    np.testing.assert_allclose(act.derivative(x, **given), chords, rtol=1e-6, atol=1e-9)


@every_case
def test_derivative_at_a_break_is_that_of_the_declared_side(act, given):
    places = breaks(act, given)
    assert len(act.at_kink) == len(places)
    for at, side in zip(places, act.at_kink, strict=True):
        step = -1e-7 if side == "left" else 1e-7
        assert act.derivative(at, **given) == pytest.approx(
            quotient(act, given, at, at + step), rel=1e-6, abs=1e-9
        )


@every_case
def test_kinks_are_where_the_one_sided_slopes_differ(act, given):
    step = 1e-7
    jumps = [
        at
        for at in breaks(act, given)
        if abs(quotient(act, given, at - step, at) - quotient(act, given, at, at + step)) > 1e-5
    ]
    assert list(act.kinks(**given)) == jumps


@every_case
def test_values_and_slopes_are_monotone_between_joints(act, given):
    ends = [-40.0, *joints(act, given), 40.0]
    assert ends == sorted(ends)
    for left, right in pairwise(ends):
        x = np.linspace(left, right, 400)[1:-1]
        for values in (act(x, **given), act.derivative(x, **given)):
            steps = np.diff(values)
            slack = 1e-14 * np.max(np.abs(values))
            assert np.all(steps >= -slack) or np.all(steps <= slack)


@every_case
def test_range_holds_and_is_reached(act, given):
    low, high = act.range(**given)
    y = act(far(act, given), **given)
    assert low <= y.min()
    assert y.max() <= high
    assert y.min() == pytest.approx(low, abs=1e-5) if math.isfinite(low) else y.min() < -1e3
    assert y.max() == pytest.approx(high, abs=1e-5) if math.isfinite(high) else y.max() > 1e3
    assert act.bounded(**given) == (math.isfinite(low) and math.isfinite(high))


@every_activation
def test_monotone_holds_or_is_broken(act):
    assert act.monotone == bool(np.all(np.diff(act(grid(act, {}))) >= 0))


@every_case
def test_convex_holds_or_is_broken(act, given):
    x = grid(act, given)
    heights = act(x, **given)
    middle = act((x[:-2] + x[2:]) / 2, **given)
    bend = (heights[:-2] + heights[2:]) / 2 - middle
    assert act.convex(**given) == bool(np.all(bend >= -1e-13))


@every_case
def test_lipschitz_holds_and_is_least(act, given):
    x = np.sort(np.concatenate([grid(act, given, count=20001), *_near(joints(act, given))]))
    slopes = abs(np.diff(act(x, **given)) / np.diff(x))[np.diff(x) > 1e-5]
    assert slopes.max() <= act.lipschitz(**given) + 1e-9
    assert slopes.max() == pytest.approx(act.lipschitz(**given), rel=1e-4)


def _near(points):
    return [at + np.array([-2e-4, -1e-4, 1e-4, 2e-4]) for at in points]


def boxes(rng):
    """Bounds: random ones, wide, narrow, one-sided and of width zero."""
    centre, width = rng.normal(0, 3, 300), rng.exponential(2, 300)
    special = [(-2, 2), (0, 0), (-1e-9, 1e-9), (-1e4, 1e4), (3, 9), (-9, -3), (0, 6), (1.5, 1.5)]
    lower, upper = np.array(special, dtype=float).T
    return np.append(centre - width, lower), np.append(centre + width, upper)


@every_case
def test_interval_image_holds_and_is_tight(act, given):
    lower, upper = boxes(np.random.default_rng(1))
    low, high = act.interval(lower, upper, **given)
    y = act(np.linspace(lower, upper, 3001), **given)
    assert np.all(low <= y.min(0))
    assert np.all(y.max(0) <= high)
    # between samples the function moves by less than this
    slack = act.lipschitz(**given) * (upper - lower) / 3000 + 1e-15
    assert np.all(y.min(0) - low <= slack)
    assert np.all(high - y.max(0) <= slack)


@every_case
def test_interval_image_of_the_line_is_the_range(act, given):
    assert act.interval(-np.inf, np.inf, **given) == act.range(**given)


@every_case
def test_relaxation_encloses_and_touches(act, given):
    lower, upper = boxes(np.random.default_rng(2))
    (slope_low, low), (slope_high, high) = act.relax(lower, upper, **given)
    special = [np.clip(at, lower, upper) for at in joints(act, given)]
    x = np.concatenate([np.linspace(lower, upper, 3001), *([special] if special else [])])
    y = act(x, **given)
    rounding = 4 * np.finfo(float).eps * np.maximum(abs(slope_low * x), abs(y))
    above, below = slope_high * x + high - y, y - (slope_low * x + low)
    assert np.all(above >= -rounding)
    assert np.all(below >= -rounding)
    slack = 2 * act.lipschitz(**given) * (upper - lower) / 3000 + 1e-12 * (1 + abs(lower))
    assert np.all(above.min(0) <= slack)
    assert np.all(below.min(0) <= slack)


@every_case
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_live_interval_holds_and_is_least(act, given, epsilon):
    low, high = act.live(epsilon, **given)
    x = far(act, given)
    slopes = abs(act.derivative(x, **given))
    alive = slopes > 0 if act.is_piecewise_linear else slopes >= epsilon
    outside = (x <= low) | (x >= high)
    beyond_a_kink = outside & ~np.isin(x, breaks(act, given))
    assert not alive[beyond_a_kink].any()
    if not alive.any():
        assert low == high
        return
    for end, inwards in ((low, 1e-6), (high, -1e-6)):
        if math.isinf(end):
            assert alive[0 if end < 0 else -1]
        else:
            slope = abs(act.derivative(end + inwards, **given))
            assert slope > 0 if act.is_piecewise_linear else slope >= epsilon * (1 - 1e-5)


@every_case
def test_fires_above_its_lowest_break(act, given):
    kink = act.fires_above(**given)
    assert kink == min(breaks(act, given)) if breaks(act, given) else math.isnan(kink)


@every_activation
def test_gain_keeps_the_second_moment(act):
    """1/gain² by another quadrature, over all of the line that matters."""

    def moment(z):
        return act(float(z)) ** 2 * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    pieces = np.linspace(-12, 12, 25)
    total = sum(quad(moment, a, b)[0] for a, b in pairwise(pieces))
    assert act.gain == pytest.approx(1 / math.sqrt(total), rel=1e-8)


@every_activation
def test_record_is_complete(act):
    assert act.title
    assert act.formula
    assert act.source
    assert act.name == act.name.lower()
    assert act.name.isidentifier()
    for parameter in act.parameters:
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.name in act.formula


@every_activation
def test_copies_are_equal(act):
    for other in (copy.deepcopy(act), pickle.loads(pickle.dumps(act))):  # noqa: S301  our own
        assert other == act
        assert hash(other) == hash(act)
        assert other(-1.5) == act(-1.5)
