"""Batch norms that are put in: exact in eval mode, or normal over the data; and out again."""

import pytest
import torch
from structure_cases import (
    Everything,
    change,
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

from hinge.errors import HingeError, OptionError, UnsupportedError
from hinge.remedies.layering.insert_batchnorm import LastAxisBatchNorm, insert_batchnorm

MODELS = {
    "dense": (perceptron, ("1", "3"), (40, 4)),
    "tokens": (perceptron, ("1", "3"), (12, 5, 4)),
    "images": (image_network, ("1", "3", "6"), (20, 3, 6, 6)),
    "slopes": (lambda: image_network(lambda: nn.PReLU(1, 0.3)), ("1", "3", "6"), (20, 3, 6, 6)),
    "volumes": (
        lambda: nn.Sequential(
            nn.Conv3d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(24, 2)
        ).double(),
        ("1",),
        (9, 2, 3, 3, 3),
    ),
    "signals": (
        lambda: nn.Sequential(
            nn.Conv1d(2, 3, 2), nn.GELU(), nn.Flatten(), nn.Linear(9, 2)
        ).double(),
        ("1",),
        (9, 2, 4),
    ),
}


def seen_before(model, path, x):
    """The pre-activations of a module, channels last, flattened."""
    found = []
    handle = model.get_submodule(path).register_forward_pre_hook(lambda m, a: found.append(a[0]))
    outputs(model, x)
    handle.remove()
    return found[0]


@pytest.mark.parametrize("case", MODELS)
def test_preserving_is_exact_in_eval_mode_on_any_input(case):
    build, sites, shape = MODELS[case]
    model = build()
    other = 3 * random(*shape, seed=9) + 1
    before = outputs(model, other)
    receipt = insert_batchnorm(model, sites, random(*shape))
    assert receipt.preserves == "everywhere"
    assert change(model, before, other) <= 1e-12
    assert receipt.moved <= 1e-12
    assert any("training mode" in note for note in receipt.notes)


@pytest.mark.parametrize("case", MODELS)
def test_not_preserving_makes_every_channel_standard_over_the_data(case):
    build, sites, shape = MODELS[case]
    model, x = build(), random(*shape)
    receipt = insert_batchnorm(model, list(reversed(sites)), x, preserving=False)
    assert receipt.preserves == "no"
    assert receipt.moved > 0
    for site in sites:
        z = seen_before(model, f"{site}.activation", x)
        axes = (0, *range(2, z.ndim)) if case != "tokens" else (0, 1)
        assert torch.allclose(z.mean(axes), torch.zeros(1).double(), atol=1e-12)
        assert torch.allclose(z.var(axes, correction=0), torch.ones(1).double(), atol=1e-2)


def test_dead_units_fire_again_when_it_does_not_preserve():
    model, x = perceptron(), random(300, 4)
    with torch.no_grad():
        model[0].bias[:3] = -50.0
    assert int((seen_before(model, "1", x) > 0).any(0).sum()) == 5
    insert_batchnorm(model, "1", x, preserving=True)
    assert int((seen_before(model, "1.activation", x) > 0).any(0).sum()) == 5
    model = perceptron()
    insert_batchnorm(model, "1", x, preserving=False)
    assert bool((seen_before(model, "1.activation", x) > 0).any(0).all())


def test_a_unit_that_never_varies_stays_finite():
    model, x = perceptron(), random(30, 4)
    with torch.no_grad():
        model[0].weight[0] = 0
    before = outputs(model, x)
    insert_batchnorm(model, "1", x)
    assert change(model, before, x) <= 1e-12


def test_the_moments_are_those_of_all_batches():
    model, x = perceptron(), random(70, 4) + 3
    z = seen_before(model, "1", x)
    insert_batchnorm(model, "1", [x[:50], x[50:51], x[51:]])
    assert torch.allclose(model[1].norm.running_mean, z.mean(0), rtol=1e-12)
    assert torch.allclose(model[1].norm.running_var, z.var(0, correction=0), rtol=1e-12)


def test_undo_brings_everything_back_and_training_goes_on():
    model, x = image_network().train(), random(20, 3, 6, 6)
    optimizer = trained(model, x)
    before = Everything(model, optimizer)
    receipt = insert_batchnorm(model, ["1", "6"], x, optimizer=optimizer)
    scale = model[1].norm.weight.clone()
    assert model[1].norm.training
    receipt.undo()
    before.check_same()
    receipt = insert_batchnorm(model, ["1", "6"], x, optimizer=optimizer)
    steps(model, optimizer, x)
    assert not torch.equal(model[1].norm.weight, scale)
    receipt.undo()
    assert list(model.state_dict()) == list(image_network().state_dict())
    steps(model, optimizer, x)
    assert set(optimizer.state) == set(model.parameters())


def test_an_encoder_is_kept_from_the_kernel_that_skips_the_norm():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation=nn.ReLU(), batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2).eval()
    before = Everything(encoder)
    x = torch.randn(6, 5, 8)
    site = "layers.1.activation"
    receipt = insert_batchnorm(encoder, site, x, preserving=False)
    assert isinstance(encoder.layers[1].activation.norm, LastAxisBatchNorm)
    with torch.no_grad():
        fused = encoder(x)
    assert torch.allclose(fused, encoder(x.clone().requires_grad_()), atol=1e-5)
    receipt.undo()
    before.check_same()


class Awkward(nn.Module):
    def __init__(self):
        super().__init__()
        self.line, self.act, self.twice = nn.Linear(4, 4), nn.ReLU(), nn.ReLU()
        self.alias = self.act

    def forward(self, x):
        return F.relu(self.line(self.twice(self.twice(self.line(self.act(self.line(x)))))))


@pytest.mark.parametrize(
    ("sites", "kind"),
    [
        ("zz", OptionError),
        (["act", "zz"], OptionError),
        ("relu()", UnsupportedError),
        ("twice", UnsupportedError),
        ("act", UnsupportedError),
    ],
)
def test_what_cannot_be_done_is_told_in_four_parts_and_nothing_is_done(sites, kind):
    model = Awkward().double()
    before = Everything(model)
    with pytest.raises(kind) as error:
        insert_batchnorm(model, sites, random(9, 4))
    assert in_four_parts(error.value)
    before.check_same()


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": random(9, 5)},
        {"data": random(0, 4)},
        {"data": torch.full((3, 4), torch.nan)},
        {"data": 3},
        {"data": random(9, 4), "optimizer": 3},
    ],
)
def test_bad_data_changes_nothing(arguments):
    model = perceptron()
    before = Everything(model)
    with pytest.raises(HingeError) as error:
        insert_batchnorm(model, "1", **arguments)
    assert in_four_parts(error.value)
    before.check_same()


def test_units_on_the_axis_of_the_examples_are_refused():
    class Column(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.act = nn.Parameter(random(5, 4)), nn.ReLU()

        def forward(self, x):
            return self.act(self.weight @ x.T)

    with pytest.raises(UnsupportedError, match="batch norm"):
        insert_batchnorm(Column(), "act", random(9, 4))
