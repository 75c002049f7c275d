"""What every activation's record promises: its traits, images, relaxations and live interval."""

import copy
import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from activation_cases import (
    breaks,
    every_activation,
    every_call,
    every_case,
    grid,
    joints,
    jumps,
)
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
    for at in joints(act, given):  # where the bend changes the chord is off by the step
        apart &= abs(x - at) > 2 * step
    x = x[apart]
    chords = quotient(act, given, x - step, x + step)
    np.testing.assert_allclose(act.derivative(x, **given), chords, rtol=1e-6, atol=1e-9)


@every_case
def test_derivative_at_a_break_is_that_of_the_declared_side(act, given):
    places = breaks(act, given)
    assert len(act.at_kink) == len(places)
    for at, side in zip(places, act.at_kink, strict=True):
        steps = {"left": [-1e-7], "right": [1e-7], "mean": [-1e-7, 1e-7]}[side]
        slope = np.mean([quotient(act, given, at, at + step) for step in steps])
        assert act.derivative(at, **given) == pytest.approx(slope, rel=1e-6, abs=3e-7)


@every_case
def test_kinks_are_where_the_one_sided_slopes_differ(act, given):
    step = 1e-7
    bends = [
        at
        for at in breaks(act, given)
        if abs(quotient(act, given, at - step, at) - quotient(act, given, at, at + step)) > 1e-5
    ]
    assert list(act.kinks(**given)) == bends


@every_case
def test_jumps_are_where_the_value_breaks_off(act, given):
    """A jump shows at any step, however small; and the value there is that of its side."""
    found = []
    for at, side in zip(breaks(act, given), act.at_kink, strict=True):
        steps = np.array([1e-3, 1e-6, 1e-9]) * 1e-3
        apart = abs(act(at + steps, **given) - act(at - steps, **given))
        if apart.min() > 1e-4:
            found.append(at)
            step = -1e-9 if side == "left" else 1e-9
            assert act(at, **given) == pytest.approx(act(at + step, **given), abs=1e-8)
    assert list(act.jumps(**given)) == found
    assert set(found) <= set(act.kinks(**given))


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
    x = np.concatenate([far(act, given), *_near(act.jumps(**given), 1e-6)])
    y = act(x, **given)
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
    x = np.concatenate([grid(act, given), *_near(act.jumps(**given), 1e-5)])
    middle = act(x, **given)
    sides = [act(x - reach, **given) + act(x + reach, **given) for reach in (0.01, 3e-5)]
    bend = np.min(sides, axis=0) / 2 - middle if act.jumps(**given) else sides[0] / 2 - middle
    assert act.convex(**given) == bool(np.all(bend >= -1e-13 - 1e-15 * abs(middle)))


@every_case
def test_lipschitz_holds_and_is_least(act, given):
    least = act.lipschitz(**given)
    if math.isinf(least):
        across = [abs(quotient(act, given, at - 1e-12, at + 1e-12)) for at in act.jumps(**given)]
        assert max([*across, abs(act.derivative(1e9, **given))]) > 1e8
        return
    fine = grid(act, given, count=20001)
    x = np.unique(np.concatenate([fine, far(act, given), *_near(joints(act, given))]))
    slopes = abs(np.diff(act(x, **given)) / np.diff(x))[np.diff(x) > 1e-5]
    assert slopes.max() <= least + 1e-9
    assert slopes.max() == pytest.approx(least, rel=1e-4)


def _near(points, step=1e-4):
    return [at + step * np.array([-2.0, -1.0, 1.0, 2.0]) for at in points]


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
    x = np.linspace(lower, upper, 3001)
    y = act(x, **given)
    assert np.all(low <= y.min(0))
    assert np.all(y.max(0) <= high)
    # between samples the function moves by less than this, but at a jump, where both limits count
    slack = _steepest(act, given, x) * (upper - lower) / 3000 + 1e-15
    assert np.all(y.min(0) - low <= slack)
    assert np.all(high - y.max(0) <= slack)


def _steepest(act, given, x):
    """The largest slope on each box; a joint between two samples may be steeper than both."""
    return 1.02 * np.max(abs(act.derivative(x, **given)), axis=0) + 1e-3


