"""What each remedy does to the numbers, against closed forms and published recipes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import hinge
from hinge.errors import DataError, OptionError, UnsupportedError
from hinge.remedies import Lift, Redraw, Resample, Split, revive
from hinge.remedies.reviving.lift import threshold


def stack(inputs=4, units=6, outputs=2, *, dead=(1,), seed=0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(inputs, units), nn.ReLU(), nn.Linear(units, outputs))
    with torch.no_grad():
        model[0].bias[list(dead)] = -25.0
    return model


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(11))


def test_lift_is_a_quantile_of_the_pre_activations():
    """On 0, 1, ..., 99 through z = x - 500, 30 % lie above 69.5."""
    model = stack(1, 2)
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias[1] = -500.0
    revive(model, {"1": [1]}, torch.arange(100.0)[:, None], by=Lift(0.3))
    assert model[0].bias[1].item() == -69.5
    assert torch.equal(model[0].weight, torch.ones(2, 1))


@pytest.mark.parametrize(("values", "share", "level"), [
    ([1.0, 1, 1, 5], 0.5, 3.0),  # ties: the nearest share that there is
    ([1.0, 1, 5, 5, 5, 9], 0.6, 3.0),
    ([0.0, 1.0], 0.001, 0.5),  # one example at least
    ([0.0, 1.0], 0.999, 0.5),  # and never all
    ([math.nan, 0.0, 1.0, math.inf], 0.5, 0.5),
    ([2.0, 2.0], 0.5, None),
    ([2.0], 0.5, None),
    ([], 0.5, None),
])  # fmt: skip
def test_threshold(values, share, level):
    assert threshold(torch.tensor(values), share) == level


def test_the_share_of_images_is_met_at_their_best_position():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 1, 2))
    with torch.no_grad():
        model[0].bias[0] = -90
    x = normal(50, 1, 6, 6)
    revive(model, {"1": [0]}, x, by=Lift(0.1))
    assert hinge.observe(model, x)["1"].fired[0] == 5


@pytest.mark.parametrize("share", [0, 1, -0.2, math.nan])
def test_no_share(share):
    with pytest.raises(OptionError, match="no share"):
        Lift(share)


@pytest.mark.parametrize(("layer", "bound", "axis"), [
    (nn.Linear(25, 400), 1 / 5, 0),
    (nn.Conv2d(4, 400, 5), 1 / 10, 0),
    (nn.Conv2d(8, 400, 5, groups=2), 1 / 10, 0),
    (nn.ConvTranspose2d(3, 4, 5), 1 / 10, 1),
])  # fmt: skip
def test_redrawn_weights_are_distributed_as_torch_draws_them(layer, bound, axis):
    units = layer.weight.shape[axis]
    flat = isinstance(layer, nn.Linear)
    after = nn.Linear(units, 1) if flat else nn.Conv2d(units, 1, 1)
    model = nn.Sequential(layer, nn.ReLU(), after)
    x = normal(3, 25) if flat else normal(3, layer.in_channels, 5, 5)
    with torch.no_grad():
        layer.bias.fill_(-99)
        layer.weight.fill_(7.0)
    before = model(x)
    revive(model, {"1": range(units)}, x, by=Redraw())
    drawn = layer.weight.detach()
    assert drawn.abs().max() <= bound
    assert drawn.abs().max() > 0.95 * bound
    assert drawn.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
    assert drawn.mean().item() == pytest.approx(0, abs=0.1 * bound)
    assert not layer.bias.any()
    torch.testing.assert_close(model(x), before)
    with torch.random.fork_rng():
        layer.reset_parameters()
    assert layer.weight.abs().max() <= bound  # torch's own


def test_a_gain_sets_the_variance_of_what_is_drawn():
    """Var w = gain² / fan-in."""
    model = stack(50, 500, dead=range(500))
    revive(model, {"1": range(500)}, normal(4, 50), by=Redraw(gain=math.sqrt(2)))
    assert model[0].weight.var().item() == pytest.approx(2 / 50, rel=0.05)


def test_a_redrawn_unit_that_could_not_fire_is_turned():
    """With one positive input half of all draws are dead at once."""
    model = stack(1, 40, dead=range(40))
    x = normal(20, 1).abs() + 0.1
    revive(model, {"1": range(40)}, x, by=Redraw())
    assert (model[0].weight > 0).all()
    assert (hinge.observe(model, x)["1"].fired == 20).all()


def test_units_whose_inputs_are_zero_stay_silent_and_are_named():
    model = stack()
    receipt = revive(model, {"1": [1]}, torch.zeros(5, 4), by=Redraw())
    assert any("still fires on no example" in note for note in receipt.notes)


@pytest.mark.parametrize("affine", [True, False])
def test_the_batch_norm_of_a_redrawn_unit_has_the_moments_of_the_data(affine):
    model = nn.Sequential(
        nn.Linear(4, 5), nn.BatchNorm1d(5, affine=affine), nn.ReLU(), nn.Linear(5, 2)
    )
    with torch.no_grad():
        model[1].running_mean[3] = 90
    x = normal(64, 4)
    kept = [b.clone() for b in model[1].buffers()]
    revive(model, {"2": [3]}, x, by=Redraw(), batch_size=10)
    z = model[0](x)[:, 3]
    assert model[1].running_mean[3].item() == pytest.approx(z.mean().item(), abs=1e-6)
    assert model[1].running_var[3].item() == pytest.approx(z.var().item(), rel=1e-5)
    for now, old in zip(model[1].buffers(), kept, strict=True):
        assert torch.equal(now.flatten()[:3], old.flatten()[:3])


def test_twins_share_what_the_strongest_gave():
    model = stack(dead=(1, 3))
    with torch.no_grad():
        model[0].bias[5] += 4  # the strongest
        model[0].bias[0] += 2  # the next
    before, old = model(normal(30, 4)), model[2].weight.detach().clone()
    receipt = revive(model, {"1": [1, 3]}, normal(30, 4), by=Split(noise=0))
    weight, columns = model[0].weight, model[2].weight
    assert torch.equal(weight[1], weight[5])
    assert torch.equal(weight[3], weight[0])
    assert torch.equal(model[0].bias[[1, 3]], model[0].bias[[5, 0]])
    for dead, donor in ((1, 5), (3, 0)):
        assert torch.equal(columns[:, dead], old[:, donor] / 2)
        assert torch.equal(columns[:, donor], old[:, donor] / 2)
    torch.testing.assert_close(model(normal(30, 4)), before)
    assert receipt.moved < 1e-6


def test_noise_is_relative_to_the_row_and_tells_twins_apart():
    model = stack(400, 3, dead=(1, 2))
    with torch.no_grad():
        model[0].weight[0] *= 50
    revive(model, {"1": [1, 2]}, normal(30, 400), by=Split(noise=1e-2))
    row = model[0].weight.detach()
    for copy in (1, 2):
        apart = (row[copy] - row[0]).norm() / row[0].norm()
        assert apart.item() == pytest.approx(1e-2, rel=0.15)
    assert not torch.equal(row[1], row[2])


def test_without_a_living_unit_there_is_nothing_to_copy():
    model = stack(dead=range(6))
    with pytest.raises(OptionError, match="no living unit"):
        revive(model, {"1": [0]}, normal(9, 4), by=Split())


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(3, 5), nn.Linear(5, 3, bias=False)

    def forward(self, x):
        return self.decoder(self.encoder(x).relu())


def blind() -> tuple[Autoencoder, torch.Tensor]:
    """An autoencoder that rebuilds all but inputs along the third axis."""
    model = Autoencoder()
    with torch.no_grad():
        model.encoder.weight.copy_(torch.eye(5, 3) * 2)
        model.encoder.bias.copy_(torch.tensor([0.0, 0, -80, -80, -80]))
        model.decoder.weight.copy_(torch.eye(3, 5) / 2)
    x = torch.eye(3).repeat(10, 1) * torch.arange(1.0, 31)[:, None]
    return model, x


def test_dead_features_point_at_what_is_rebuilt_badly():
    model, x = blind()
    receipt = revive(model, {"relu()": [2, 4]}, x, by=Resample())
    third = torch.tensor([0.0, 0.0, 1.0])
    for feature in (2, 4):
        assert torch.equal(model.decoder.weight[:, feature], third)
        # Living rows have norm 2.
        torch.testing.assert_close(model.encoder.weight[feature], third * 0.2 * 2)
        assert model.encoder.bias[feature] == 0
    assert receipt.preserves == "no"
    assert model.encoder.bias[3] == -80


def test_inputs_are_drawn_by_the_square_of_their_loss():
    """Of two inputs with losses 1 and 2 the second is drawn with probability 4/5."""
    model, _ = blind()
    x = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    drawn = 0
    for seed in range(150):
        by = Resample(seed=seed, loss=lambda output, batch: torch.tensor([1.0, 2.0]))
        receipt = revive(model, {"relu()": [2]}, x, by=by)
        drawn += int(model.decoder.weight[1, 2])
        receipt.undo()
    assert drawn / 150 == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / 150))


def test_what_is_no_autoencoder_is_not_resampled():
    model = stack()
    with pytest.raises(OptionError, match="does not rebuild"):
        revive(model, {"1": [1]}, normal(9, 4), by=Resample())
    deep = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 1, 1))
    with torch.no_grad():
        deep[0].bias[0] = -50
    with pytest.raises(UnsupportedError, match="sparse autoencoder"):
        revive(deep, {"1": [0]}, normal(3, 1, 2, 2), by=Resample())
    model, x = blind()
    with pytest.raises(DataError, match="no input to resample"):
        revive(model, {"relu()": [2]}, x * torch.tensor([1.0, 1, 0]), by=Resample())
    by = Resample(loss=lambda output, batch: torch.ones(2))
    with pytest.raises(OptionError, match="does not rebuild"):
        revive(model, {"relu()": [2]}, x, by=by)


@pytest.mark.parametrize("make", [
    lambda: Redraw(gain=0), lambda: Redraw(gain=math.inf), lambda: Split(noise=-1),
    lambda: Split(noise=math.nan), lambda: Resample(scale=0),
])  # fmt: skip
def test_options_that_mean_nothing(make):
    with pytest.raises(OptionError):
        make()


def test_remedies_are_named_with_their_options():
    assert str(Lift(0.5, keep_outgoing=True)) == "Lift(share=0.5, keep_outgoing=True)"
    assert str(Redraw(gain=2)) == "Redraw(gain=2, seed=0)"
    assert str(Split()) == "Split(noise=0.001, seed=0)"
    assert str(Resample()) == "Resample(scale=0.2, seed=0)"
