"""In place: the same numbers and gradients, in the input's memory, and nothing silently wrong."""

import copy

import pytest
import torch
from nn_cases import image, large

import hinge.nn as hnn
from hinge.errors import DataError

TORCH = ("ReLU", "LeakyReLU", "ReLU6", "ELU", "CELU", "SELU", "Hardtanh", "Hardsigmoid")
TORCH += ("Hardswish", "SiLU", "Mish")
OWN = ("Abs", "ReLUN", "ThresholdedReLU", "ShiftedReLU", "Squareplus", "QuickGELU", "SquaredReLU")
every_name = pytest.mark.parametrize("name", TORCH + OWN)


@every_name
@pytest.mark.parametrize("data", [image, large])
def test_in_place_gives_the_same_in_the_same_memory(name, data):
    x = data()
    wanted = getattr(hnn, name)()(x)
    version, place = x._version, x.data_ptr()
    y = getattr(hnn, name)(inplace=True)(x)
    assert y.data_ptr() == place
    assert x._version > version
    torch.testing.assert_close(x, wanted, rtol=1e-6, atol=1e-7)


@every_name
@pytest.mark.parametrize("data", [image, large])
def test_gradients_flow_through(name, data):
    gradients = []
    for inplace in (False, True):
        x = data().requires_grad_()
        y = getattr(hnn, name)(inplace=inplace)(x * 1)
        gradients.append(torch.autograd.grad(y.pow(2).sum(), x)[0])
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-6)


@every_name
def test_a_leaf_that_wants_a_gradient_is_refused(name):
    leaf = large().requires_grad_()
    before = leaf.detach().clone()
    for x in (leaf, leaf[1:], leaf.view(-1)):
        with pytest.raises(DataError, match="overwritten"):
            getattr(hnn, name)(inplace=True)(x)
    assert torch.equal(leaf, before)


@every_name
def test_an_input_that_another_operation_kept_is_found_out(name):
    x = large().requires_grad_()
    doubled = x * 2
    squares = doubled * doubled  # keeps `doubled` for the backward pass
    getattr(hnn, name)(inplace=True)(doubled)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        squares.sum().backward()


@every_name
def test_copies_remember(name):
    assert copy.deepcopy(getattr(hnn, name)(inplace=True)).inplace
