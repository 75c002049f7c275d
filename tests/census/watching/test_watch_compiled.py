"""Compiled models: counted as the eager ones where hooks are seen, and honest where not."""

import copy
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounter
from torch.utils.checkpoint import checkpoint

import hinge
from hinge.census.watching.seeing import traced

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import (
    IN,
    Cnn,
    Mlp,
    batches,
    built,
    hooks_of,
    numbers,
    same,
    seed,
    sgd,
    train,
)

assert callable(hinge.watch)  # loaded here: what torch imports may draw random numbers
BACKEND = "aot_eager"
DATA = batches((IN,), 12)
NAMES = ("seen", "fired", "always", "live", "values", "min", "max", "reached")
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch's, of its own doing


@pytest.fixture(autouse=True)
def forgotten():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def wounded():
    """Unit 1 of the second layer never fires, nothing reads unit 6."""
    model = built(Mlp)
    with torch.no_grad():
        model.second.bias[1] = -50.0
        model.out.weight[:, 6] = 0.0
    return model


def eager(every):
    model = wounded()
    with hinge.watch(model, sgd(model, 0.0), every=every) as watch:
        train(model, watch.optimizer, DATA)
    return watch.census


def assert_equal(found, truth):
    assert list(found) == list(truth)
    for site in truth:
        for name in NAMES:
            assert np.array_equal(getattr(found[site], name), getattr(truth[site], name)), name
        assert (found[site].verdicts() == truth[site].verdicts()).all()


@pytest.mark.parametrize("every", [1, 4])
def test_watched_first_and_compiled_then(every):
    model = wounded()
    compiled = torch.compile(model, backend=BACKEND, fullgraph=True)
    with hinge.watch(compiled, sgd(model, 0.0), every=every) as watch:
        train(compiled, watch.optimizer, DATA)
    assert_equal(watch.census, eager(every))
    assert not watch.notes


@pytest.mark.parametrize("every", [1, 4])
def test_compiled_in_place_with_an_example(every):
    model = wounded()
    model.compile(backend=BACKEND, fullgraph=True)
    watch = hinge.watch(model, sgd(model, 0.0), every=every, example=DATA[0][0])
    with watch:
        train(model, watch.optimizer, DATA)
    found, truth = watch.census, eager(every)
    assert watch.step == 12
    assert_equal(found, truth)
    train(model, watch.optimizer, DATA)  # what was compiled has kept the hooks
    assert_equal(watch.census, truth)


def test_it_is_compiled_once():
    model, counter = wounded(), CompileCounter()
    compiled = torch.compile(model, backend=counter, fullgraph=True)
    with hinge.watch(compiled, sgd(model), every=3) as watch:
        train(compiled, watch.optimizer, DATA)
    assert counter.frame_count == 1


def test_compiled_and_run_before_the_watch_began():
    model = wounded()
    compiled = torch.compile(model, backend=BACKEND)
    train(compiled, sgd(model, 0.0), DATA[:2])
    with hinge.watch(compiled, sgd(model, 0.0), every=4) as watch:
        train(compiled, watch.optimizer, DATA)
    observed = watch.census["relu2"]
    assert not observed.seen.any()
    assert any("torch.compile dropped the hooks of relu1, relu2" in note for note in watch.notes)
    assert "dropped the hooks" in str(watch)
    glimpse = watch.latest["relu2"]
    assert (glimpse.gradient_steps > 0).tolist() == [unit not in (1, 6) for unit in range(8)]
    assert (observed.verdicts() == "unseen").all()
    assert not watch.events


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("kind", [Mlp, Cnn])
def test_training_numbers_are_the_same(kind, every):
    data = DATA if kind is Mlp else batches((2, 6, 6), 8)
    found = []
    for watched in (False, True):
        torch._dynamo.reset()
        model = built(kind)
        compiled = torch.compile(model, backend=BACKEND)
        optimizer = sgd(model)
        seed(1)
        watch = hinge.watch(compiled, optimizer, every=every)
        if watched:
            watch.start()
        train(compiled, optimizer, data)
        watch.stop()
        found.append(numbers(model, optimizer))
    assert watch.step == len(data)
    assert same(*found)


class Partly(Mlp):
    """One part is compiled; the other is computed again in the backward pass."""

    def __init__(self):
        super().__init__()
        self.second = torch.compile(nn.Sequential(nn.Linear(8, 8), nn.ReLU()), backend=BACKEND)

    def forward(self, x):
        x = checkpoint(lambda x: self.relu1(self.first(x)), x, use_reentrant=False)
        return self.out(self.second(x))


def test_a_model_with_a_compiled_part():
    seed()
    model = Partly()
    with hinge.watch(model, sgd(model, 0.0), every=4) as watch:
        train(model, watch.optimizer, DATA)
    truth = hinge.observe(model, DATA)
    assert list(watch.census) == list(truth)
    for site in truth:
        for name in ("seen", "fired", "min", "max"):
            a, b = getattr(watch.census[site], name), getattr(truth[site], name)
            assert np.array_equal(a, b), (site, name)


def test_copies_of_a_compiled_model_carry_no_watch():
    model = wounded()
    model.compile(backend=BACKEND)
    with hinge.watch(model, sgd(model, 0.0), every=4, example=DATA[0][0]) as watch:
        train(model, watch.optimizer, DATA)
        before = watch.census["relu1"].seen.copy()
        for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
            twin(DATA[0][0]).sum().backward()
        assert np.array_equal(watch.census["relu1"].seen, before)


class Aside(Partly):
    """The compiled part has no site of its own, which could not catch what its hook raises."""

    def __init__(self):
        super().__init__()
        self.second = torch.compile(nn.Linear(8, 8), backend=BACKEND)


def test_an_error_of_the_watch_in_an_eager_part_ends_the_watch_only(monkeypatch):
    def fails(*args, **kwargs):
        raise ZeroDivisionError("of the watch")

    seed()
    model = Aside()
    monkeypatch.setattr(traced, "glance", fails)
    watch = hinge.watch(model, sgd(model), every=4)
    with pytest.warns(RuntimeWarning, match="of the watch"), watch:
        train(model, watch.optimizer, DATA)
    assert hooks_of(model, watch.optimizer) == 0
