"""Starting and stopping, copies in between, and what a watch refuses to begin with."""

import copy
import io
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hinge
from hinge.census.watching.counting.ledger import Ledger
from hinge.errors import HingeError, ModelError, OptionError

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import (
    IN,
    Functional,
    Mlp,
    batches,
    built,
    hooks_of,
    loss_of,
    same,
    sgd,
    steps,
    train,
)


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
    assert watch.latest["relu1"].silent.min() == 0


def test_the_examples_up_to_each_step_also_where_a_step_came_in_parts():
    ledger, parts = Ledger(), [(0, 16), (1, 16), (1, 16), (2, 16), (5, 16), (5, 3), (6, 3), (7, 3)]
    for step, examples in parts:
        ledger.add(step, examples)
    steps = np.arange(-1, 8)
    steps = steps[~np.isin(steps, (3, 4))]  # steps that there were
    truth = [sum(n for at, n in parts if at <= step) for step in steps]
    assert ledger.until(steps).tolist() == truth
    assert ledger.examples == truth[-1]


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
