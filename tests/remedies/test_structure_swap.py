"""Swaps: what is replaced, what stays, where the function is promised to be the same."""

import functools

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

from hinge import nn as ours
from hinge.errors import HingeError, ModelError, OptionError, UnsupportedError
from hinge.remedies.swapping.swap import swap


class Everywhere(nn.Module):
    """ReLUs in every place where a module can hold one."""

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(4, 4)
        self.shared = nn.ReLU()
        self.again = self.shared
        self.row = nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True), self.shared)
        self.listed = nn.ModuleList([nn.ReLU(), nn.Tanh()])
        self.named = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Sigmoid()})
        self.function = F.relu
        self.partial = functools.partial(F.relu, inplace=False)
        self.unused = nn.ReLU()

    def forward(self, x):
        x = self.again(self.row(self.shared(self.line(x))))
        x = self.named["a"](self.listed[1](self.listed[0](x - 0.1)) - 0.2)
        return torch.relu(self.line(self.partial(self.function(x + 0.1))))


def test_every_place_is_reached_and_named():
    model = Everywhere().double()
    old = {id(m) for m in model.modules() if isinstance(m, nn.ReLU)}
    receipt = swap(model, "relu", "leaky_relu", negative_slope=0.3)
    assert not any(id(m) in old for m in model.modules())
    assert model.shared is model.again is model.row[2]
    kinds = [model.row[1], model.listed[0], model.named["a"], model.function, model.partial]
    assert all(type(one) is nn.LeakyReLU and one.negative_slope == 0.3 for one in kinds)
    assert (model.row[1].inplace, model.listed[0].inplace) == (True, False)
    assert type(model.listed[1]) is nn.Tanh
    assert type(model.named["b"]) is nn.Sigmoid
    for path in ("again", "row.1", "listed.0", "named.a", "function", "partial", "unused"):
        assert any(path in change for change in receipt.changes)


def test_calls_in_code_stay_and_are_named():
    model = Everywhere().double()
    receipt = swap(model, "relu", "leaky_relu", data=random(9, 4), negative_slope=0.3)
    assert [note for note in receipt.notes if "relu()" in note]
    assert receipt.preserves == "no"


def test_the_new_function_is_what_runs():
    model, x = perceptron(), random(30, 4)
    wanted = perceptron(lambda: nn.LeakyReLU(0.3))
    before = outputs(model, x)
    receipt = swap(model, "ReLU", "LeakyReLU", data=x, negative_slope=0.3)
    assert torch.equal(outputs(model, x), outputs(wanted, x))
    assert receipt.moved == change(model, before, x) > 0
    assert receipt.spread == pytest.approx(float(before.std(correction=0)))


@pytest.mark.parametrize(
    ("old", "made", "new", "options"),
    [
        ("relu", nn.ReLU, "prelu", {"init": 0.0}),
        ("relu", nn.ReLU, "leaky_relu", {"negative_slope": 0.0}),
        ("leaky_relu", lambda: nn.LeakyReLU(0.2), "prelu", {"init": 0.2}),
        ("leaky_relu", lambda: nn.LeakyReLU(0.2), "srelu", {"preserve": True}),
        ("relu", nn.ReLU, "prelu", {"preserve": True}),
        ("relu", nn.ReLU, "srelu", {"preserve": True}),
        ("relu6", nn.ReLU6, "hardtanh", {"preserve": True}),
        ("hardtanh", nn.Hardtanh, "srelu", {"preserve": True}),
        ("elu", nn.ELU, "celu", {}),
        ("silu", nn.SiLU, "silu", {}),
        ("gelu", nn.GELU, "gelu", {}),
        ("relu", nn.ReLU, "relu", {}),
        ("relu", ours.ReLU, "relu", {}),
        ("prelu", lambda: nn.PReLU(1, 0.1), "leaky_relu", {"preserve": True}),
    ],
)
def test_promised_everywhere_holds_on_random_inputs(old, made, new, options):
    model, x = perceptron(made), 5 * random(400, 4, seed=3)
    before = outputs(model, x)
    receipt = swap(model, old, new, data=random(20, 4), **options)
    assert receipt.preserves == "everywhere"
    assert change(model, before, x) <= 1e-12
    assert receipt.moved <= 1e-12


