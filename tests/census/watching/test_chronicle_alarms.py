"""Gradients, activations and steps: what befalls a whole site, told once and at its step."""

import sys
from pathlib import Path

import numpy as np
import pytest

from hinge.census.watching.telling.pulses import SPAN, medians_before
from hinge.events import Cause, Kind

sys.path.insert(0, str(Path(__file__).parent))
from chronicle_simulation import Layer, Training

NAN = float("nan")


def two(**options):
    return Training(Layer("a", 4, 0.4), Layer("b", 4, 0.4, ("a",)), **options)


def test_medians_are_those_of_the_steps_before():
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=(250, 3))
    values[rng.random(values.shape) < 0.1] = np.nan
    values[40, 1] = np.inf
    median, high = medians_before(values, 0)
    for row in (7, 8, 9, 60, 100, 101, 249):
        for column in range(3):
            before = values[max(row - SPAN, 0) : row, column]
            before = before[np.isfinite(before)]
            if before.size < 8:
                assert np.isnan(median[row, column])
            else:
                assert median[row, column] == pytest.approx(np.median(before))
                assert np.mean(before <= high[row, column]) >= 0.9
    np.testing.assert_array_equal(medians_before(values, 130)[0], median[130:])


@pytest.mark.parametrize(("factor", "step"), [(500, 203), (np.inf, 208)])
def test_an_exploded_gradient_at_its_step(factor, step):
    def before(now, training):
        if now in (step, step + 1, step + 40):
            training.layers["b"].gradient *= factor

    (event,) = two().run(600, before)
    assert (event.kind, event.step, event.site) == (Kind.GRADIENT_EXPLODED, step, "b")
    assert event.cause is Cause.UNKNOWN


def test_sites_that_explode_together_are_one_event_and_the_rate_before_is_blamed():
    def before(now, training):
        training.rate = 3.0 if now == 240 else 0.1
        if now == 241:
            training.layers["a"].gradient *= 300
            training.layers["b"].gradient *= 900

    (event,) = two().run(600, before)
    assert (event.step, event.site, event.cause) == (241, "b", Cause.LEARNING_RATE)
    assert "1 other site" in event.evidence


def test_a_second_explosion_long_after_the_first_is_news():
    def before(now, training):
        if now in (150, 450):
            training.layers["a"].gradient *= 500

    assert [e.step for e in two().run(600, before)] == [150, 450]


def test_gradients_that_are_no_numbers_any_more():
    def before(now, training):
        if now >= 213:
            for layer in training.layers.values():
                layer.gradient = NAN

    (event,) = two().run(600, before)
    assert (event.kind, event.step, event.site) == (Kind.GRADIENT_EXPLODED, 213, "b")


def test_steps_without_gradients_are_no_explosion():
    def before(now, training):
        if now % 5 == 4:
            for layer in training.layers.values():
                layer.gradient = NAN
        if now > 200:  # frozen from then on
            training.layers["a"].gradient = NAN

    assert two().run(600, before) == []


def test_skipped_steps_on_end_are_one_event_and_their_gradients_none():
    def before(now, training):
        training.scale = 65536.0 if now < 312 else 16384.0
        training.skipped = now in (0, 310, 311, 500)
        if training.skipped:
            training.layers["a"].gradient = np.inf

    events = two().run(640, before)
    assert [e.kind for e in events] == [Kind.STEP_SKIPPED] * 3
    assert [e.step for e in events] == [0, 310, 500]
    assert {e.cause for e in events} == {Cause.SCALE}
    assert events[1].evidence.startswith("2 updates")
    assert "65,536 to 16,384" in events[1].evidence
    assert "of a were not finite" in events[1].evidence


def test_a_run_of_skips_over_a_look_is_told_once():
    def before(now, training):
        training.skipped = 300 <= now < 340

    (event,) = two().run(640, before)
    assert event.step == 300


@pytest.mark.parametrize("value", [NAN, np.inf, 1e4])
def test_activations_that_explode(value):
    def before(now, training):
        if now >= 303:
            training.layers["a"].top[1] = value
            training.layers["b"].top[:] = value

    (event,) = two().run(640, before)[:1]
    assert (event.kind, event.step, event.site) == (Kind.ACTIVATION_EXPLODED, 303, "a")
    assert "1 other site" in event.evidence


