"""Deaths: at the right step, of the right units, for the right cause."""

import sys
from pathlib import Path

import numpy as np
import pytest

from hinge.events import Cause, Kind

sys.path.insert(0, str(Path(__file__).parent))
from chronicle_simulation import LEAKY, Layer, Training


def deaths(events):
    return [event for event in events if event.kind is Kind.DIED]


def lethal(step, *units, **changes):
    """The update of ``step`` kills: from the forward pass of the next step on they are silent."""

    def before(now, training):
        layer = training.layers["a"]
        if now == step:
            layer.gradient *= changes.get("gradient", 1)
            training.rate *= changes.get("rate", 1)
        if now == step + 1:
            layer.kill(*units)

    return before


@pytest.mark.parametrize("step", [100, 207, 303, 304, 415])
def test_the_gradient_of_the_last_firing_is_to_blame_and_the_step_is_exact(step):
    training = Training(Layer("a", 8, 0.4), Layer("b", 4, 0.4, ("a",)))
    (event,) = training.run(700, lethal(step, 2, 5, gradient=38))
    assert (event.kind, event.site, event.units) == (Kind.DIED, "a", (2, 5))
    assert event.step == step + 1
    assert event.cause is Cause.GRADIENT
    assert f"step {step} the bias gradient" in event.evidence
    assert "went from 2 " in event.evidence
    assert "-14" in event.evidence


def test_a_gradient_after_the_death_is_not_to_blame():
    def before(now, training):
        layer = training.layers["a"]
        if now == 301:
            layer.kill(3)
            layer.gradient *= 50

    (event,) = Training(Layer("a", 8, 0.4)).run(600, before)
    assert (event.step, event.cause) == (301, Cause.UNKNOWN)
    assert "learning rate (0.1)" in event.evidence


def test_so_early_there_is_nothing_to_compare_with():
    def before(now, training):
        if now == 5:
            training.layers["a"].kill(1)

    (event,) = Training(Layer("a", 4, 0.4)).run(300, before)
    assert (event.step, event.cause) == (5, Cause.UNKNOWN)
    assert "So early" in event.evidence


def test_a_learning_rate_spike():
    (event,) = Training(Layer("a", 8, 0.4)).run(600, lethal(312, 1, rate=9))
    assert (event.step, event.cause) == (313, Cause.LEARNING_RATE)
    assert "9 times" in event.evidence
    assert "0.9" in event.evidence


def test_the_first_of_two_spikes_is_blamed_and_of_one_step_the_larger():
    def both(rate_at, gradient_at, rate, gradient):
        def before(now, training):
            if now == rate_at:
                training.rate *= rate
            if now == gradient_at:
                training.layers["a"].gradient *= gradient
            if now == 321:
                training.layers["a"].kill(0)

        (event,) = Training(Layer("a", 4, 0.4), seed=1).run(500, before)
        return event.cause

    assert both(317, 320, 10, 60) is Cause.LEARNING_RATE
    assert both(320, 317, 10, 60) is Cause.GRADIENT
    assert both(320, 320, 10, 60) is Cause.GRADIENT
    assert both(320, 320, 60, 10) is Cause.LEARNING_RATE


def test_a_rate_that_stays_large_is_blamed_for_the_gradients_that_follow():
    def before(now, training):
        training.rate *= 20 if 300 <= now < 320 else 1
        if now == 310:
            training.layers["a"].gradient *= 90
        if now == 311:
            training.layers["a"].kill(1)

    (found,) = deaths(Training(Layer("a", 8, 0.4)).run(600, before))
    assert found.cause is Cause.LEARNING_RATE
    assert "At step 300 the learning rate was 20 times" in found.evidence


def test_momentum_carries_a_spike_but_not_for_ever():
    def at(step):
        def before(now, training):
            if now == step:
                training.layers["a"].gradient *= 30
            if now == 321:
                training.layers["a"].kill(0)

        return Training(Layer("a", 4, 0.4)).run(500, before)[0].cause

    assert at(315) is Cause.GRADIENT
    assert at(300) is Cause.UNKNOWN


def test_a_linear_warm_up_is_no_spike():
    def before(now, training):
        training.rate = min(0.001 * (now + 1), 0.4)
        if now == 301:
            training.layers["a"].kill(0)

    (event,) = Training(Layer("a", 4, 0.4)).run(500, before)
    assert event.cause is Cause.UNKNOWN


def test_bias_drift():
    def before(now, training):
        layer = training.layers["a"]
        layer.bias[1] = -0.02 * min(now, 300)
        layer.top[1] = 4 + layer.bias[1] if now <= 200 else -2.0
        if now == 201:
            layer.kill(1, top=-0.02)

    (event,) = Training(Layer("a", 4, 0.4)).run(500, before)
    assert (event.step, event.units, event.cause) == (201, (1,), Cause.BIAS)
    assert "bias fell" in event.evidence


