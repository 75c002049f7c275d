"""Layers drawn anew: the distributions that the papers give, and the way back."""

import math

import pytest
import torch
from structure_cases import (
    Everything,
    image_network,
    in_four_parts,
    outputs,
    perceptron,
    random,
    steps,
    trained,
)
from torch import nn
from torch.nn import functional as F

from hinge.errors import HingeError, ModelError, OptionError, UnsupportedError
from hinge.remedies.layering.drawing import RAI_SCALE, He, LeCun, Lsuv, Orthogonal, Rai
from hinge.remedies.layering.reinit import reinit


def gain_seen(layer):
    """The root of fan_in times the mean square of the weights, which is the gain."""
    return math.sqrt(layer.weight.detach()[0].numel() * layer.weight.detach().square().mean())


def wide(activation):
    return nn.Sequential(nn.Linear(200, 300), activation, nn.Linear(300, 200)).double()


@pytest.mark.parametrize(
    ("activation", "gain"),
    [
        (nn.ReLU(), math.sqrt(2)),
        (nn.LeakyReLU(0.5), math.sqrt(2 / 1.25)),
        (nn.PReLU(300, 0.5), math.sqrt(2 / 1.25)),
        (nn.Identity(), 1.0),
    ],
)
@pytest.mark.parametrize("data", [None, random(4, 200)])
def test_he_has_the_gain_of_the_activation_behind(activation, gain, data):
    model = wide(activation)
    reinit(model, data=data)
    deviation = 1 / math.sqrt(2 * 60000)  # of the root of a mean of 60,000 squares
    assert gain_seen(model[0]) == pytest.approx(gain, rel=4 * deviation)
    assert gain_seen(model[2]) == pytest.approx(1.0, rel=4 * deviation)  # nothing behind
    assert not model[0].bias.any()


def test_data_show_an_activation_that_is_called_in_code():
    class InCode(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(200, 300), nn.Linear(300, 200)

        def forward(self, x):
            return self.second(F.relu(self.first(x)))

    model = InCode().double()
    reinit(model, data=random(4, 200))
    assert gain_seen(model.first) == pytest.approx(math.sqrt(2), rel=0.02)
    reinit(model)
    assert gain_seen(model.first) == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize(
    ("by", "gain"),
    [("lecun", 1.0), (LeCun(), 1.0), (He(a=1.0), 1.0), (He(a=0.5), math.sqrt(2 / 1.25))],
)
def test_a_fixed_gain_holds_for_every_layer(by, gain):
    model = wide(nn.Tanh())
    reinit(model, by=by)
    for layer in (model[0], model[2]):
        assert gain_seen(layer) == pytest.approx(gain, rel=0.02)


def test_orthogonal_rows_or_columns_have_the_length_of_the_gain():
    model = nn.Sequential(nn.Linear(9, 5), nn.ReLU(), nn.Linear(5, 12)).double()
    reinit(model, by=Orthogonal())
    first, last = model[0].weight.detach(), model[2].weight.detach()
    assert torch.allclose(first @ first.T, 2 * torch.eye(5).double(), atol=1e-12)
    assert torch.allclose(last.T @ last, torch.eye(5).double(), atol=1e-12)


def test_a_transposed_convolution_has_its_units_along_the_second_axis():
    layer = nn.ConvTranspose2d(8, 6, 3, stride=2, groups=2).double()
    reinit(nn.Sequential(layer), by="orthogonal")
    rows = layer.weight.detach().reshape(2, 4, 3, 9).transpose(1, 2).reshape(6, 36)
    assert torch.allclose(rows @ rows.T, torch.eye(6).double(), atol=1e-12)
    big = nn.ConvTranspose2d(64, 64, 4, stride=2).double()
    reinit(nn.Sequential(big), by="lecun")
    inside = big(random(8, 64, 12, 12)).detach()[:, :, 4:-4, 4:-4]  # away from the border
    assert float(inside.var()) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("build", [perceptron, image_network])
@pytest.mark.parametrize("method", [Lsuv(), Lsuv(tolerance=1e-3)])
def test_lsuv_gives_every_layer_outputs_of_variance_1(build, method):
    model = build()
    x = 7 * random(200, *((4,) if build is perceptron else (3, 6, 6)))
    receipt = reinit(model, by=method, data=[x[:150], x[150:]])
    for layer in model:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            found = []
            handle = layer.register_forward_hook(lambda m, a, out, to=found: to.append(out))
            outputs(model, x)
            handle.remove()
            assert abs(float(found[0].var(correction=0)) - 1) <= method.tolerance
    assert sum("variance" in change for change in receipt.changes) == len(
        [m for m in model if isinstance(m, nn.Linear | nn.Conv2d)]
    )


def test_lsuv_leaves_a_layer_that_gives_nothing():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    receipt = reinit(model, by="lsuv", data=torch.zeros(9, 4).double())
    assert [note for note in receipt.notes if "0 was not scaled" in note]
    assert all(bool(one.isfinite().all()) for one in model.parameters())


def test_rai_has_the_moments_that_its_recipe_gives():
    fan_in, units = 7, 40_000
    layer = nn.Linear(fan_in, units).double()
    reinit(nn.Sequential(layer), by=Rai())
    rows = torch.cat([layer.weight, layer.bias[:, None]], 1).detach()
    # One of 8 entries from Beta(2, 1), with mean 2/3 and second moment 1/2, the others normal.
    variance = RAI_SCALE**2 / fan_in
    mean, second = 2 / 3 / 8, (7 * variance + 1 / 2) / 8
    tolerance = 4 / math.sqrt(rows.numel())
    assert float(rows.mean()) == pytest.approx(mean, abs=tolerance * float(rows.std()))
    squares = rows.square()
    assert float(squares.mean()) == pytest.approx(second, abs=tolerance * float(squares.std()))
    assert float(rows[:, -1].mean()) == pytest.approx(mean, abs=4 * float(rows.std()) / 200)


def test_rai_without_biases_draws_weights_alone():
    layer = nn.Linear(7, 50, bias=False).double()
    reinit(nn.Sequential(layer), by="rai")
    assert bool((layer.weight.max(1).values > 0).any())


def test_a_seed_is_a_network_and_torchs_own_random_numbers_stay():
    a, b, c = perceptron(seed=1), perceptron(seed=2), perceptron(seed=3)
    state = torch.random.get_rng_state()
    for model, seed in ((a, 5), (b, 5), (c, 6)):
        reinit(model, seed=seed, data=random(5, 4))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(a[0].weight, b[0].weight)
    assert not torch.equal(a[0].weight, c[0].weight)


@pytest.mark.parametrize("by", ["he", "lecun", "orthogonal", "lsuv", "rai"])
@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD, torch.optim.Adagrad])
def test_undo_brings_weights_and_the_optimizers_state_back(by, kind):
    model, x = image_network(), random(12, 3, 6, 6)
    options = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    optimizer = trained(model, x, kind, **options)
    before = Everything(model, optimizer)
    receipt = reinit(model, by=by, data=x, optimizer=optimizer)
    assert receipt.preserves == "no"
    assert receipt.moved > 0
    assert not optimizer.state
    steps(model, optimizer, x)
    receipt.undo()
    before.check_same()
    steps(model, optimizer, x)


