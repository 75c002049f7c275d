"""A watch that fails, training that fails, copies in between: nothing is left and nothing changes."""

import copy
import io
import pickle
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import hinge
from hinge.census.watching import post as post_module
from hinge.errors import HingeError, ModelError, OptionError
from hinge.tracing.trace import Trace

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import (
    IN,
    Cnn,
    Functional,
    Mlp,
    SHAPES,
    batches,
    built,
    hooks_of,
    loss_of,
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


def broken_from(monkeypatch, call):
    """Let `glance` raise from so manyth call on."""
    real, calls = post_module.glance, []

    def glance(*args, **kwargs):
        calls.append(1)
        if len(calls) > call:
            raise ZeroDivisionError("of the watch")
        return real(*args, **kwargs)

    monkeypatch.setattr(post_module, "glance", glance)


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
    broken_from(monkeypatch, call)
    with watch, pytest.warns(RuntimeWarning, match="ZeroDivisionError: of the watch") as warned:
        for step in steps(model, watch.optimizer, data):
            assert modes_left() == 0, step
    assert len(warned) == 1
    assert same(numbers(plain, optimizer), numbers(model, watch.optimizer))
    assert hooks_of(model, watch.optimizer) == 0
    assert any("ZeroDivisionError" in note for note in watch.notes)
    assert "ZeroDivisionError" in str(watch)


def test_an_error_of_a_sink_ends_the_watch_only():
    def sink(record):
        raise OSError("disk full")

    data = batches((IN,), 20)
    plain, model = built(Mlp), built(Mlp)
    optimizer = sgd(plain)
    train(plain, optimizer, data)
    with (
        hinge.watch(model, sgd(model), every=4, sinks=[sink]) as watch,
        pytest.warns(RuntimeWarning, match="disk full") as warned,
    ):
        train(model, watch.optimizer, data)
    assert len(warned) == 1
    assert same(numbers(plain, optimizer), numbers(model, watch.optimizer))
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


@pytest.mark.parametrize("when", [1, 2, 6])
@pytest.mark.parametrize("kind", [Mlp, Functional])
def test_copies_carry_no_watch(kind, when):
    model, data = built(kind), batches((IN,), 8)
    with hinge.watch(model, sgd(model), every=4) as watch:
        for step in steps(model, watch.optimizer, data):
            if step == when:
                twin = copy.deepcopy(model)
                again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
                file = io.BytesIO()
                torch.save(model, file)
                file.seek(0)
                loaded = torch.load(file, weights_only=False)
                for other in (twin, again, loaded):
                    assert same(other.state_dict(), model.state_dict())
                    loss_of(other, data[0]).backward()
                state = copy.deepcopy(watch.optimizer)
                state.step()
    assert watch.step == 8
    assert watch.census.seen == 8 * 16
    assert all((observed.seen == 8 * 16).all() for observed in watch.census.values())


def test_start_and_stop():
    model, data = built(Functional), batches((IN,), 6)
    watch = hinge.watch(model, sgd(model), every=4)
    watch.stop()
    assert hooks_of(model, watch.optimizer) == 0
    watch.start()
    assert hooks_of(model, watch.optimizer) > 0
    with pytest.raises(OptionError, match="running already"):
        watch.start()
    train(model, watch.optimizer, data)
    watch.stop()
    watch.stop()
    assert hooks_of(model, watch.optimizer) == 0
    train(model, watch.optimizer, data)  # nobody watches
    assert (watch.step, watch.census.seen) == (6, 96)
    with watch:
        train(model, watch.optimizer, data)
    assert (watch.step, watch.census.seen) == (12, 192)
    assert all((observed.seen == 192).all() for observed in watch.census.values())
    assert hooks_of(model, watch.optimizer) == 0


def test_stopping_between_a_pass_and_its_step_loses_no_example():
    model, data = built(Mlp), batches((IN,), 6)
    with hinge.watch(model, sgd(model), every=4) as watch:
        train(model, watch.optimizer, data)
        loss_of(model, data[0])
    assert watch.census.seen == watch.census["relu1"].seen.max() == 7 * 16
    with watch:
        train(model, watch.optimizer, data)
    assert watch.census.seen == watch.census["relu1"].seen.max() == 13 * 16
    silent = watch.latest["relu1"].silent
    assert silent.min() == 0


def test_the_hooks_of_others_stay():
    model = built(Mlp)
    seen = []
    handle = model.relu1.register_forward_hook(lambda *_: seen.append(1))
    n = hooks_of(model)
    with hinge.watch(model, sgd(model)) as watch:
        train(model, watch.optimizer, batches((IN,), 3))
    assert hooks_of(model) == n == 1
    assert len(seen) == 3
    handle.remove()


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (OptionError, lambda model: hinge.watch(model, sgd(Mlp()))),
        (OptionError, lambda model: hinge.watch(model, every=0)),
        (OptionError, lambda model: hinge.watch(model, every=-3)),
        (OptionError, lambda model: hinge.watch(model, every=2.5)),
        (OptionError, lambda model: hinge.watch(model, patience=0)),
        (OptionError, lambda model: hinge.watch(model, model.parameters())),
        (OptionError, lambda model: hinge.watch(model, sinks=["log.txt"])),
        (ModelError, lambda model: hinge.watch(nn.DataParallel(model))),
        (ModelError, lambda model: hinge.watch(model.forward)),
        (ModelError, lambda model: hinge.watch(None)),
    ],
)
def test_bad_input_is_told_in_four_parts(kind, call):
    model = built(Mlp)
    with pytest.raises(kind) as caught:
        call(model)
    error = caught.value
    assert isinstance(error, HingeError)
    assert all((str(error), error.where, error.found, error.do))
    assert hooks_of(model) == 0


def test_a_model_without_an_activation_is_told_once_and_trains_on():
    model = nn.Linear(IN, 3)
    with (
        pytest.warns(RuntimeWarning, match="no activation that Hinge knows") as warned,
        hinge.watch(model, sgd(model)) as watch,
    ):
        train(model, watch.optimizer, batches((IN,), 6))
    assert len(warned) == 1
    assert len(watch.census) == 0
    assert "do this" in str(warned[0].message)
    assert hooks_of(model, watch.optimizer) == 0


def test_a_model_that_is_never_called_is_told_in_the_notes():
    class Indirect(Mlp):
        def loss(self, batch):
            return self.forward(batch[0]).square().mean()

    model = built(Indirect)
    with hinge.watch(model, sgd(model)) as watch:
        for batch in batches((IN,), 6):
            watch.optimizer.zero_grad()
            model.loss(batch).backward()
            watch.optimizer.step()
    assert any("no pass of the model was seen" in note for note in watch.notes)


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
