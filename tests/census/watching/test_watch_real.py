"""A watch over the training of real kinds of models."""

import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hinge
from hinge.census.watching.counting.attendance import Attendance
from hinge.errors import ModelError, OptionError

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import IN, OUT, Mlp, batches, built, hooks_of, numbers, same, sgd, train


class Seldom(nn.Module):
    """An expert that runs at the first and at every so manyth pass; its units fire seldom."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self.every, self.passes = every, 0
        self.usual = nn.Sequential(nn.Linear(IN, 6), nn.ReLU(), nn.Linear(6, OUT))
        self.expert = nn.Sequential(nn.Linear(IN, 6), nn.ReLU(), nn.Linear(6, OUT))
        with torch.no_grad():
            self.expert[0].bias.fill_(-0.9)

    def forward(self, x):
        out = self.usual(x)
        if self.passes % self.every == 0:
            out = out + self.expert(x)
        self.passes += 1
        return out


class Mapped(nn.Module):
    """Only the sampled steps show what runs inside `torch.vmap`."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.out = nn.Linear(IN, 6), nn.Linear(6, OUT)
        with torch.no_grad():
            self.first.bias.fill_(-0.9)

    def forward(self, x):
        return self.out(torch.vmap(lambda row: F.relu(self.first(row)))(x))


@pytest.mark.parametrize(
    ("kind", "site", "every"),
    [
        (lambda: Seldom(32), "expert.1", 16),
        (lambda: Seldom(7), "expert.1", 2),
        (Mapped, "relu()", 8),
    ],
    ids=["expert", "expert at odd passes", "vmap"],
)
def test_a_unit_is_not_silent_while_nobody_looks_at_its_site(kind, site, every):
    model, data = built(kind), batches((IN,), 321)
    with hinge.watch(model, sgd(model, 0.0), every=every) as watch:
        train(model, watch.optimizer, data)
    glimpse = watch.latest[site]
    assert 0 < glimpse.seen.max() < watch.census.seen / 2
    assert np.all(glimpse.silent <= glimpse.seen)
    alive = glimpse.fired > 0
    assert alive.sum() > 3
    assert not [e for e in watch.events if alive[list(e.units)].any()]


def test_an_expert_that_is_never_run_again_does_not_die_of_it():
    model, data = built(lambda: Seldom(10**9)), batches((IN,), 200)
    with torch.no_grad():
        model.expert[0].bias.zero_()
    with hinge.watch(model, sgd(model, 0.0), every=4) as watch:
        train(model, watch.optimizer, data)
    assert watch.latest["expert.1"].silent.tolist() == [0] * 6
    assert not watch.events


def test_silent_examples_are_those_that_the_site_saw():
    attendance = Attendance(3)

    def silent(seen, examples, since):
        return attendance(np.full(3, seen), examples, np.array(since)).tolist()

    assert silent(100, 100, [0, 10, 100]) == [0, 10, 100]  # sees all that the model sees
    assert silent(100, 300, [200, 210, 300]) == [0, 10, 100]  # is not run
    assert silent(150, 400, [100, 10, 400]) == [50, 0, 150]  # is run for half of it
    assert silent(350, 500, [0, 50, 500]) == [0, 100, 350]  # gets each example twice
    assert silent(30, 600, [10, 20, 600]) == [10, 20, 30]  # is counted anew


def test_a_lazy_model_is_watched_from_its_second_pass_on():
    def trained(watching):
        model = built(lambda: nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(OUT)))
        optimizer, data = sgd(model), batches((IN,), 20)
        with hinge.watch(model, optimizer, every=2) if watching else nullcontext() as watch:
            train(model, optimizer, data)
        return watch, numbers(model, optimizer)

    (watch, watched), (_, plain) = trained(True), trained(False)
    assert same(watched, plain)
    assert watch.step == 20
    assert watch.census["1"].seen.tolist() == [19 * 16] * 8
    assert any("lazy" in note for note in watch.notes)


def test_steps_before_the_first_pass_of_the_model():
    model, other, data = built(Mlp), nn.Linear(IN, OUT), batches((IN,), 30)
    optimizer = torch.optim.SGD([*model.parameters(), *other.parameters()], 0.1)
    with hinge.watch(model, optimizer, every=2) as watch:
        train(other, optimizer, data[:10])
        assert any("no pass" in note for note in watch.notes)
        train(model, optimizer, data[10:])
    assert watch.step == 30
    assert watch.census["relu1"].seen.tolist() == [20 * 16] * 8
    assert watch.notes == ()


