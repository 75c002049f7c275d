"""The chronicle holds out: odd sites, odd numbers, bad input, and a memory that does not grow."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from hinge.census.watching.glimpse import Glimpse, Pulse
from hinge.census.watching.telling.chronicle import Chronicle
from hinge.errors import DataError, OptionError

sys.path.insert(0, str(Path(__file__).parent))
from chronicle_simulation import RELU, Layer, Training, site

NAN = float("nan")


def bare(n, step=-1, seen=0):
    """A glimpse with nothing but counts."""
    zero = np.zeros(n, np.int64)
    silent = zero + seen if step < 0 else zero
    top = np.full(n, -np.inf if not seen else 1.0)
    return Glimpse(site("a", n), RELU, zero + seen, zero, zero + step, silent, top)


def test_nothing_seen_and_nothing_known():
    chronicle = Chronicle({"a": site("a", 3), "b": site("b", 0)})
    assert chronicle.look(0, {}) == []
    for step in range(1, 400):
        chronicle.pulse(Pulse(step, NAN, np.array([NAN, NAN])))
        assert chronicle.look(step, {"a": bare(3), "b": bare(0)}) == []
    assert chronicle.events == ()


def test_a_look_without_any_step():
    (event,) = Chronicle({"a": site("a", 1)}, patience=50).look(60, {"a": bare(1, seen=900)})[:1]
    assert event.units == (0,)


def test_a_model_without_sites():
    chronicle = Chronicle({})
    for step in range(20):
        chronicle.pulse(Pulse(step, 0.1, np.empty(0)))
    assert chronicle.look(19, {}) == []


def test_numbers_that_are_none_do_no_harm():
    layer = Layer("a", 5, 0.4)

    def before(now, training):
        layer.bias[0] = NAN
        layer.mean[1] = np.inf
        layer.top[2] = NAN if now > 150 else 2.0
        training.rate = NAN if now % 7 == 0 else 0.1
        if now == 200:
            layer.kill(0, 1)

    events = Training(layer).run(600, before)
    assert {unit for event in events for unit in event.units} == {0, 1}
    assert all(event.step == 200 for event in events if event.units)
    for event in events:
        assert "nan" not in event.evidence


def test_a_second_look_at_the_same_step_finds_nothing():
    training = Training(Layer("a", 4, 0.4))
    training.layers["a"].kill(1)
    first = training.run(112)
    assert len(first) == 1
    assert training.look() == []
    assert training.chronicle.events == tuple(first)


def test_events_are_in_the_order_of_their_steps():
    def before(now, training):
        if now == 250:
            training.layers["a"].gradient *= 500
        if now == 230:
            training.layers["a"].kill(1)

    training = Training(Layer("a", 4, 0.4))
    found = training.run(500, before)
    assert [event.step for event in found] == [250, 230]  # a death is noticed late
    assert [event.step for event in training.chronicle.events] == [230, 250]


def test_memory_does_not_grow_with_the_run():
    def before(now, training):
        if now % 9 == 0:
            training.layers["a"].gradient *= 20

    training = Training(Layer("a", 16, np.geomspace(0.01, 1, 16)), window=128)
    sizes = []
    for _ in range(3):
        training.run(1600, before)
        sizes.append(len(pickle.dumps(training.chronicle)))
    assert training.chronicle.events == ()
    assert sizes[2] <= sizes[1] * 1.01


def test_looks_further_apart_than_the_window_still_see_deaths():
    def before(now, training):
        if now == 401:
            training.layers["a"].kill(1)

    training = Training(Layer("a", 4, 0.4), every=300, window=64)
    (event,) = training.run(900, before)
    assert event.step == 401


@pytest.mark.parametrize("name", ["patience", "examples", "window"])
def test_options_too_small(name):
    with pytest.raises(OptionError, match=name):
        Chronicle({"a": site("a", 1)}, **{name: 0})


def test_bad_steps_and_sites_leave_everything_as_it_was():
    chronicle = Chronicle({"a": site("a", 2)})
    chronicle.pulse(Pulse(5, 0.1, np.ones(1)))
    for wrong in (Pulse(5, 0.1, np.ones(1)), Pulse(6, 0.1, np.ones(2))):
        with pytest.raises(DataError):
            chronicle.pulse(wrong)
    chronicle.look(5, {"a": bare(2)})
    for step, glimpses in ((4, {}), (6, {"b": bare(2)}), (6, {"a": bare(3)})):
        with pytest.raises(DataError):
            chronicle.look(step, glimpses)
    chronicle.pulse(Pulse(6, 0.1, np.ones(1)))
    assert chronicle.look(6, {"a": bare(2)}) == []
