"""Hinge's own modules are seen by a census and read as steps, by the record that they apply."""

import copy

import pytest
import torch
from nn_cases import every_module
from torch import nn

import hinge
import hinge.nn as hnn

NO_RECORD = (hnn.Maxout, hnn.TopK, hnn.FReLU, hnn.GLU, hnn.ReGLU, hnn.GEGLU, hnn.SwiGLU)
TAKEN_APART = (hnn.Hardshrink, hnn.Softshrink)  # by torch's export, as torch's own


def around(module):
    """A network of two layers with the module between them, and data for it."""
    torch.manual_seed(0)
    width = {hnn.CReLU: 12}.get(type(module), 6)
    return nn.Sequential(nn.Linear(8, 6), copy.deepcopy(module), nn.Linear(width, 3)).eval()


def record_of(module):
    """The record that the module applies; in CReLU it is ReLU, twice."""
    if isinstance(module, hnn.CReLU):
        return "relu"
    if isinstance(module, hnn.GELU):
        return "gelu_tanh"
    return "leaky_relu" if isinstance(module, hnn.RReLU) else module.record.name


@every_module
@pytest.mark.parametrize("examples", [10, 4000])
def test_a_census_counts_its_units(module, examples):
    if isinstance(module, NO_RECORD):
        return
    model, x = around(module), torch.randn(examples, 8)
    census = hinge.observe(model, [x])
    assert {site.activation for site in census.sites} == {record_of(module)}
    z = model[0](x)
    first = census[census.sites[0].name]
    torch.testing.assert_close(torch.tensor(first.max), z.max(0).values.double())
    if first.traits.has_kink:
        assert first.fired.tolist() == (z > first.traits.fires_above).sum(0).tolist()


@every_module
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # torch's own
def test_it_is_read_as_steps(module):
    if isinstance(module, NO_RECORD + TAKEN_APART):
        return
    model, x = around(module), torch.randn(10, 8)
    network = hinge.read(model, x)
    assert {site.activation for site in network.sites} == {record_of(module)}
    torch.testing.assert_close(network(x), model(x), rtol=1e-5, atol=1e-5)