def test_a_model_that_is_changed_in_the_midst_of_a_watch_is_told_and_nothing_dies_of_it():
    model, data = built(Mlp), batches((IN,), 200)
    with hinge.watch(model, sgd(model, 0.0), every=3) as watch:
        train(model, watch.optimizer, data[:10])
        model.second, model.out = nn.Linear(8, 12), nn.Linear(12, OUT)
        train(model, watch.optimizer, data[10:20])
        model.relu1 = nn.ReLU()
        train(model, watch.optimizer, data[20:])
    assert not watch.events
    assert watch.census["relu1"].seen.tolist() == [20 * 16] * 8
    assert any("was changed" in note and "relu1" in note for note in watch.notes)
    assert any("number of units: relu2" in note for note in watch.notes)


@pytest.mark.parametrize("kind", ["width", "activation"])
def test_a_watch_does_not_go_on_over_another_model(kind):
    model, data = built(Mlp), batches((IN,), 20)
    watch = hinge.watch(model, sgd(model), every=3).start()
    train(model, watch.optimizer, data)
    watch.stop()
    if kind == "width":
        model.second, model.out = nn.Linear(8, 12), nn.Linear(12, OUT)
    else:
        model.relu2 = nn.GELU()
    watch.start()
    with pytest.warns(RuntimeWarning, match="the model was changed since the watch began"):
        train(model, watch.optimizer, data)
    watch.stop()
    assert watch.census["relu2"].seen.tolist() == [20 * 16] * 8


def test_a_watch_goes_on_over_a_model_that_got_one_more_site():
    model, data = built(Mlp), batches((IN,), 20)
    watch = hinge.watch(model, sgd(model), every=3).start()
    train(model, watch.optimizer, data)
    watch.stop()
    model.out = nn.Sequential(nn.ReLU(), model.out)
    with watch:
        train(model, watch.optimizer, data)
    assert watch.step == 40
    assert list(watch.census) == ["relu1", "relu2"]
    assert any("did not run in the first pass: out.0" in note for note in watch.notes)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_scripted_models_are_refused_and_scripted_parts_are_sampled():
    model = built(lambda: nn.Sequential(nn.Linear(IN, 8), nn.ReLU(), nn.Linear(8, OUT)))
    with pytest.raises(ModelError, match="scripted"):
        hinge.watch(torch.jit.script(model))
    model = nn.Sequential(torch.jit.script(model[:2]), nn.Linear(8, 8), nn.ReLU(), model[2])
    with hinge.watch(model, sgd(model), every=2) as watch:
        train(model, watch.optimizer, batches((IN,), 20))
    assert [tally.seen[0] for tally in watch.census.values()] == [160, 320]
    assert watch.notes == ("counted at sampled steps only: 0.relu()",)


@pytest.mark.parametrize("axis", [-1, 0.0, "batch"])
def test_an_axis_of_examples_is_a_whole_number(axis):
    with pytest.raises(OptionError, match="there is no such axis"):
        hinge.watch(built(Mlp), batch_axis=axis)


@pytest.mark.parametrize("wrong", [{"by": "lift"}, {"sites": "relu1"}, {"every": 600.5}])
def test_options_of_a_revival_that_mean_nothing(wrong):
    model = built(Mlp)
    watch = hinge.watch(model, sgd(model))
    with pytest.raises(OptionError, match="the option means nothing here"):
        hinge.auto_revive(watch, **wrong)
    with pytest.raises(OptionError, match="goes by what a watch sees"):
        hinge.auto_revive(model)
    assert not hooks_of(model, watch.optimizer)


def test_counts_that_begin_anew_just_before_a_look_are_no_explosion():
    model, data = built(Mlp), batches((IN,), 40)
    with hinge.watch(model, sgd(model, 0.0), every=2) as watch:
        train(model, watch.optimizer, data)
        watch.restart()
    assert not watch.events
    assert watch.latest["relu1"].seen.tolist() == [0] * 8
    assert torch.isfinite(torch.from_numpy(watch.latest["relu1"].top)).all()
