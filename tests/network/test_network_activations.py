"""Every activation that torch has as a module is read, run, and seen by a census."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import hinge
from hinge.activations import Activation, all_activations
from hinge.errors import UnsupportedError
from hinge.network import read

KNOWN = [record for record in all_activations() if record.names.aten and record.names.torch_module]

TAKEN_APART = ("hardshrink", "softshrink")
"""What torch.export turns into comparisons, which a network of steps does not have."""


def model_of(record: Activation) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), record.torch_module(), nn.Linear(5, 2)).eval()


@pytest.mark.parametrize("record", KNOWN, ids=lambda record: record.name)
def test_a_module_is_read_and_runs(record: Activation) -> None:
    model, x = model_of(record), 4 * torch.randn(64, 4)
    if record.name in TAKEN_APART:
        with pytest.raises(UnsupportedError):
            read(model, x)
        return
    network = read(model, x)
    assert [site.activation for site in network.sites] == [record.name]
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("record", KNOWN, ids=lambda record: record.name)
def test_a_census_sees_the_module(record: Activation) -> None:
    model, x = model_of(record), 4 * torch.randn(64, 4)
    census = hinge.observe(model, x)
    (site,) = census.sites
    assert (site.activation, site.n_units) == (record.name, 5)
    with torch.no_grad():
        z = model[0](x)
    kink = record.fires_above(**dict(_numbers(record)))
    assert census[site.name].fired.tolist() == (z > kink).sum(0).tolist()  # none, where it is NaN


def _numbers(record: Activation) -> list[tuple[str, float]]:
    return [(parameter.name, parameter.default) for parameter in record.parameters]


def test_operations_beside_an_activation_in_one_module_have_names_of_their_own():
    class Shifted(nn.Module):
        def forward(self, x):
            return -torch.relu(-torch.relu(x - 1) + 2)

    model, x = nn.Sequential(nn.Linear(4, 5), Shifted(), nn.Linear(5, 2)).eval(), torch.randn(9, 4)
    network = hinge.read(model, x)
    names = [step.name for step in network.steps]
    assert len(set(names)) == len(names)
    assert [site.name for site in network.sites] == ["1", "1#2"]
    torch.testing.assert_close(network(x), model(x))