def test_a_leap_of_the_bias_is_no_drift():
    def before(now, training):
        layer = training.layers["a"]
        if now == 201:
            layer.kill(1)
            layer.bias[1] = -16

    (event,) = Training(Layer("a", 4, 0.4)).run(500, before)
    assert event.cause is Cause.UNKNOWN


@pytest.mark.parametrize("has_bias", [True, False])
def test_mean_shift(has_bias):
    def before(now, training):
        layer = training.layers["a"]
        layer.mean[1] = -0.5 - 0.02 * min(now, 210)
        layer.top[1] = 4 - 0.02 * min(now, 210)
        if now == 201:
            layer.kill(1, top=-0.02)

    (event,) = Training(Layer("a", 4, 0.4, has_bias=has_bias)).run(500, before)
    assert (event.step, event.cause) == (201, Cause.SHIFT)
    assert "mean" in event.evidence


def test_means_far_off_centre():
    def before(now, training):
        training.layers["a"].mean[:] = 8.0
        if now == 201:
            training.layers["a"].kill(1)

    (event,) = Training(Layer("a", 4, 0.4)).run(500, before)
    assert event.cause is Cause.SHIFT
    assert "8 times" in event.evidence


def test_upstream_death_beats_a_spike_that_fits_too():
    def before(now, training):
        if now == 250:
            training.layers["b"].gradient *= 50
        if now == 251:
            training.layers["a"].kill(0, 1, 2)
            training.layers["b"].kill(0, 3)

    training = Training(Layer("a", 3, 0.4), Layer("b", 4, 0.4, ("a",)))
    events = training.run(500, before)
    died = {event.site: event for event in deaths(events)}
    assert died["b"].cause is Cause.UPSTREAM
    assert died["b"].units == (0, 3)
    assert "All 3 units of a" in died["b"].evidence
    assert died["a"].cause is Cause.UNKNOWN


def test_most_of_the_units_before():
    def before(now, training):
        if now == 151:
            training.layers["a"].kill(0, 1, 2)
        if now == 251:
            training.layers["b"].kill(0)

    training = Training(Layer("a", 4, 0.4), Layer("b", 4, 0.4, ("a",)))
    event = deaths(training.run(500, before))[-1]
    assert (event.site, event.step, event.cause) == ("b", 251, Cause.UPSTREAM)
    assert "3 of 4 units of a" in event.evidence


def test_upstream_deaths_that_came_later_explain_nothing():
    def before(now, training):
        if now == 151:
            training.layers["b"].kill(0)
        if now == 161:
            training.layers["a"].kill(0, 1, 2, 3)

    training = Training(Layer("a", 4, 0.4), Layer("b", 4, 0.4, ("a",)))
    event = next(x for x in deaths(training.run(500, before)) if x.site == "b")
    assert event.cause is Cause.UNKNOWN


def test_the_loss_scale():
    def before(now, training):
        training.scale = 65536.0 if now < 200 else 1024.0
        if now == 201:
            training.layers["a"].kill(1)

    (event,) = deaths(Training(Layer("a", 4, 0.4)).run(500, before))
    assert event.cause is Cause.SCALE
    assert "65,536 to 1,024" in event.evidence


def test_born_dead_units_are_one_event_at_step_0():
    layer = Layer("a", 8, 0.4)
    layer.kill(0, 4)
    (event,) = Training(layer).run(600)
    assert (event.kind, event.step, event.units) == (Kind.BORN_DEAD, 0, (0, 4))
    assert event.cause is Cause.INITIALISATION
    assert event.found_at == 111  # the first look after 100 steps


def test_born_dead_needs_examples_not_steps_alone():
    layer = Layer("a", 2, [0.4, 0.0], batch=1)
    training = Training(layer)
    assert training.run(288) == []
    (event,) = training.run(16)
    assert (event.kind, event.units) == (Kind.BORN_DEAD, (1,))


def test_born_dead_behind_the_born_dead():
    training = Training(Layer("a", 2, 0.0), Layer("b", 2, [0.0, 1.0], ("a",)))
    born = {e.site: e for e in training.run(200) if e.kind is Kind.BORN_DEAD}
    assert born["a"].cause is Cause.INITIALISATION
    assert born["b"].cause is Cause.UPSTREAM
    assert born["b"].units == (0,)


