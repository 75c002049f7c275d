"""What every record of a function of several numbers promises: derivatives, images, traits."""

import copy
import math
import pickle

import numpy as np
import pytest
from activation_cases import joints
from kin_cases import (
    SHAPE,
    apart,
    drawn,
    every_case,
    every_kin,
    every_vector_case,
    one_or_all,
    required,
    tied,
)

from hinge.activations import find


def as_tuple(found):
    return found if isinstance(found, tuple) else (found,)


@every_case
def test_pullback_is_the_derivative_where_there_is_one(kin, given):
    arrays = apart(kin)
    gradient = np.random.default_rng(1).normal(size=kin(*arrays, **given).shape)
    found = as_tuple(kin.pullback(gradient, *arrays, **given))
    step = 1e-6
    for number, array in enumerate(arrays):
        numeric = np.zeros(array.size)
        for place in range(array.size):
            sides = []
            for shift in (step, -step):
                moved = [one.copy() for one in arrays]
                moved[number].flat[place] += shift
                sides.append(np.sum(gradient * kin(*moved, **given)))
            numeric[place] = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(found[number].ravel(), numeric, rtol=1e-7, atol=1e-7)


@every_case
def test_the_declared_derivative_at_a_tie_lies_between_those_around_it(kin, given):
    """A convex combination of limits, as long as the function does not jump."""
    if not kin.is_continuous:
        return
    arrays = tied(kin)
    gradient = np.ones_like(kin(*arrays, **given))
    at = np.concatenate([one.ravel() for one in as_tuple(kin.pullback(gradient, *arrays, **given))])
    rng = np.random.default_rng(2)
    around = []
    for _ in range(200):
        near = [one + 1e-9 * rng.normal(size=one.shape) for one in arrays]
        around.append(
            np.concatenate(
                [one.ravel() for one in as_tuple(kin.pullback(gradient, *near, **given))]
            )
        )
    assert np.all(np.min(around, axis=0) <= at + 1e-7)
    assert np.all(at <= np.max(around, axis=0) + 1e-7)


