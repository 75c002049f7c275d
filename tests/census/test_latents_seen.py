"""Latents of sparse autoencoders and gates of gated layers: seen in every usual spelling."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hinge
import hinge.nn as hnn
from hinge.tracing.batches import Batch
from hinge.tracing.survey import wire

WIDTH, INPUTS, EXAMPLES, K = 12, 5, 64, 3
DEAD = {2, 7}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def by_scatter_in_place(z):
    values, indices = torch.topk(z, K)
    return torch.zeros_like(z).scatter_(-1, indices, values)


def by_scatter(z):
    values, indices = z.topk(K, dim=-1)
    return torch.zeros_like(z).scatter(-1, indices, values)


def by_new_zeros(z):
    top = torch.topk(z, K, sorted=False)
    return torch.zeros(z.shape).scatter_(dim=-1, index=top.indices, src=top.values)


def by_relu_of_values(z):
    values, indices = torch.topk(z, K)
    return torch.zeros_like(z).scatter_(-1, indices, values.relu())


def over_the_batch(z):
    flat = z.flatten()
    values, indices = flat.topk(K * (z.numel() // z.shape[-1]))
    return torch.zeros_like(flat).scatter_(-1, indices, values).reshape(z.shape)


SPELLINGS = {
    "Hinge's": hnn.TopK(K),
    "scatter_": by_scatter_in_place,
    "scatter": by_scatter,
    "new zeros": by_new_zeros,
    "relu of values": by_relu_of_values,
    "BatchTopK": over_the_batch,
}


class Autoencoder(nn.Module):
    """An encoder two of whose latents are below all others, a selection, and a decoder."""

    def __init__(self, selection, before=lambda z: z):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(INPUTS, WIDTH), nn.Linear(WIDTH, INPUTS)
        self.before, self.selection = before, selection
        with torch.no_grad():
            self.encoder.bias[sorted(DEAD)] = -100.0

    def forward(self, x):
        return self.decoder(self.selection(self.before(self.encoder(x))))


def site_of(census, activation):
    """The one site of this activation."""
    (found,) = [o for o in census.values() if o.site.activation == activation]
    return found


def per_example(marks):
    """On how many examples (first axis) a mark is set, for each unit (last axis)."""
    return marks.flatten(1, -2).any(1).sum(0).tolist() if marks.ndim > 2 else marks.sum(0).tolist()


@pytest.mark.parametrize("shape", [(EXAMPLES, INPUTS), (EXAMPLES, 4, INPUTS)])
@pytest.mark.parametrize("before", [lambda z: z, F.relu], ids=["", "relu"])
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_latent_fires_where_it_is_selected_above_zero(name, before, shape):
    model, x = Autoencoder(SPELLINGS[name], before), torch.randn(shape)
    observed = site_of(hinge.observe(model, [x], gradients=EXAMPLES), "topk")
    with torch.no_grad():
        z = before(model.encoder(x))
        h = model.selection(z)
    assert observed.site.n_units == WIDTH
    assert observed.seen.tolist() == [EXAMPLES] * WIDTH
    assert observed.fired.tolist() == per_example(h > 0)
    assert observed.live.tolist() == per_example(h != 0)
    np.testing.assert_allclose(observed.max, z.flatten(0, -2).max(0).values.double())
    np.testing.assert_allclose(
        observed.mean, z.double().flatten(0, -2).mean(0), rtol=1e-5, atol=1e-7
    )
    assert set(np.flatnonzero(observed.verdicts() == "dead")) == DEAD
    assert not (observed.verdicts() == "blocked").any()
    assert observed.zeros.tolist() == (h == 0).flatten(0, -2).sum(0).tolist()


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_latent_without_outgoing_weights_is_blocked(name):
    model = Autoencoder(SPELLINGS[name])
    with torch.no_grad():
        model.decoder.weight[:, 4] = 0
        model.encoder.bias[4] = 50.0
    observed = site_of(hinge.observe(model, [torch.randn(EXAMPLES, INPUTS)], gradients=99), "topk")
    assert observed.verdicts()[4] == "blocked"
    assert observed.fired[4] == EXAMPLES


def test_a_latent_that_others_always_beat_is_dead_though_it_is_positive():
    model = nn.Sequential(nn.Linear(1, 3), hnn.TopK(1))
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].bias.copy_(torch.tensor([1.0, 3.0, 2.0]))
    observed = hinge.observe(model, torch.randn(9, 1))["1"]
    assert observed.verdicts().tolist() == ["dead", "always on", "dead"]
    assert np.isnan(observed.depth).all()  # no kink of its own that it could be below


def test_a_latent_selected_only_below_zero_is_silent_for_gradient_flows():
    model = nn.Sequential(nn.Linear(1, 2, bias=False), hnn.TopK(1))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[-1.0], [-2.0]]))
    observed = hinge.observe(model, torch.rand(9, 1) + 0.5)["1"]
    assert observed.verdicts().tolist() == ["silent", "dead"]


def test_the_site_is_named_for_the_module_that_selects():
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(WIDTH, INPUTS))

        def forward(self, x):
            return by_scatter_in_place(F.linear(x, self.w))

    model = nn.ModuleDict({"encoder": Encoder()})
    census = hinge.observe(model, torch.randn(8, INPUTS), forward=lambda m, x: m["encoder"](x))
    assert list(census) == ["encoder.topk()"]


def test_what_is_no_topk_activation_is_none():
    """Indices of another topk, a target that is not zero, a choice read by its values alone."""

    def foreign(z):
        values, _ = z.topk(K)
        other = torch.rand(z.shape).argsort(-1)[..., :K]
        return torch.zeros_like(z).scatter(-1, other, values)

    def onto_ones(z):
        values, indices = z.topk(K)
        return torch.ones_like(z).scatter(-1, indices, values)

    def values_alone(z):
        return z.topk(WIDTH).values

    for selection in (foreign, onto_ones, values_alone):
        census = hinge.observe(Autoencoder(selection, F.relu), torch.randn(8, INPUTS))
        assert {site.activation for site in census.sites} == {"relu"}


def test_a_selection_with_infinity_is_left_out_as_elsewhere():
    z = torch.randn(EXAMPLES, 4, WIDTH)
    z[:5, 0, 3] = -torch.inf
    model = Autoencoder(by_scatter, lambda y: z + 0 * y)
    observed = site_of(hinge.observe(model, [torch.randn(EXAMPLES, 4, INPUTS)]), "topk")
    assert observed.nonfinite.tolist() == [5 if unit == 3 else 0 for unit in range(WIDTH)]
    assert observed.fired[3] == int((by_scatter(z)[5:, :, 3] > 0).any(1).sum())


def test_a_census_with_latents_merges_and_is_read_back():
    model = Autoencoder(by_scatter, hnn.JumpReLU(WIDTH, 0.1))
    with torch.no_grad():
        model.before.threshold.copy_(torch.linspace(0.0, 1.0, WIDTH))
    x = torch.randn(EXAMPLES, INPUTS)
    halves = [hinge.observe(model, [half]) for half in x.chunk(2)]
    whole = hinge.observe(model, [x[:32], x[32:]])
    assert halves[0].merge(halves[1]).to_json() == whole.to_json()
    again = hinge.Census.from_json(whole.to_json())
    for name, observed in whole.items():
        assert again[name].traits == observed.traits


def test_each_jump_relu_unit_has_a_threshold_of_its_own():
    thresholds = torch.tensor([0.0, 0.5, 1.0, 2.0])
    model = nn.Sequential(nn.Linear(1, 4, bias=False), hnn.JumpReLU(4))
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[1].threshold.copy_(thresholds)
    x = torch.tensor([[-1.0], [0.5], [0.75], [1.0], [1.5]])
    (observed,) = hinge.observe(model, x).values()
    assert observed.fired.tolist() == [4, 3, 1, 0]  # above, not at, the threshold
    assert observed.live.tolist() == [4, 3, 1, 0]
    assert observed.verdicts().tolist() == ["alive", "alive", "alive", "dead"]
    np.testing.assert_allclose(observed.missing[3], 0.5)
    np.testing.assert_allclose(observed.depth[3], 0.5 / x.double().std(correction=0).item())


THRESHOLDS = torch.linspace(0.05, 0.4, WIDTH)

JUMPS = {
    "mask * x": lambda z, at: (z > at) * z,
    "relu * mask": lambda z, at: z.relu() * (z > at).to(z.dtype),
    "mask * relu": lambda z, at: (z > at).float() * F.relu(z),
    "where": lambda z, at: torch.where(z > at, z, 0.0),
    "log": lambda z, at: z * (z > at.log().exp()),
}


@pytest.mark.parametrize("shape", [(EXAMPLES, INPUTS), (EXAMPLES, 4, INPUTS)])
@pytest.mark.parametrize("name", JUMPS)
def test_a_jump_relu_is_seen_in_the_words_of_autoencoders(name, shape):
    thresholds = nn.Parameter(THRESHOLDS.clone())
    thresholds.data[9] = 50.0
    model = Autoencoder(lambda z: JUMPS[name](z, thresholds))
    model.thresholds = thresholds
    x = torch.randn(shape)
    observed = site_of(hinge.observe(model, [x], gradients=EXAMPLES), "jump_relu")
    with torch.no_grad():
        z = model.encoder(x)
    assert observed.fired.tolist() == per_example(z > thresholds)
    assert set(np.flatnonzero(observed.verdicts() == "dead")) == DEAD | {9}
    assert not (observed.verdicts() == "blocked").any()
    expected = thresholds.detach().double() - z.flatten(0, -2).max(0).values.double()
    np.testing.assert_allclose(observed.missing, expected, rtol=1e-5)


def test_a_mask_that_is_no_jump_relu_is_none():
    for foreign in (lambda z: z * (z > -0.5), lambda z: z * (z > z.mean()), lambda z: z * (z < 2)):
        census = hinge.observe(Autoencoder(foreign, F.relu), torch.randn(8, INPUTS))
        assert {site.activation for site in census.sites} == {"relu"}


def test_what_a_mask_reads_is_read():
    """The ReLU before the mask has no weights behind it that could be set to zero."""
    model = Autoencoder(lambda z: JUMPS["relu * mask"](z, 0.5))
    found = wire(model, Batch([torch.randn(8, INPUTS)], {}, 8))
    relu, jump = found["relu()"], found["jump_relu()"]
    assert (relu.readers, relu.elsewhere) == ((), ("the activation jump_relu()",))
    assert relu.maker.weight == jump.maker.weight == "encoder.weight"
    assert [reader.weight for reader in jump.readers] == ["decoder.weight"]


@pytest.mark.parametrize("name", ["Hinge's", "scatter_", "scatter", "relu of values"])
def test_a_selection_hangs_between_encoder_and_decoder(name):
    found = wire(Autoencoder(SPELLINGS[name]), Batch([torch.randn(8, INPUTS)], {}, 8))
    (wiring,) = found.values()
    assert wiring.maker.weight == "encoder.weight"
    assert [reader.weight for reader in wiring.readers] == ["decoder.weight"]
    assert wiring.elsewhere == ()


class Gated(nn.Module):
    """down(act(gate(x)) * up(x)), gate and up in one layer or in two."""

    def __init__(self, act, joint=None):
        super().__init__()
        self.gate, self.up = nn.Linear(INPUTS, WIDTH), nn.Linear(INPUTS, WIDTH)
        self.down, self.act, self.joint = nn.Linear(WIDTH, 2), act, joint
        with torch.no_grad():
            self.gate.bias[sorted(DEAD)] = -100.0
            self.up.weight[4], self.up.bias[4] = 0, 0

    def forward(self, x):
        if self.joint is None:
            return self.down(self.act(self.gate(x)) * self.up(x))
        return self.down(self.joint(torch.cat([self.gate(x), self.up(x)], -1)))


GATES = {
    "relu": (F.relu, hnn.ReGLU()),
    "silu": (F.silu, hnn.SwiGLU()),
    "gelu": (F.gelu, hnn.GEGLU()),
}


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("name", GATES)
def test_a_gate_is_a_unit_and_its_twin_at_zero_blocks_it(name, together):
    act, joint = GATES[name]
    model = Gated(act, copy.deepcopy(joint) if together else None)
    census = hinge.observe(model, [torch.randn(EXAMPLES, INPUTS)], gradients=EXAMPLES)
    (observed,) = census.values()
    assert (observed.site.activation, observed.site.n_units) == (name, WIDTH)
    verdicts = observed.verdicts().tolist()
    assert [unit for unit, v in enumerate(verdicts) if v == "blocked"] == [4]
    expected = "dead" if name == "relu" else "saturated"  # a smooth gate has no kink
    assert {unit for unit, v in enumerate(verdicts) if v == expected} == DEAD
