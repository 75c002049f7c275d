"""A watch that fails, training that fails: nothing is left and nothing changes."""

import sys
from pathlib import Path

import pytest
import torch

import hinge
from hinge.tracing.trace import Trace

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import (
    IN,
    SHAPES,
    Cnn,
    Functional,
    Mlp,
    batches,
    break_counting,
    built,
    hooks_of,
    modes_left,
    numbers,
    same,
    sgd,
    steps,
    train,
)


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    assert modes_left() == 0


@pytest.mark.parametrize("kind", [Mlp, Functional, Cnn])
@pytest.mark.parametrize("call", [0, 1, 2, 6, 7, 33])
@pytest.mark.parametrize("every", [1, 3])
def test_an_error_of_the_watch_ends_the_watch_only(kind, call, every, monkeypatch):
    data = batches(SHAPES[kind], 20)
    plain = built(kind)
    optimizer = sgd(plain)
    train(plain, optimizer, data)
    model = built(kind)
    watch = hinge.watch(model, sgd(model), every=every)
    break_counting(monkeypatch, call)
    with pytest.warns(RuntimeWarning, match="ZeroDivisionError: of the watch") as warned, watch:
        left = [modes_left() for _ in steps(model, watch.optimizer, data)]
    assert not any(left)
    assert len(warned) == 1
    assert same(numbers(plain, optimizer), numbers(model, watch.optimizer))
    assert hooks_of(model, watch.optimizer) == 0
    assert any("ZeroDivisionError" in note for note in watch.notes)
    assert "ZeroDivisionError" in str(watch)


def test_an_error_of_a_sink_ends_the_sink_only():
    def sink(record):
        raise OSError("disk full")

    data = batches((IN,), 20)
    plain, model = built(Mlp), built(Mlp)
    optimizer = sgd(plain)
    train(plain, optimizer, data)
    watch = hinge.watch(model, sgd(model), every=1, sinks=[sink])
    with pytest.warns(RuntimeWarning, match="disk full") as warned, watch:
        train(model, watch.optimizer, data)
    assert len(warned) == 1
    assert same(numbers(plain, optimizer), numbers(model, watch.optimizer))
    assert watch.census.seen == 320
    assert hooks_of(model, watch.optimizer) == 0


def test_a_sink_that_cannot_be_closed_does_not_end_the_training():
    class Sink:
        def numbers(self, step, values):
            pass

        def event(self, event):
            pass

        def close(self):
            raise OSError("gone")

    model = built(Mlp)
    with (
        pytest.warns(RuntimeWarning, match="gone"),
        hinge.watch(model, sgd(model), sinks=[Sink()]) as watch,
    ):
        train(model, watch.optimizer, batches((IN,), 3))
    assert hooks_of(model, watch.optimizer) == 0


class Bomb(Mlp):
    """Fails in the midst of a pass, once."""

    at = 3
    error: BaseException = ValueError("of the training")

    def forward(self, x):
        x = self.relu1(self.first(x))
        self.at -= 1
        if self.at == 0:
            raise self.error
        return self.out(torch.relu(self.second(x)))


@pytest.mark.parametrize("error", [ValueError("of the training"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_an_error_of_the_training_passes_and_the_watch_stops(at, error):
    model = built(Bomb)
    model.at, model.error = at, error
    with pytest.raises(type(error)), hinge.watch(model, sgd(model), every=3) as watch:
        train(model, watch.optimizer, batches((IN,), 9))
    assert hooks_of(model, watch.optimizer) == 0
    assert watch.step == at - 1
    assert modes_left() == 0


@pytest.mark.parametrize("error", [ValueError("of the training"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_the_watch_goes_on_after_a_pass_that_was_broken_off(at, error):
    """As in a notebook, where one cell starts the watch and another one is interrupted."""
    model = built(Bomb)
    model.at, model.error = at, error
    watch = hinge.watch(model, sgd(model), every=3).start()
    data = batches((IN,), 20)
    with pytest.raises(type(error)):
        train(model, watch.optimizer, data)
    before = watch.census["relu1"].seen.max()
    train(model, watch.optimizer, data)
    assert modes_left() == 0
    watch.stop()
    assert watch.step == at - 1 + 20
    assert (watch.census["relu1"].seen - before).tolist() == [20 * 16] * 8
    assert watch.census["relu()"].seen.tolist() == [(at - 1 + 20) * 16] * 8
    assert not watch.notes


class Busy(Mlp):
    """Does in a pass what models do besides computing."""

    def forward(self, x):
        with torch.autograd.profiler.record_function("a part"):
            x = self.relu1(self.first(x))
        if x.mean().item() > 1e9 or bool((x > 1e9).any()) or x.sum().isnan():
            raise ValueError
        x.detach().tolist(), x.nonzero(), torch.arange(3), torch.rand(2).unbind(), x.max(1)
        return self.out(self.relu2(self.second(x)))


@pytest.mark.parametrize("every", [1, 3])
def test_what_else_a_model_may_do_in_a_pass(every):
    model = built(Busy)
    with hinge.watch(model, sgd(model), every=every) as watch:
        train(model, watch.optimizer, batches((IN,), 6))
    assert (watch.census["relu2"].seen == 6 * 16).all()
    assert not watch.notes


@pytest.mark.parametrize("part", ["_match", "_activated"])
def test_an_error_in_the_survey_ends_the_watch_only(part, monkeypatch):
    def fails(*_):
        raise ZeroDivisionError("of the survey")

    data = batches((IN,), 8)
    plain, model = built(Mlp), built(Mlp)
    optimizer = sgd(plain)
    train(plain, optimizer, data)
    monkeypatch.setattr(Trace, part, fails)
    with (
        pytest.warns(RuntimeWarning, match="of the survey"),
        hinge.watch(model, sgd(model), every=3) as watch,
    ):
        train(model, watch.optimizer, data)
    assert same(numbers(plain, optimizer), numbers(model, watch.optimizer))
    assert hooks_of(model, watch.optimizer) == 0
