"""A watch over the training of real kinds of models."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hinge
from hinge.census.watching.counting.attendance import Attendance

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import IN, OUT, batches, built, sgd, train


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
