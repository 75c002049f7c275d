"""Mixed precision: autocast, loss scaling, and steps that are left out."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import hinge
from hinge.census.watching.telling.chronicle import Chronicle
from hinge.events import Kind

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import IN, LOOKS, Mlp, batches, built, loss_of, numbers, same, seed, sgd

assert callable(hinge.watch)  # loaded here: what torch imports may draw random numbers


def train(model, optimizer, data, scaler=None, infinite=()):
    """Train under autocast; yields after each update, skipped or not."""
    for step, batch in enumerate(data):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(model, batch)
        if step in infinite:
            loss = loss * torch.inf
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        yield step


def scaled(scale=1024.0):
    return torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=1000)


def adamw(model, **options):
    return torch.optim.AdamW(model.parameters(), lr=1e-2, **options)


@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize("make", [sgd, adamw])
@pytest.mark.parametrize("scaling", [False, True])
def test_numbers_are_the_same(every, make, scaling):
    found = []
    for watched in (False, True):
        model = built(Mlp)
        optimizer, scaler = make(model), scaled() if scaling else None
        seed(1)
        watch = hinge.watch(model, optimizer, every=every, scaler=scaler)
        if watched:
            watch.start()
        for _ in train(model, optimizer, batches((IN,), 12), scaler, (4, 7) if scaling else ()):
            pass
        watch.stop()
        found.append((numbers(model, optimizer), scaler and scaler.state_dict()))
    assert watch.step == (10 if scaling else 12)
    assert watch.census.seen == 12 * 16
    assert same(*found)


@pytest.mark.parametrize("every", [1, 5])
def test_counts_are_those_of_the_pre_activations_in_half_precision(every):
    model, data = built(Mlp), batches((IN,), 8)
    with hinge.watch(model, sgd(model, 0.0), every=every) as watch:
        for _ in train(model, watch.optimizer, data):
            pass
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        z = torch.cat([model.first(x) for x, _ in data])
    assert z.dtype is torch.bfloat16
    observed = watch.census["relu1"]
    assert np.array_equal(observed.fired, (z > 0).sum(0).numpy())
    assert np.array_equal(observed.max, z.double().amax(0).numpy())


@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize("fused", [False, True])
def test_a_step_that_is_left_out_is_told(every, fused):
    model, scaler = built(Mlp), scaled()
    optimizer = adamw(model, fused=fused)
    with hinge.watch(model, optimizer, every=every, scaler=scaler) as watch:
        for _ in train(model, optimizer, batches((IN,), 24), scaler, (9,)):
            pass
    (event,) = [event for event in watch.events if event.kind is Kind.STEP_SKIPPED]
    assert event.step == 9
    assert event.evidence.startswith("1 update left out")
    if every > 1 or not fused:  # a fused optimizer's step is looked at before the scale falls
        assert "1,024 to 512" in event.evidence
    assert not [e for e in watch.events if e.kind is Kind.GRADIENT_EXPLODED]


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("bias", [True, False])
def test_gradient_norms_are_those_of_the_loss_that_is_not_scaled(fused, bias):
    found = []
    for scale in (1.0, 4096.0):
        model, scaler = built(lambda: Mlp(bias=bias)), scaled(scale)
        optimizer = adamw(model, fused=fused)
        with hinge.watch(model, optimizer, every=1, scaler=scaler) as watch:
            for _ in train(model, optimizer, batches((IN,), LOOKS + 1), scaler):
                norms = [watch.latest[site].gradient_norm for site in ("relu1", "relu2")]
        assert watch.step == LOOKS + 1
        found.append(norms)
    assert np.allclose(found[0], found[1], rtol=1e-2)


def test_pulses_are_of_the_loss_that_is_not_scaled(monkeypatch):
    """What the chronicle is told of each step: the norms of the bias gradients."""
    pulses, real = [], Chronicle.pulse
    monkeypatch.setattr(Chronicle, "pulse", lambda self, x: (pulses.append(x), real(self, x)))
    for fused in (False, True):
        model, scaler = built(Mlp), scaled(4096.0)
        optimizer = adamw(model, fused=fused)
        pulses.clear()
        with hinge.watch(model, optimizer, every=1, scaler=scaler):
            truth = [
                float(model.second.bias.grad.norm())
                for _ in train(model, optimizer, batches((IN,), 5), scaler)
            ]
        assert {pulse.scale for pulse in pulses} == {4096.0}
        assert np.allclose([pulse.gradients[1] for pulse in pulses], truth, rtol=1e-5)