@pytest.mark.parametrize(
    ("made", "old", "new", "options"),
    [
        (nn.ReLU, "relu", "prelu", {}),
        (nn.ReLU, "relu", "celu", {}),
        (nn.ReLU, "relu", "softplus", {"beta": 1000.0}),
        (nn.ReLU, "relu", "leaky_relu", {"negative_slope": 1e-9}),
        (nn.GELU, "gelu", "gelu_tanh", {}),
        (nn.ReLU, "relu", "rrelu", {}),
    ],
)
def test_another_function_promises_nothing(made, old, new, options):
    assert swap(perceptron(made), old, new, **options).preserves == "no"


@pytest.mark.parametrize("new", ["celu", "gelu", "tanh", "rrelu", "softplus", "sigmoid"])
def test_where_no_parameter_preserves_nothing_is_done(new):
    model = perceptron()
    before = Everything(model)
    with pytest.raises(OptionError):
        swap(model, "relu", new, preserve=True)
    before.check_same()


def test_slopes_per_channel_where_the_units_lie_along_axis_1():
    model = image_network()
    swap(model, "relu", "prelu", data=random(5, 3, 6, 6), preserve=True)
    assert [model[i].num_parameters for i in (1, 3, 6)] == [4, 5, 6]
    tokens = perceptron()
    swap(tokens, "relu", "prelu", data=random(5, 7, 4))  # units along the last axis
    assert tokens[1].num_parameters == 1
    assert swap(perceptron(), "relu", "prelu", num_parameters=1).changes


def test_undo_brings_everything_back_bit_for_bit():
    model, x = Everywhere().double().train(), random(16, 4)
    model.unused.eval()
    optimizer = trained(model, x, weight_decay=0.1)
    before = Everything(model, optimizer)
    receipt = swap(model, "relu", "prelu", data=x, optimizer=optimizer, preserve=True)
    assert not model.unused.training
    assert any("decays" in note for note in receipt.notes)
    with pytest.raises(AssertionError):
        before.check_same()
    receipt.undo()
    before.check_same()


def test_the_new_parameters_are_trained_and_leave_with_undo():
    model, x = perceptron(), random(16, 4)
    optimizer = trained(model, x)
    receipt = swap(model, "relu", "prelu", data=x, optimizer=optimizer)
    assert any("optimizer" in change for change in receipt.changes)
    slopes = model[1].weight.clone()
    steps(model, optimizer, x)
    assert not torch.equal(model[1].weight, slopes)
    receipt.undo()
    assert set(optimizer.state) == set(model.parameters())
    assert set(optimizer.param_groups[0]["params"]) == set(model.parameters())
    weights = model[0].weight.clone()
    steps(model, optimizer, x)
    assert not torch.equal(model[0].weight, weights)


def test_a_named_optimizer_learns_and_forgets_the_names():
    model = perceptron()
    optimizer = torch.optim.SGD(model.named_parameters(), lr=0.1)
    before = Everything(model, optimizer)
    receipt = swap(model, "relu", "prelu", optimizer=optimizer)
    assert optimizer.param_groups[0]["param_names"][-2:] == ["1.weight", "3.weight"]
    receipt.undo()
    before.check_same()


def test_schedulers_made_before_go_on():
    model, x = perceptron(), random(8, 4)
    optimizer = trained(model, x)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    swap(model, "relu", "prelu", optimizer=optimizer)
    steps(model, optimizer, x)
    scheduler.step()
    assert len(scheduler.get_last_lr()) == len(optimizer.param_groups)