@every_case
def test_interval_image_holds_next_to_a_jump(act, given):
    """The limits on both sides count where the box reaches beyond the jump, and only there."""
    for at, left, right in jumps(act, given):
        if left == right:
            continue
        taken = act(at, **given)
        assert act.interval(at, at, **given) == (taken, taken)
        for box, limits in (((at - 1, at), (left, taken)), ((at, at + 1), (right, taken))):
            low, high = act.interval(*box, **given)
            assert low <= min(limits)
            assert high >= max(limits)
            (slope, below), (_, above) = act.relax(*box, **given)
            for limit in limits:
                assert slope * at + below <= limit <= slope * at + above


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
    steepest = _steepest(act, given, x) + abs(slope_low)
    size = 1 + np.max(abs(y), axis=0) + abs(lower)
    slack = steepest * (upper - lower) / 3000 + 1e-12 * size
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
    kink, places = act.fires_above(**given), breaks(act, given)
    between = [act.derivative((a + b) / 2, **given) for a, b in pairwise(places)]
    sloped = act.derivative(-1e6, **given) != 0 and act.derivative(1e6, **given) != 0
    if not places or (sloped and 0 in between):  # smooth, or flat between two sloped sides
        assert math.isnan(kink)
    else:
        assert kink == min(places)


@every_case
def test_symmetries_hold_or_are_broken(act, given):
    x = np.abs(far(act, given))
    x = x[~np.isin(x, np.abs(act.jumps(**given)))]
    left, right = act(-x, **given), act(x, **given)
    slack = 1e-12 * np.abs(right)
    assert act.odd(**given) == bool(np.all(abs(left + right) <= slack))
    assert act.even(**given) == bool(np.all(abs(left - right) <= slack))
    assert not act.odd(**given) or act(0.0, **given) == 0


@every_case
def test_homogeneous_holds_or_is_broken(act, given):
    x = far(act, given)
    same = [
        np.allclose(act(c * x, **given), c * act(x, **given), rtol=1e-12, atol=0)
        for c in (0.01, 0.5, 3.0, 100.0)
    ]
    assert act.homogeneous(**given) == all(same)


@every_case
def test_saturates_where_the_function_stops_growing(act, given):
    for sign, found in zip((-1, 1), act.saturates(**given), strict=True):
        assert found == (abs(act(sign * 1e12, **given) - act(sign * 1e9, **given)) < 1e-6)


@every_activation
def test_gain_and_mean_are_the_moments(act):
    """1/gain² and the mean by another quadrature, over all of the line that matters."""

    def moment(power):
        def integrand(z):
            return act(float(z)) ** power * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

        ends = np.unique([*range(-12, 13, 2), *breaks(act, {})])
        return sum(quad(integrand, a, b)[0] for a, b in pairwise(ends))

    assert act.gain == pytest.approx(1 / math.sqrt(moment(2)), rel=1e-8)
    assert act.mean == pytest.approx(moment(1), abs=1e-8)


@every_activation
def test_record_is_complete(act):
    assert act.title
    assert act.formula
    assert act.source
    assert act.name == act.name.lower()
    assert act.name.isidentifier()
    for parameter in act.parameters:
        assert parameter.allows(parameter.default)
        assert parameter.name in act.form.formula
    sentences = [*act.advantages, *act.drawbacks, act.use]
    assert act.advantages
    assert act.drawbacks
    assert all(sentence.endswith(".") and len(sentence) > 10 for sentence in sentences)


@every_activation
def test_copies_are_equal(act):
    for other in (copy.deepcopy(act), pickle.loads(pickle.dumps(act))):  # noqa: S301  our own
        assert other == act
        assert hash(other) == hash(act)
        assert other(-1.5) == act(-1.5)


@every_call
def test_derivative_of_the_value_is_the_derivative(act, given):
    """Where a record says that its derivative follows from its value."""
    by_value = act.form.derivative_of_value
    if by_value is None:
        return
    x = grid(act, given)
    found = by_value(np, act(x, **given), act.filled(given))
    np.testing.assert_allclose(found, act.derivative(x, **given), rtol=1e-12, atol=1e-14)