@every_case
def test_partials_are_what_the_pullback_multiplies_by(kin, given):
    arrays = tied(kin)
    gradient = np.random.default_rng(1).normal(size=kin(*arrays, **given).shape)
    rows = kin.partials(*arrays, **given)
    if len(arrays) > 1:
        ((one, other),) = rows
        expected = (gradient * one, gradient * other)
    else:
        dim = given.get("dim", next(o.default for o in kin.options if o.name == "dim"))
        blocks = np.split(gradient, len(rows), axis=dim)
        columns = [
            sum(block * entry for block, entry in zip(blocks, column, strict=True))
            for column in zip(*rows, strict=True)
        ]
        if kin.neighbours:
            shape = list(arrays[0].shape)
            expected = (np.stack(columns, axis=dim % len(shape) + 1).reshape(shape),)
        else:
            expected = (np.concatenate(columns, axis=dim),)
    for found, wanted in zip(
        as_tuple(kin.pullback(gradient, *arrays, **given)), expected, strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


def boxes(kin, seed):
    """Bounds: intervals of all signs, single points, whole numbers, unbounded ones."""
    rng = np.random.default_rng(seed)
    lowest, highest = [], []
    for array in drawn(kin, seed, shape=(6,), scale=2.0):
        wide = abs(rng.normal(size=array.shape)) * rng.choice([0.0, 0.1, 2.0], size=array.shape)
        low, high = array, array + wide
        if seed % 3 == 0:
            low, high = np.floor(low), np.ceil(high)
        lowest.append(low)
        highest.append(high)
    return tuple(lowest), tuple(highest)


def turning_points(kin):
    gate = getattr(kin.form, "gate", None)
    return () if gate is None else joints(gate, {})


def samples(kin, lower, upper, rng):
    """Points of the box: random ones, corners, and all but one entry at one end of its interval."""
    low, high = np.concatenate(lower), np.concatenate(upper)
    yield from (low + (high - low) * rng.random(low.shape) for _ in range(300))
    yield from (np.where(rng.random(low.shape) < 0.5, low, high) for _ in range(300))
    marks = [*low, *high, *turning_points(kin), *(low + 1e-9), *(low - 1e-9)]
    for place in range(len(low)):
        for mark in marks:
            for others in (low, high):
                for swapped in (False, True):
                    x = others.copy()
                    if swapped:  # the other end for the partner of a pair
                        x = np.where(np.arange(len(low)) % 2 == place % 2, low, high)
                    x[place] = np.clip(mark, low[place], high[place])
                    yield x


@every_vector_case
def test_interval_holds_all_values_and_is_reached(kin, given):
    for seed in range(12):
        lower, upper = boxes(kin, seed)
        least, greatest = kin.interval(one_or_all(lower), one_or_all(upper), **given)
        assert np.all(least <= greatest)
        points = list(samples(kin, lower, upper, np.random.default_rng(seed)))
        values = np.array([kin(*np.split(x, len(lower)), **given) for x in points])
        slack = 1e-14 * (1 + abs(values).max())
        assert np.all(values >= least - slack)
        assert np.all(values <= greatest + slack)
        np.testing.assert_allclose(values.min(axis=0), least, atol=1e-7)
        np.testing.assert_allclose(values.max(axis=0), greatest, atol=1e-7)


@every_vector_case
def test_a_box_without_bounds_has_the_range_for_its_image(kin, given):
    whole = tuple(np.full(6, np.inf) for _ in kin.arguments)
    least, greatest = kin.interval(
        one_or_all(tuple(-one for one in whole)), one_or_all(whole), **given
    )
    assert (least.min(), greatest.max()) == kin.range(**given)


@every_vector_case
def test_half_bounded_boxes_hold_all_values(kin, given):
    rng = np.random.default_rng(3)
    for _ in range(20):
        ends = [np.sort(3 * rng.normal(size=(2, 6)), axis=0) for _ in kin.arguments]
        lower = tuple(np.where(rng.random(6) < 0.4, -np.inf, low) for low, _ in ends)
        upper = tuple(np.where(rng.random(6) < 0.4, np.inf, high) for _, high in ends)
        least, greatest = kin.interval(one_or_all(lower), one_or_all(upper), **given)
        assert not np.isnan([least, greatest]).any()
        for reach in (1.0, 10.0, 1e3, 1e6):
            for _ in range(50):
                inside = [
                    np.clip(reach * rng.normal(size=6), low, high)
                    for low, high in zip(lower, upper, strict=True)
                ]
                values = kin(*inside, **given)
                assert np.all(values >= least - 1e-13 * abs(values))
                assert np.all(values <= greatest + 1e-13 * abs(values))


@every_case
def test_range_holds_and_is_reached(kin, given):
    low, high = kin.range(**given)
    values = np.concatenate(
        [
            kin(*drawn(kin, seed, scale=scale), **given).ravel()
            for seed, scale in ((0, 1e-3), (1, 1.0), (2, 1e4))
        ]
    )
    assert low <= values.min()
    assert values.max() <= high
    assert values.min() == low if math.isfinite(low) else values.min() < -1e3
    assert values.max() == high if math.isfinite(high) else values.max() > 1e3
    assert kin.bounded(**given) == (math.isfinite(low) and math.isfinite(high))


@every_case
def test_homogeneity_holds_or_is_broken(kin, given):
    arrays = drawn(kin)
    values = kin(*arrays, **given)
    for factor in (0.5, 4.0):  # exact in floating point
        scaled = kin(*(factor * one for one in arrays), **given)
        degrees = [
            degree
            for degree in (0, 1, 2, 3)
            if np.allclose(scaled, factor**degree * values, rtol=1e-12, atol=0)
        ]
        assert degrees == ([] if kin.degree is None else [kin.degree])


@every_case
def test_piecewise_linear_holds_or_is_broken(kin, given):
    arrays = apart(kin)
    step = [1e-3 * one for one in drawn(kin, 5)]
    ahead = kin(*(x + dx for x, dx in zip(arrays, step, strict=True)), **given)
    behind = kin(*(x - dx for x, dx in zip(arrays, step, strict=True)), **given)
    bend = abs(ahead + behind - 2 * kin(*arrays, **given)).max()
    assert (bend < 1e-12) == kin.is_piecewise_linear


@every_case
def test_continuity_holds_or_is_broken(kin, given):
    arrays, noise = tied(kin), drawn(kin, 5, scale=1e-9)
    moved = kin(*(x + dx for x, dx in zip(arrays, noise, strict=True)), **given)
    jump = abs(moved - kin(*arrays, **given)).max()
    assert (jump < 1e-7) == kin.is_continuous


def quotient(kin, given, arrays, step):
    """‖f(x) − f(y)‖ / ‖x − y‖."""
    moved = kin(*(x + dx for x, dx in zip(arrays, step, strict=True)), **given)
    return np.linalg.norm(moved - kin(*arrays, **given)) / np.linalg.norm(step)


def quotients(kin, given, scale):
    """Those of near and far pairs, of steps along one axis, and of pairs on both sides of a tie."""
    rng = np.random.default_rng(6)
    arrays = drawn(kin, 6, scale=scale)
    for size in (1e-3, 1.0, 10.0):
        for _ in range(20):
            step = size * rng.normal(size=(len(arrays), *SHAPE))
            yield quotient(kin, given, arrays, step)
            alone = np.arange(step.size) == rng.integers(step.size)
            yield quotient(kin, given, arrays, np.where(alone.reshape(step.shape), size, 0))
    yield quotient(kin, given, tied(kin), 1e-7 * rng.normal(size=(len(arrays), *SHAPE)))


@every_case
def test_lipschitz_holds_and_is_least(kin, given):
    if math.isfinite(kin.lipschitz()):
        found = max(quotients(kin, given, 1.0))
        assert found == pytest.approx(kin.lipschitz(), rel=1e-9)
    else:
        scales = 10 ** np.random.default_rng(7).uniform(-1, 6, size=SHAPE)
        assert max(quotients(kin, given, scales)) > 1e3


@every_vector_case
def test_directions_hold(kin, given):
    """Raise each input part: each output part moves the way that is declared, or both ways."""
    ways = kin.directions(**given)
    rises = np.zeros((len(ways), len(ways[0]), 2), dtype=bool)
    inputs, size = len(ways[0]), 30
    for seed in range(6):
        arrays = [one - 4 * (seed % 2) for one in drawn(kin, seed, shape=(size,))]
        for part in range(inputs):
            moved = [one.copy() for one in arrays]
            if len(arrays) > 1:
                moved[part] += 2.0
            elif kin.neighbours:
                moved[0][part::inputs] += 2.0
            else:
                moved[0].reshape(inputs, -1)[part] += np.where(
                    np.arange(size // inputs) % 3 == seed % 3, 2.0, 0
                )
            change = kin(*moved, **given) - kin(*arrays, **given)
            if not kin.is_continuous:  # of a whole axis only the entry's own output counts
                change = np.where(moved[0] > arrays[0], change, 0)
            for row, block in enumerate(np.split(change, len(ways))):
                rises[row, part] |= [(block > 1e-12).any(), (block < -1e-12).any()]
    found = [[int(up) - int(down) for up, down in row] for row in rises]
    assert found == [list(row) for row in ways]
    assert kin.monotone == all(way == 1 for row in kin.directions() for way in row)


@every_case
def test_width_is_that_of_the_result(kin, given):
    dim = given.get("dim", next((o.default for o in kin.options if o.name == "dim"), 0))
    y = kin(*drawn(kin), **given)
    wanted = list(SHAPE)
    wanted[dim] = kin.width(SHAPE[dim], **given)
    assert y.shape == tuple(wanted)
    words = {1 / 2: "halved", 1: "kept", 2: "doubled"}
    if kin.name != "maxout":
        assert kin.width_change == words[wanted[dim] / SHAPE[dim]]


@every_case
def test_nan_reaches_what_depends_on_it_and_nothing_else(kin, given):
    arrays = [abs(one) for one in apart(kin, shape=(6, 6, 6))]  # every gate is open
    for number in range(len(arrays)):
        for place in (0, 7, 100, 215):
            spoilt, raised = [[one.copy() for one in arrays] for _ in range(2)]
            spoilt[number].flat[place] = np.nan
            raised[number].flat[place] += 1000.0
            reached = np.isnan(kin(*spoilt, **given))
            depends = kin(*raised, **given) != kin(*arrays, **given)
            if kin.name == "topk":  # it takes a place, as 1000 does, from another entry
                depends &= np.arange(216).reshape(6, 6, 6) == place
            elif kin.name == "crelu":  # the half of −x stays 0
                depends |= np.concatenate(
                    np.split(depends, 2, axis=given.get("dim", 1))[::-1], axis=given.get("dim", 1)
                )
            np.testing.assert_array_equal(reached, depends)


@every_vector_case
def test_gain_keeps_the_second_moment(kin, given):
    """A sample of 600,000: the mean square varies by less than 1 % (4 σ)."""
    rng = np.random.default_rng(8)
    draws = [rng.normal(size=(6, 100_000)) for _ in kin.arguments]
    moment = np.mean(kin(*draws, **given) ** 2)
    size = {"size": 6} if "k" in given else {}
    assert 1 / kin.gain(**size, **given) ** 2 == pytest.approx(moment, rel=0.02)


@every_kin
def test_a_record_says_what_a_reader_needs(kin):
    texts = (kin.title, kin.formula, kin.partial_formula, kin.convention, kin.source, kin.use)
    assert all(texts)
    assert kin.advantages
    assert kin.drawbacks
    assert find(kin.title) is find(kin.name.upper()) is kin


@every_kin
def test_records_are_values(kin):
    assert copy.deepcopy(kin) == kin
    assert pickle.loads(pickle.dumps(kin)) == kin  # noqa: S301  our own bytes
    assert hash(copy.copy(kin)) == hash(kin)
    assert repr(kin) == f"hinge.activations.{kin.name}"
    assert required(kin) is not None