@pytest.mark.parametrize("activation", ["relu", nn.ReLU(), F.relu])
@pytest.mark.parametrize("new", ["tanh", "gelu_tanh", "softplus"])
def test_an_encoder_runs_what_it_was_given_fused_or_not(activation, new):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation=activation, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2).eval()
    before = Everything(encoder)
    receipt = swap(encoder, "relu", new)
    x, mask = torch.randn(2, 3, 8), torch.tensor([[False, False, True], [False] * 3])
    with torch.no_grad():
        fused = encoder(x, src_key_padding_mask=mask)
    with torch.enable_grad():  # a gradient keeps torch from its fused kernel
        plain = encoder(x.requires_grad_(), src_key_padding_mask=mask)
    assert torch.allclose(fused[~mask], plain[~mask], atol=2e-6)
    receipt.undo()
    before.check_same()


class Own(nn.Module):
    """A class of the user's that is a ReLU and nothing else."""

    def forward(self, x):
        return x.clamp(min=0)


class Scaled(nn.ReLU):
    """It inherits from ReLU but is another function."""

    def forward(self, x):
        return 2 * super().forward(x)


def test_a_class_of_ones_own_counts_as_what_it_does():
    model = perceptron(Own)
    with pytest.raises(ModelError):
        swap(model, "relu", "tanh")  # nothing is known of it before it is seen
    swap(model, "relu", "tanh", data=random(5, 4))
    assert type(model[1]) is nn.Tanh
    with pytest.raises(ModelError):
        swap(perceptron(Scaled), "relu", "tanh")


def test_only_what_lies_below_where():
    model = nn.Sequential(perceptron(), nn.ReLU(), nn.Sequential(nn.ReLU())).double()
    swap(model, "relu", "gelu", where=["0.1", "2"])
    kinds = [type(model[0][1]), type(model[0][3]), type(model[1]), type(model[2][0])]
    assert kinds == [nn.GELU, nn.ReLU, nn.ReLU, nn.GELU]


@pytest.mark.parametrize(
    ("old", "new", "options", "kind"),
    [
        ("tanh", "relu", {}, ModelError),
        ("relu", "crelu", {}, UnsupportedError),
        ("glu", "relu", {}, UnsupportedError),
        ("relu", "sparse_plus", {}, UnsupportedError),
        ("relu", "lekyrelu", {}, OptionError),
        ("relu", 3, {}, OptionError),
        ("relu", "leaky_relu", {"negative_slop": 1.0}, OptionError),
        ("relu", "leaky_relu", {"negative_slope": "much"}, OptionError),
        ("relu", "leaky_relu", {"num_parameters": 4}, OptionError),
        ("relu", "prelu", {"weight": torch.zeros(8)}, OptionError),
        ("relu", "prelu", {"num_parameters": 0}, OptionError),
        ("relu", "prelu", {"where": "9"}, OptionError),
        ("relu", "prelu", {"optimizer": 3}, OptionError),
        ("relu", "prelu", {"data": torch.zeros(3, 5, dtype=torch.float64)}, HingeError),
        ("relu", "prelu", {"num_parameters": 5, "data": random(3, 4)}, HingeError),
    ],
)
def test_bad_input_is_told_in_four_parts_and_nothing_is_done(old, new, options, kind):
    model = perceptron()
    before = Everything(model)
    with pytest.raises(kind) as error:
        swap(model, old, new, **options)
    assert in_four_parts(error.value)
    before.check_same()


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace.*:DeprecationWarning")
def test_what_is_no_module_is_refused():
    for model in (F.relu, torch.jit.trace(perceptron(), random(1, 4)), 3):
        with pytest.raises(ModelError):
            swap(model, "relu", "tanh")


def test_an_activation_that_is_called_in_code_alone_is_named():
    class InCode(nn.Module):
        def __init__(self):
            super().__init__()
            self.line = nn.Linear(4, 4).double()

        def forward(self, x):
            return F.relu(self.line(x))

    with pytest.raises(ModelError, match="code") as error:
        swap(InCode(), "relu", "tanh", data=random(3, 4))
    assert "relu()" in error.value.found
    with pytest.raises(ModelError) as error:
        swap(InCode(), "tanh", "relu", data=random(3, 4))
    assert "relu" in error.value.found
