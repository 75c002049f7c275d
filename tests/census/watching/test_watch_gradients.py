"""Which units a gradient reached, against plain definitions: dead and blocked are told apart."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import hinge

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import (
    IN,
    LOOKS,
    Encoder,
    Functional,
    Mlp,
    batches,
    built,
    loss_of,
    numbers,
    same,
    seed,
    sgd,
    steps,
    train,
)

DEAD, BLOCKED = [2, 3], [0, 5]


def wounded(bias=True):
    """Units 2 and 3 of the second layer never fire, nothing reads units 0 and 5."""
    model = built(lambda: Mlp(bias=bias))
    with torch.no_grad():
        model.out.weight[:, BLOCKED] = 0.0
        if bias:
            model.second.bias[DEAD] = -50.0
        else:
            model.second.weight[DEAD] = -model.second.weight[DEAD].abs()  # its inputs are positive
    return model


def frozen(model):
    model.second.bias.requires_grad_(requires_grad=False)
    return model


class Shared(Mlp):
    def __init__(self):
        super().__init__()
        self.first.bias = self.second.bias


def shared():
    model = built(Shared)
    with torch.no_grad():
        model.out.weight[:, BLOCKED] = 0.0
        model.second.weight[DEAD] = 0.0
        model.second.bias[DEAD] = -50.0
    return model


MAKERS = {
    "own biases": wounded,
    "no biases": lambda: wounded(bias=False),
    "frozen biases": lambda: frozen(wounded()),
    "shared biases": shared,
}


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("make", MAKERS.values(), ids=list(MAKERS))
def test_dead_and_blocked_apart(make, every):
    model = make()
    with hinge.watch(model, sgd(model, 0.0), every=every) as watch:
        train(model, watch.optimizer, batches((IN,), 10))
    observed, verdicts = watch.census["relu2"], watch.census["relu2"].verdicts()
    assert (verdicts[DEAD] == "dead").all()
    assert (verdicts[BLOCKED] == "blocked").all()
    others = np.setdiff1d(np.arange(8), DEAD + BLOCKED)
    assert not np.isin(verdicts[others], ["dead", "blocked"]).any()
    assert not observed.reached[DEAD + BLOCKED].any()
    assert observed.watched >= 9


def z_gradients(model, data):
    """By step: which units of `relu2` a gradient reached, seen at the layer's output."""
    found = []

    def seen(_, __, out):
        out.register_hook(lambda g: found.append((g != 0).any(0).numpy()))

    handle = model.second.register_forward_hook(seen)
    train(model, sgd(model, 0.3), data)
    handle.remove()
    return np.array(found)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("every", [1, 4, 16])
def test_marks_are_exact(every, bias):
    data = batches((IN,), 20)
    for x, _ in data:
        x[2:] = x[1]  # few different examples, so that units go without a gradient
    truth = z_gradients(wounded(bias), data)
    model = wounded(bias)
    with hinge.watch(model, sgd(model, 0.3), every=every) as watch:
        train(model, watch.optimizer, data)
    if not bias:
        truth[0] = False  # at the first step the sites are only found
    steps = np.arange(20)[:, None]
    glimpse = watch.latest["relu2"]
    assert np.array_equal(glimpse.gradient_steps, truth.sum(0))
    assert np.array_equal(glimpse.last_gradient, np.where(truth, steps, -1).max(0))
    assert len(set(truth.sum(0).tolist())) > 2


def test_norms_and_signs_are_those_of_the_parameters():
    model = built(Mlp)
    with hinge.watch(model, sgd(model), every=1) as watch:
        for step in steps(model, watch.optimizer, batches((IN,), 2 * LOOKS + 1)):
            if step % LOOKS:
                continue
            gradient = model.second.weight.grad
            glimpse = watch.latest["relu2"]
            assert np.isclose(glimpse.gradient_norm, float(gradient.double().norm()))
            signs = torch.stack([(gradient > 0).sum(1), (gradient < 0).sum(1)]).double()
            share = (signs.max(0).values / signs.sum(0)).numpy()
            assert np.allclose(glimpse.signs, share, equal_nan=True)


def test_gradients_without_an_optimizer():
    model = wounded()
    with hinge.watch(model, every=4) as watch:
        train(model, sgd(model, 0.0), batches((IN,), 10))
    verdicts = watch.census["relu2"].verdicts()
    assert (verdicts[DEAD] == "dead").all()
    assert (verdicts[BLOCKED] == "blocked").all()
    watch.start()
    before = watch.census["relu2"].reached.copy()
    train(model, sgd(model, 0.0), batches((IN,), 10))
    watch.stop()
    assert (watch.census["relu2"].reached - before).max() >= 9


def test_a_model_that_is_frozen_has_no_verdict_about_gradients():
    model = wounded().requires_grad_(requires_grad=False)
    with hinge.watch(model) as watch:
        for x, _ in batches((IN,), 6):
            model(x)
    assert watch.census["relu2"].reached is None
    assert "blocked" not in watch.census["relu2"].verdicts()


class Checkpointed(Mlp):
    reentrant = True

    def forward(self, x):
        x = self.relu1(self.first(x))
        x = checkpoint(self.inner, x, use_reentrant=self.reentrant)
        return self.out(x)

    def inner(self, x):
        return self.relu2(self.second(x))


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("reentrant", [True, False])
def test_nothing_is_counted_twice_under_activation_checkpointing(reentrant, every):
    data = batches((IN,), 10)
    plain, model, alone = wounded(), built(Checkpointed), built(Checkpointed)
    model.reentrant = alone.reentrant = reentrant
    model.load_state_dict(plain.state_dict())
    alone.load_state_dict(plain.state_dict())
    optimizer = sgd(alone)
    train(alone, optimizer, data)
    with hinge.watch(plain, sgd(plain), every=every) as one:
        train(plain, one.optimizer, data)
    with hinge.watch(model, sgd(model), every=every) as other:
        train(model, other.optimizer, data)
    assert same(numbers(alone, optimizer), numbers(model, other.optimizer))
    for site in ("relu1", "relu2"):
        for name in ("seen", "fired", "always", "values", "min", "max", "reached"):
            a, b = getattr(one.census[site], name), getattr(other.census[site], name)
            assert np.array_equal(a, b), (site, name)


class WholeCheckpointed(nn.Module):
    """Everything is computed again in the backward pass, functions too."""

    def __init__(self, inner, reentrant):
        super().__init__()
        self.inner, self.reentrant = inner, reentrant

    def forward(self, x):
        return checkpoint(self.inner, x, use_reentrant=self.reentrant)


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("kind", [Functional, Encoder])
def test_a_checkpointed_model_is_counted_once(kind, reentrant, every):
    seed()
    model = WholeCheckpointed(kind(), reentrant)
    for module in model.modules():
        if hasattr(module, "p"):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    data = batches((4, IN) if kind is Encoder else (IN,), 6)
    with hinge.watch(model, sgd(model, 0.0), every=every) as watch:
        for x, y in data:
            watch.optimizer.zero_grad()
            loss_of(model, (x.requires_grad_(), y)).backward()
            watch.optimizer.step()
    truth = hinge.observe(model, data)
    assert list(watch.census) == list(truth)
    for site in truth:
        assert np.array_equal(watch.census[site].seen, truth[site].seen)
        assert np.array_equal(watch.census[site].fired, truth[site].fired)
        assert watch.census[site].reached.max() == 6