def test_an_activation_beyond_half_precision():
    def before(now, training):
        training.scale = 1024.0
        training.layers["a"].top[:] = 2000 * 1.01**now

    events = two().run(400, before)
    assert events[0].kind is Kind.ACTIVATION_EXPLODED
    assert "Half precision ends at 65,504" in events[0].evidence


def test_units_pushed_far_below_the_kink_are_no_explosion():
    def before(now, training):
        if now == 201:
            training.layers["a"].kill(1, top=-1e4)

    assert [e.kind for e in two().run(400, before)] == [Kind.DIED]


def test_a_run_that_is_lost_is_told_as_such_and_not_as_death():
    def before(now, training):
        if now >= 203:  # nothing finite: no example counts, and nothing is seen to fire
            for layer in training.layers.values():
                layer.kill(0, 1, 2, 3, top=-np.inf)
                layer.gradient = NAN
                layer.batch = 0

    events = two().run(600, before)
    assert {(e.kind, e.site) for e in events} == {
        (Kind.GRADIENT_EXPLODED, "b"),
        (Kind.ACTIVATION_EXPLODED, "a"),
    }
    assert events[0].step == 203


def test_activations_that_nobody_has_seen_are_no_explosion():
    def before(now, training):
        training.layers["a"].top[:2] = -np.inf

    assert two().run(100, before) == []


@pytest.mark.parametrize("tiny", [0.0, 1e-9])
def test_a_gradient_that_vanishes_while_the_others_train(tiny):
    def before(now, training):
        if now >= 203:
            training.layers["a"].gradient = tiny

    (event,) = two().run(900, before)
    assert (event.kind, event.step, event.site) == (Kind.GRADIENT_VANISHED, 203, "a")
    assert event.cause is Cause.UNKNOWN
    assert 302 <= event.found_at < 302 + 16


def test_a_gradient_that_was_never_there():
    def before(now, training):
        training.layers["a"].gradient = 1e-12

    (event,) = two().run(900, before)
    assert (event.kind, event.step, event.site) == (Kind.GRADIENT_VANISHED, 0, "a")


def test_gradients_of_weights_stand_in_where_there_is_no_bias():
    layer = Layer("a", 4, 0.4, has_bias=False, gradient_norm=2.0)

    def before(now, training):
        layer.gradient = NAN
        layer.gradient_norm = 2.0 if now < 320 else 0.0

    (event,) = Training(layer, Layer("b", 4, 0.4)).run(900, before)
    assert (event.kind, event.step, event.site) == (Kind.GRADIENT_VANISHED, 335, "a")


def test_vanished_for_the_dead_site_behind():
    def before(now, training):
        if now >= 203:
            training.layers["b"].kill(0, 1, 2, 3)
            for layer in training.layers.values():
                layer.gradient = 0.0

    events = two().run(900, before)
    (event,) = (e for e in events if e.kind is Kind.GRADIENT_VANISHED)
    assert (event.step, event.site, event.cause) == (203, "a", Cause.UPSTREAM)
    assert "all units of b" in event.evidence


def test_vanished_in_half_precision():
    def before(now, training):
        training.scale = 65536.0 if now < 200 else 1.0
        training.skipped = now == 200
        if now > 200:
            for layer in training.layers.values():
                layer.gradient = 0.0

    events = [e for e in two().run(600, before) if e.kind is Kind.GRADIENT_VANISHED]
    assert {(e.site, e.step, e.cause) for e in events} == {
        ("a", 201, Cause.SCALE),
        ("b", 201, Cause.SCALE),
    }
    assert len(events) == 2


def test_a_network_that_does_not_train_any_more_is_no_vanished_gradient():
    def before(now, training):
        if now > 200:
            for layer in training.layers.values():
                layer.gradient = 0.0

    assert two().run(900, before) == []


def test_a_vanished_gradient_that_returns_is_over():
    def before(now, training):
        if 200 <= now < 290 or 400 <= now < 450:
            training.layers["a"].gradient = 0.0

    assert two().run(900, before) == []
