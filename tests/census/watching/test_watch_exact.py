"""What a watch counts is what `observe` counts on the same batches, whatever ``every`` is."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hinge
from hinge import nn as hnn

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import (
    IN,
    LOOKS,
    MODELS,
    SHAPES,
    Cnn,
    Mlp,
    Sequence,
    batches,
    built,
    loss_of,
    seed,
    sgd,
    steps,
    train,
)

EXACT = ("seen", "fired", "always", "live", "values", "nonfinite", "min", "max")
REALS = ("mean", "var", "strength")


def watched(model, data, every, **options):
    """The watch after an epoch in which nothing was learnt."""
    with hinge.watch(model, sgd(model, 0.0), every=every, **options) as watch:
        train(model, watch.optimizer, data)
    return watch


def assert_equal(found, truth, names=EXACT):
    assert list(found) == list(truth)
    for site in truth:
        for name in names:
            one, other = getattr(found[site], name), getattr(truth[site], name)
            assert np.array_equal(one, other, equal_nan=True), (site, name)


def assert_same_moments(found, truth):
    assert_equal(found, truth, (*EXACT, "zeros"))
    for site in truth:
        assert np.array_equal(found[site].sampled, truth[site].values)
        for name in REALS:
            one, other = getattr(found[site], name), getattr(truth[site], name)
            assert np.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True), (site, name)


def without_dropout(kind):
    model = built(kind)
    for module in model.modules():
        if isinstance(module, nn.Dropout | nn.TransformerEncoderLayer | nn.BatchNorm2d):
            module.eval()  # for `observe` runs the model in eval mode
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


@pytest.mark.parametrize("every", [1, 4, 16])
@pytest.mark.parametrize("kind", MODELS)
def test_an_epoch_is_what_observe_sees(kind, every):
    model, data = without_dropout(kind), batches(SHAPES[kind], 9, last=3)
    found = watched(model, data, every).census
    truth = hinge.observe(model, data)
    assert found.seen == truth.seen == 8 * 16 + 3
    assert_equal(found, truth)
    if every == 1:
        assert_same_moments(found, truth)


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize(
    "activation",
    [nn.LeakyReLU(0.1), nn.PReLU(), nn.GELU(), nn.ReLU6(), nn.Softplus(), nn.Hardswish()],
    ids=lambda module: type(module).__name__,
)
def test_other_activations(activation, every):
    seed()
    model = nn.Sequential(nn.Linear(IN, 8), activation, nn.Linear(8, 3))
    data = batches((IN,), 7, last=1)
    assert_equal(watched(model, data, every).census, hinge.observe(model, data))


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("kind", ["TopK", "JumpReLU"])
def test_activations_that_are_told_by_their_output(kind, every):
    seed()
    activation = hnn.TopK(3) if kind == "TopK" else hnn.JumpReLU(8)
    model = nn.Sequential(nn.Linear(IN, 8), activation, nn.Linear(8, 3))
    data = batches((IN,), 7, last=5)
    names = ("seen", "fired", "always", "values", "nonfinite")
    assert_equal(watched(model, data, every).census, hinge.observe(model, data), names)


@pytest.mark.parametrize("every", [1, 4])
def test_batches_of_other_lengths_and_sizes(every):
    seed(3)
    model = built(Sequence)
    sizes = [(16, 4), (16, 9), (3, 4), (1, 1), (4, 16), (7, 7), (2, 1)]
    data = [(torch.randn(n, t, IN), torch.arange(n) % 3) for n, t in sizes]
    found = watched(model, data, every).census
    truths = [hinge.observe(model, [batch]) for batch in data]
    assert_equal(found, _merged(truths))


def _merged(censuses):
    first, *others = censuses
    for other in others:
        first = first.merge(other)
    return first


@pytest.mark.parametrize("every", [1, 4])
def test_examples_along_another_axis(every):
    class Turned(Sequence):
        def forward(self, x):
            return self.down(self.relu(self.up(x))).mean(0)

    model = built(Turned)
    data = [(x.transpose(0, 1), y) for x, y in batches((4, IN), 6, last=5)]
    found = watched(model, data, every, batch_axis=1).census
    assert_equal(found, hinge.observe(model, data, batch_axis=1))


@pytest.mark.parametrize("every", [1, 3])
def test_channels_last(every):
    model = without_dropout(Cnn).to(memory_format=torch.channels_last)
    data = [(x.to(memory_format=torch.channels_last), y) for x, y in batches((2, 6, 6), 5)]
    assert_equal(watched(model, data, every).census, hinge.observe(model, data))


@pytest.mark.parametrize("every", [1, 3])
def test_pre_activations_that_are_not_finite_are_left_out_of_their_units(every):
    model, data = built(Mlp), batches((IN,), 6)
    with torch.no_grad():
        model.second.weight[2] = 1e38  # overflows at some examples, and the layer after is told
    with hinge.watch(model, every=every) as watch:
        for x, _ in data:
            model(x)
    truth = hinge.observe(model, data)
    assert truth["relu2"].nonfinite[2] > 0
    assert_equal(watch.census, truth)


def test_passes_without_gradients_are_not_counted_and_disturb_nothing():
    model, data = built(Mlp), batches((IN,), 6)
    other = batches((IN,), 2, start=9)
    with hinge.watch(model, sgd(model, 0.0), every=4) as watch:
        for _ in steps(model, watch.optimizer, data):
            model.eval()
            with torch.no_grad():
                loss_of(model, other[0])
            with torch.inference_mode():
                model(other[1][0])
            model.train()
    assert watch.census.seen == 6 * 16
    assert_equal(watch.census, hinge.observe(model, data))


def test_an_evaluation_before_the_first_step():
    model, data = built(Mlp), batches((IN,), 3)
    with hinge.watch(model, sgd(model, 0.0)) as watch:
        with torch.no_grad():
            model(data[0][0])
        train(model, watch.optimizer, data)
    assert_equal(watch.census, hinge.observe(model, data))


def test_passes_in_eval_mode_through_which_gradients_can_flow_are_counted():
    model, data = built(Mlp).eval(), batches((IN,), 3)
    with hinge.watch(model, sgd(model, 0.0)) as watch:
        train(model, watch.optimizer, data)
    assert watch.census.seen == 3 * 16
    assert_equal(watch.census, hinge.observe(model, data))


def test_learning_step_by_step():
    model, data = built(Mlp), batches((IN,), 12, last=5)
    truths = []
    with hinge.watch(model, sgd(model, 0.5, momentum=0.9), every=5) as watch:
        for batch in data:
            with torch.no_grad():
                truths.append(hinge.observe(model, [batch]))
            train(model, watch.optimizer, [batch])
    assert_equal(watch.census, _merged(truths))


@pytest.mark.parametrize("every", [1, 5, 16])
def test_the_latest_firing_and_the_silence_since(every):
    model, data = built(Mlp), batches((IN,), 30, last=5)
    last, silent = np.full(8, -1), np.zeros(8, int)
    with torch.no_grad():
        model.first.bias -= torch.linspace(0, 3, 8)  # some units fire rarely, some never
    with hinge.watch(model, sgd(model, 0.05), every=every) as watch:
        for step, batch in enumerate(data):
            with torch.no_grad():
                fires = (model.first(batch[0]) > 0).any(0).numpy()
            last[fires] = step
            silent = np.where(fires, 0, silent + len(batch[0]))
            train(model, watch.optimizer, [batch])
            if step % (every * LOOKS) == 0:
                assert np.array_equal(watch.latest["relu1"].last_fired, last)
                assert np.array_equal(watch.latest["relu1"].silent, silent)
    assert np.array_equal(watch.latest["relu1"].last_fired, last)
    assert np.array_equal(watch.latest["relu1"].silent, silent)
    assert len(set(last.tolist())) > 3
    assert -1 in last


def test_gradient_accumulation_is_one_large_batch():
    whole, parts = built(Mlp), built(Mlp)
    data = batches((IN,), 9, last=8)
    with hinge.watch(whole, sgd(whole, 0.0), every=4) as one:
        train(whole, one.optimizer, data)
    with hinge.watch(parts, sgd(parts, 0.0), every=4) as many:
        for x, y in data:
            many.optimizer.zero_grad()
            for place in range(0, len(x), 4):
                micro = x[place : place + 4], y[place : place + 4]
                (loss_of(parts, micro) * len(micro[0]) / len(x)).backward()
            many.optimizer.step()
    assert one.step == many.step == 9
    assert one.census.seen == many.census.seen
    assert_equal(many.census, one.census, (*EXACT, "reached", "reachable"))
    for site, glimpse in one.latest.items():
        for name in ("last_fired", "silent", "seen", "gradient_steps", "last_gradient"):
            assert np.array_equal(getattr(many.latest[site], name), getattr(glimpse, name))


def test_a_site_that_did_not_run_in_the_first_pass_does_not_end_the_watch():
    class Growing(Mlp):
        calls = 0

        def forward(self, x):
            self.calls += 1
            x = self.relu1(self.first(x))
            return self.out(F.relu(self.second(x)) if self.calls > 3 else x)

    model, data = built(Growing), batches((IN,), 20)
    with hinge.watch(model, sgd(model), every=4) as watch:
        train(model, watch.optimizer, data)
    assert watch.step == 20
    assert watch.census["relu1"].seen.tolist() == [20 * 16] * 8
    assert any("first pass" in note for note in watch.notes)