def test_units_that_die_at_the_same_step_for_other_reasons_are_other_events():
    def before(now, training):
        layer = training.layers["a"]
        layer.bias[1] = -0.02 * now
        layer.top[1] = 4 + layer.bias[1]
        if now == 201:
            layer.kill(1, top=-0.02)
            layer.kill(2, 3)

    events = Training(Layer("a", 8, 0.4)).run(500, before)
    assert {(e.step, e.units, e.cause) for e in events} == {
        (201, (1,), Cause.BIAS),
        (201, (2, 3), Cause.UNKNOWN),
    }


def test_a_rare_unit_is_dead_when_its_silence_is_improbable_and_not_before():
    layer = Layer("a", 2, [0.4, 0.001])
    training = Training(layer, seed=3)
    assert training.run(4800) == []

    layer.kill(1)
    last = int(layer.last[1])
    events = training.run(3200)
    (event,) = events
    assert (event.step, event.units) == (last + 1, (1,))
    assert event.found_at - last > 7 / (0.001 * 64)  # (1 - f) ** silent < 1e-3 at the least


def test_a_spike_in_the_silence_of_a_rare_unit_may_be_to_blame():
    layer = Layer("a", 1, 0.01)

    def before(now, training):
        if now == 402:
            training.layers["a"].gradient *= 60
        if now == 403:
            training.layers["a"].kill(0)

    training = Training(layer, seed=5)
    events = deaths(training.run(1200, before))
    assert [event.cause for event in events] == [Cause.GRADIENT]
    assert events[0].step == layer.last[0] + 1


def test_activations_that_leak_have_no_deaths():
    layer = Layer("a", 4, 0.4, traits=LEAKY)
    layer.kill(0)
    assert Training(layer).run(300) == []


def test_what_died_comes_back_and_dies_again():
    layer = Layer("a", 4, 0.4)
    training = Training(layer)
    training.run(64)
    layer.kill(2)
    (first,) = training.run(160)
    layer.rates[2], layer.top[2], layer.bias[2] = 0.3, 1.0, 15.0
    (back,) = training.run(640)
    layer.kill(2)
    (second,) = training.run(320)
    assert (first.kind, first.step) == (Kind.DIED, 64)
    assert (back.kind, back.units, back.cause) == (Kind.CAME_BACK, (2,), Cause.BIAS)
    assert 224 <= back.step <= back.found_at == 239
    assert (second.kind, second.step) == (Kind.DIED, 64 + 160 + 640)
    assert [x.step for x in training.chronicle.events] == [64, back.step, 864]


def test_a_collapsing_layer_is_told_at_half_and_at_all():
    def before(now, training):
        if now in (101, 131, 161):
            training.layers["a"].kill((now - 101) // 30)
        if now == 401:
            training.layers["a"].kill(3)

    events = Training(Layer("a", 4, 0.4)).run(900, before)
    half, whole = (event for event in events if event.kind is Kind.COLLAPSING)
    assert (half.step, half.units) == (161, (0, 1, 2))
    assert (whole.step, whole.units) == (401, (0, 1, 2, 3))


def test_a_site_of_one_unit_collapses_once():
    training = Training(Layer("a", 1, 0.4))
    training.run(64)
    training.layers["a"].kill(0)
    assert [e.kind for e in training.run(400)] == [Kind.DIED, Kind.COLLAPSING]


@pytest.mark.parametrize("seed", range(3))
def test_a_healthy_run_is_quiet(seed):
    rates = np.geomspace(0.0005, 1.0, 60)
    layers = (Layer("a", 60, rates), Layer("b", 60, rates[::-1], ("a",)))
    assert Training(*layers, seed=seed).run(4000) == []


def test_a_unit_that_fires_less_and_less_is_not_dead():
    def before(now, training):
        training.layers["a"].rates[:] = max(0.5 * 0.995**now, 0.0005)

    assert Training(Layer("a", 20, 0.5), seed=2).run(4000, before) == []


def test_a_census_that_begins_anew_changes_nothing():
    def run(restarts):
        layer = Layer("a", 40, np.geomspace(0.002, 1, 40))

        def before(now, training):
            if now in restarts:
                layer.restart()
            if now == 401:
                layer.kill(30)

        return Training(layer, seed=4).run(1200, before)

    (plain,), (event,) = run(()), run((200, 210, 420, 600, 1000))
    assert (event.kind, event.step, event.units) == (Kind.DIED, 401, (30,))
    assert event == plain


def test_who_is_dead_now():
    training = Training(Layer("a", 3, 0.4), Layer("b", 2, [0.0, 0.5]))
    training.run(128)
    training.layers["a"].kill(1)
    training.run(128)
    assert training.chronicle.dead() == {"a": (1,), "b": (0,)}
    training.layers["b"].rates[0] = 0.5
    training.run(16)
    assert training.chronicle.dead() == {"a": (1,)}