def test_only_the_layers_that_are_named():
    model, x = perceptron(), random(8, 4)
    optimizer = trained(model, x)
    old = [model[i].weight.clone() for i in (0, 2, 4)]
    reinit(model, layers=["2"], optimizer=optimizer)
    same = [torch.equal(model[i].weight, w) for i, w in zip((0, 2, 4), old, strict=True)]
    assert same == [True, False, True]
    assert set(optimizer.state) == {*model[0].parameters(), *model[4].parameters()}


def test_a_shared_weight_is_drawn_once_and_stays_shared():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4)).double()
    model[2].weight = model[0].weight
    reinit(model)
    assert model[2].weight is model[0].weight


def test_matrices_of_no_layer_are_named():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    receipt = reinit(layer)
    assert any("in_proj_weight" in note for note in receipt.notes)


@pytest.mark.parametrize(
    ("model", "options", "kind"),
    [
        (perceptron(), {"by": "kaiming"}, OptionError),
        (perceptron(), {"by": 3}, OptionError),
        (perceptron(), {"by": "lsuv"}, OptionError),
        (perceptron(), {"layers": "9"}, OptionError),
        (perceptron(), {"layers": ["1"]}, ModelError),
        (perceptron(), {"optimizer": 3}, OptionError),
        (perceptron(), {"data": random(3, 5)}, HingeError),
        (nn.Sequential(nn.ReLU()), {}, ModelError),
        (nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), {}, UnsupportedError),
    ],
)
def test_bad_input_is_told_in_four_parts_and_nothing_is_done(model, options, kind):
    before = Everything(model)
    with pytest.raises(kind) as error:
        reinit(model, **options)
    assert in_four_parts(error.value)
    before.check_same()


def test_a_lazy_layer_is_refused():
    with pytest.raises(ModelError, match="not initialised"):
        reinit(nn.Sequential(nn.LazyLinear(3)))


@pytest.mark.parametrize("options", [{"tolerance": 0}, {"iterations": 0}])
def test_lsuv_needs_numbers_above_0(options):
    with pytest.raises(OptionError):
        Lsuv(**options)
