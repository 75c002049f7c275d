"""Ten ordinary cases with known truth: which units are dead, counted exactly."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hinge

BATCHES, ROWS, INPUTS, WIDTH = 5, 128, 64, 256
NEVER = -1000.0


@pytest.fixture
def data() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(ROWS, INPUTS, generator=generator) for _ in range(BATCHES)]


def killed(layer: nn.Module, n: int) -> nn.Module:
    """The layer with its first ``n`` units unable to fire."""
    with torch.no_grad():
        layer.bias[:n] = NEVER
    return layer


def mlp(activation: nn.Module, dead: int = 0) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(killed(nn.Linear(INPUTS, WIDTH), dead), activation, nn.Linear(WIDTH, 10))


def dead(census: hinge.Census, site: str) -> set[int]:
    return set(np.flatnonzero(census[site].verdicts() == "dead").tolist())


def counts_are_exact(census: hinge.Census, site: str, layer: nn.Module, data: list) -> bool:
    """Compare with the plain definition, on one concatenated batch."""
    z = layer(torch.cat(data))
    observed = census[site]
    return (
        np.array_equal(observed.fired, (z > 0).sum(0).numpy())
        and np.array_equal(observed.zeros, (z <= 0).sum(0).numpy())
        and np.array_equal(observed.max, z.amax(0).double().numpy())
        and np.array_equal(observed.min, z.amin(0).double().numpy())
        and bool((observed.seen == BATCHES * ROWS).all())
    )


@torch.no_grad()
def test_healthy(data):
    model = mlp(nn.ReLU())
    census = hinge.observe(model, data)
    assert dead(census, "1") == set()
    assert counts_are_exact(census, "1", model[0], data)


@torch.no_grad()
def test_alive_but_sparse(data):
    """Every unit fires on about 3 % of the examples: sparse, and not dead."""
    model = mlp(nn.ReLU())
    model[0].bias -= 1.88 * model[0].weight.norm(dim=1)
    census = hinge.observe(model, data)
    assert dead(census, "1") == set()
    assert counts_are_exact(census, "1", model[0], data)
    assert 0.95 < census["1"].sparsity < 0.99


@torch.no_grad()
def test_a_quarter_dead(data):
    model = mlp(nn.ReLU(), dead=64)
    census = hinge.observe(model, data)
    assert dead(census, "1") == set(range(64))
    assert counts_are_exact(census, "1", model[0], data)


@torch.no_grad()
def test_rare_units_fire_in_one_batch_of_five(data):
    for number, batch in enumerate(data):
        batch[:, 0] = 1000.0 if number == 0 else 0.0
    model = mlp(nn.ReLU())
    model[0].weight[:, 0] = 0.0
    model[0].weight[:64] = 0.0
    model[0].weight[:64, 0] = 1.0
    model[0].bias[:64] = -500.0
    census = hinge.observe(model, data)
    assert dead(census, "1") == set()
    assert (census["1"].fired[:64] == ROWS).all()
    assert counts_are_exact(census, "1", model[0], data)


@torch.no_grad()
def test_in_place(data):
    model = mlp(nn.ReLU(inplace=True), dead=64)
    census = hinge.observe(model, data)
    assert dead(census, "1") == set(range(64))
    assert counts_are_exact(census, "1", model[0], data)


def test_convolution_counts_channels():
    torch.manual_seed(0)
    convolution = killed(nn.Conv2d(3, 32, 3, padding=1), 8)
    model = nn.Sequential(
        convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)
    )
    data = [torch.randn(ROWS, 3, 16, 16) for _ in range(BATCHES)]
    census = hinge.observe(model, data)
    assert [site.n_units for site in census.sites] == [32]
    assert dead(census, "1") == set(range(8))
    with torch.no_grad():
        z = convolution(torch.cat(data))
    assert np.array_equal(census["1"].fired, (z.amax((2, 3)) > 0).sum(0).numpy())
    assert np.array_equal(census["1"].always, (z.amin((2, 3)) > 0).sum(0).numpy())
    assert np.array_equal(census["1"].zeros, (z <= 0).sum((0, 2, 3)).numpy())


def test_tokens_count_features():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = killed(nn.Linear(INPUTS, WIDTH), 64)
            self.act = nn.ReLU()
            self.last = nn.Linear(WIDTH, 10)

        def forward(self, x):
            return self.last(self.act(self.first(x))).mean(1)

    torch.manual_seed(0)
    model, x = Tokens(), torch.randn(ROWS, 20, INPUTS)
    census = hinge.observe(model, x)
    assert dead(census, "act") == set(range(64))
    with torch.no_grad():
        z = model.first(x)
    assert np.array_equal(census["act"].fired, (z.amax(1) > 0).sum(0).numpy())
    assert (census["act"].seen == ROWS).all()


def test_function_instead_of_module(data):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = killed(nn.Linear(INPUTS, WIDTH), 64)
            self.last = nn.Linear(WIDTH, 10)

        def forward(self, x):
            return self.last(F.relu(self.first(x)))

    torch.manual_seed(0)
    model = Functional()
    with torch.no_grad():
        census = hinge.observe(model, data)
        assert dead(census, "relu()") == set(range(64))
        assert counts_are_exact(census, "relu()", model.first, data)


@torch.no_grad()
def test_batch_norm_between_layer_and_activation(data):
    torch.manual_seed(0)
    norm = killed(nn.BatchNorm1d(WIDTH), 64)
    model = nn.Sequential(nn.Linear(INPUTS, WIDTH), norm, nn.ReLU(), nn.Linear(WIDTH, 10))
    census = hinge.observe(model, data)
    assert dead(census, "2") == set(range(64))
    assert counts_are_exact(census, "2", model[:2].eval(), data)


def test_one_module_called_twice(data):
    class Reused(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = killed(nn.Linear(INPUTS, WIDTH), 64)
            self.second = nn.Linear(WIDTH, 128)
            self.last = nn.Linear(128, 10)
            self.act = nn.ReLU()

        def forward(self, x):
            return self.last(self.act(self.second(self.act(self.first(x)))))

    torch.manual_seed(0)
    model = Reused()
    census = hinge.observe(model, data)
    assert [site.name for site in census.sites] == ["act", "act#2"]
    assert dead(census, "act") == set(range(64))
    assert dead(census, "act#2") == set()
    with torch.no_grad():
        assert counts_are_exact(census, "act", model.first, data)
