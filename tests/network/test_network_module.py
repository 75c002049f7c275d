"""A torch module read as steps computes the same, names its sites, and is left as it was."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from network_zoo import ZOO, Example, Function, Residual
from torch import Tensor, nn
from torch.nn import functional as F

from hinge.errors import DataError, OptionError, UnsupportedError
from hinge.layout import Place
from hinge.network import Activate, Add, Affine, Concat, Max, Network, read

NAMES = list(ZOO)


@pytest.fixture(scope="module")
def networks() -> dict[str, tuple[Example, nn.Module, Tensor, Network]]:
    made = {}
    for name, example in ZOO.items():
        model, x = example.make()
        made[name] = (example, model.eval(), x, read(model, x))
    return made


@pytest.mark.parametrize("name", NAMES)
def test_computes_what_the_model_computes(networks, name):
    _, model, x, network = networks[name]
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-5, atol=1e-5)
        wide = copy.deepcopy(model).double()
        torch.testing.assert_close(network(x.double()), wide(x.double()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_any_batch_size(networks, name):
    _, model, x, network = networks[name]
    with torch.no_grad():
        for batch in (x[:1], torch.cat([x, x]), x[:0]):
            if len(batch):
                torch.testing.assert_close(network(batch), model(batch), rtol=1e-5, atol=1e-5)
            assert network(batch).shape == (len(batch), *network.output_shape)


@pytest.mark.parametrize("name", NAMES)
def test_sites_and_units(networks, name):
    example, _, x, network = networks[name]
    assert {site.name: site.n_units for site in network.sites} == example.sites
    pre = network.pre_activations(x)
    assert list(pre) == list(example.sites)
    for site in network.sites:
        assert network.place(site).fits(pre[site.name].shape)
        assert network.place(site).size == site.n_units
    assert network.traits.keys() == example.sites.keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_operator_is_affine(networks, name):
    """Each operator on its real place: b + W x and its transpose agree with one another."""
    network = networks[name][3]
    for step in network.steps:
        if isinstance(step, Affine):
            operator = step.operator.to(torch.float64)
            x = torch.randn(2, *operator.input_shape, dtype=torch.float64)
            y = torch.randn(2, *operator.output_shape, dtype=torch.float64)
            assert step.shape == operator.output_shape
            left = (operator.linear(x) * y).sum()
            right = (x * operator.transpose(y)).sum()
            torch.testing.assert_close(left, right)


@pytest.mark.parametrize("name", NAMES)
def test_to_torch_is_the_same_function_and_can_be_trained(networks, name):
    _, _, x, network = networks[name]
    model = network.to_torch()
    result = model(x)
    torch.testing.assert_close(result, network(x), rtol=1e-5, atol=1e-5)
    parameters = list(model.parameters())
    weighted = [s for s in network.steps if isinstance(s, Affine) and s.operator.tensors]
    assert bool(parameters) or not weighted
    if parameters:
        result.sum().backward()
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in parameters)


@pytest.mark.parametrize("name", ["mlp", "cnn", "residual", "inverted bottleneck", "shared twice"])
def test_to_torch_reads_back_with_the_same_names(networks, name):
    _, _, x, network = networks[name]
    again = read(network.to_torch(), x)
    assert [site.name for site in again.sites] == [site.name for site in network.sites]
    torch.testing.assert_close(again(x), network(x))


def test_units_are_followed_through_shapes(networks):
    assert networks["cnn"][3].place("2") == Place(1, 6)
    assert networks["channels last"][3].unit_axis("act") == 3
    assert networks["tokens"][3].unit_axis("1") == 2
    flattened = read(
        nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.ReLU()), torch.zeros(2, 1, 4, 5)
    )
    assert flattened.place("2") == Place(1, 3, inner=6)
    assert flattened.sites[0].n_units == 3


def test_kinds_of_steps(networks):
    kinds = {type(step) for name in NAMES for step in networks[name][3].steps}
    assert kinds == {Affine, Activate, Max, Add, Concat}
    steps = networks["residual"][3].steps
    assert [step.kind for step in steps] == [
        "Affine", "Affine", "Activate", "Affine", "Add", "Activate",
    ]  # fmt: skip
    assert steps[4].inputs == ("second", "input")


def test_numpy_in_numpy_out(networks):
    _, _, x, network = networks["mlp"]
    result = network(x.numpy())
    assert isinstance(result, np.ndarray)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, network(x).numpy())


def test_derivatives_pass_through(networks):
    _, model, x, network = networks["cnn"]
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    network(ours).sum().backward()
    model(theirs).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)


def test_pre_activations_are_those_of_the_model(networks):
    _, model, x, network = networks["residual"]
    assert isinstance(model, Residual)
    with torch.no_grad():
        first = model.norm(model.first(x))
        second = model.second(first.relu()) + x
    pre = network.pre_activations(x)
    torch.testing.assert_close(pre["relu"], first)
    torch.testing.assert_close(pre["relu#2"], second)


def test_the_model_is_left_as_it_was():
    model, x = ZOO["cnn"].make()
    model.train()
    model[1].eval()
    before = copy.deepcopy(model.state_dict())
    modes = [module.training for module in model.modules()]
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    network = read(model, x)
    assert torch.equal(torch.rand(3), wanted)
    assert modes == [module.training for module in model.modules()]
    assert all(torch.equal(model.state_dict()[k], v) for k, v in before.items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    kept = network(x)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert torch.equal(network(x), kept)


def test_a_float64_model():
    model, x = ZOO["mlp"].make()
    network = read(model.double().eval(), x.double())
    assert network.dtype == torch.float64
    with torch.no_grad():
        torch.testing.assert_close(network(x.double()), model(x.double()), rtol=1e-12, atol=1e-12)
    assert next(network.to_torch().parameters()).dtype == torch.float64


def test_compiled_wrappers_are_taken_off():
    model, x = ZOO["shared twice"].make()
    wanted = [site.name for site in read(model, x).sites]
    whole = torch.compile(model, backend="eager")
    assert [site.name for site in read(whole, x).sites] == wanted
    model.block = torch.compile(model.block, backend="eager")
    assert [site.name for site in read(model, x).sites] == wanted


def test_weights_that_are_computed_from_parameters():
    model = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(4, 5)), nn.ReLU(), nn.Linear(5, 2)
    ).eval()
    x = torch.randn(3, 4)
    network = read(model, x)
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x))
        wide = copy.deepcopy(model).double()
        torch.testing.assert_close(network(x.double()), wide(x.double()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "function"),
    [
        (F.relu6, "relu6()"),
        (lambda x: F.leaky_relu(x, 0.3), "leaky_relu()"),
        (lambda x: torch.max(x, torch.tensor(0.0)), "relu()"),
        (lambda x: torch.maximum(torch.zeros_like(x), x), "relu()"),
        (F.selu, "selu()"),
        (lambda x: x.clamp_(0), "relu()"),
        (lambda x: x.clip(min=0), "relu()"),
    ],
)  # fmt: skip
def test_functions_are_sites_too(call, function):
    x = torch.randn(3, 4)
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(Function(call)))
    assert [site.name for site in read(model, x).sites] == ["1.0"]

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return call(self.layer(x))

    outer = Outer()
    network = read(outer, x)
    assert [site.name for site in network.sites] == [function]
    with torch.no_grad():
        torch.testing.assert_close(network(x), outer(x))


class Unreadable(nn.Module):
    """Attention of a kind, and a layer norm."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(6)
        self.mix = Function(lambda x: x.softmax(-1) * x)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.mix(self.norm(x)))


def test_all_that_cannot_be_read_is_named_with_its_place():
    with pytest.raises(UnsupportedError) as caught:
        read(nn.Sequential(Unreadable(), nn.LayerNorm(6)), torch.zeros(2, 6))
    found = caught.value.found
    assert "aten.layer_norm.default in 0.norm" in found
    assert "aten.softmax.int in 0.mix" in found  # behind the other, and named all the same
    assert "aten.layer_norm.default in 1" in found
    assert "hinge.observe" in caught.value.do


def test_independent_obstacles_are_all_named():
    class Two(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.softmax(1) + x.cumsum(1)

    with pytest.raises(UnsupportedError) as caught:
        read(Two(), torch.zeros(2, 6))
    assert "softmax" in caught.value.found
    assert "cumsum" in caught.value.found
    assert "test_network_module.py:" in caught.value.found
    assert str(caught.value).startswith("2 operations")


@pytest.mark.parametrize(
    "mixing",
    [
        lambda x: x - x.mean(0),
        lambda x: x.flip(0),
        lambda x: x.T,
        lambda x: x / x.shape[0],
        lambda x: x.reshape(-1),
        lambda x: x.unsqueeze(0),
        lambda x: x[1:],
        lambda x: x * torch.randn(4),
        lambda x: F.batch_norm(x, None, None, training=True),
    ],
)
def test_what_mixes_the_batch_or_draws_at_random_is_refused(mixing):
    with pytest.raises(UnsupportedError):
        read(Function(mixing), torch.randn(3, 4))


def test_models_that_are_no_network():
    x = torch.zeros(2, 3)
    for model in (
        Function(lambda x: (x, x + 1)),
        Function(lambda x: torch.ones(2)),
        Function(lambda x: x if x.sum() > 0 else -x),
    ):
        with pytest.raises(UnsupportedError):
            read(model, x)
    with pytest.raises(UnsupportedError):
        read(nn.Embedding(4, 3), torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(UnsupportedError):
        read(nn.Linear(4, 3), x)


def test_the_example_must_be_a_batch():
    for example in (None, 3.0, torch.zeros(()), torch.zeros(0, 3), (torch.zeros(2), 1)):
        with pytest.raises(DataError):
            read(nn.Linear(3, 3), example)
    assert read(nn.Linear(3, 3), (torch.zeros(1, 3),)).input_shape == (3,)
    assert read(nn.Linear(3, 3), np.zeros((2, 3), np.float32)).input_shape == (3,)


def test_inputs_that_do_not_fit(networks):
    network = networks["mlp"][3]
    for x in (torch.zeros(2, 5), torch.zeros(6), torch.zeros(2, 6, dtype=torch.int64)):
        with pytest.raises(DataError):
            network(x)
    with pytest.raises(DataError):
        network(np.zeros((2, 6), np.float16))


def test_names_that_do_not_exist(networks):
    network = networks["mlp"][3]
    with pytest.raises(OptionError):
        network.step("nowhere")
    with pytest.raises(OptionError):
        network.place("0")
    with pytest.raises(OptionError):
        read(3)  # type: ignore[arg-type]


def test_not_a_number_stays_the_users_business():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    with torch.no_grad():
        model[0].weight[1, 1] = float("nan")
    network = read(model, torch.ones(2, 3))
    assert network(torch.ones(2, 3)).isnan().any()


def test_shown_as_a_table(networks):
    network = networks["residual"][3]
    page = network.page()
    assert "2 sites" in page.summary
    assert [row[0] for row in page.blocks[0].rows] == [step.name for step in network.steps]
    assert "relu#2" in str(network)
    assert repr(network) == str(network)
