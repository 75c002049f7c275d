"""Under torch.compile, export, tracing and function transforms the modules stay themselves."""

import copy

import pytest
import torch
from nn_cases import every_module, image

import hinge.nn as hnn

RANDOM = (hnn.RReLU,)


def gradients(function, x, weights):
    x = x.clone().requires_grad_()
    y = function(x)
    torch.manual_seed(3)
    return [y, *torch.autograd.grad(y, [x, *weights], torch.randn(y.shape))]


def assert_same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=2e-6)


@every_module
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # torch's own
def test_compiled_in_one_graph(module):
    torch._dynamo.reset()
    module = copy.deepcopy(module).eval()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    weights, x = list(module.parameters()), image()
    assert_same(gradients(compiled, x, weights), gradients(module, x, weights))


@every_module
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # torch's own
def test_exported(module):
    module, x = copy.deepcopy(module).eval(), image()
    program = torch.export.export(module, (x,))
    assert_same([program.module()(x)], [module(x)])


@every_module
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_traced(module):
    module, x = copy.deepcopy(module).eval(), image()
    traced = torch.jit.trace(module, x)
    other = image().flip(0) * 0.7
    assert_same([traced(other)], [module(other)])


@every_module
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
def test_function_transforms(module):
    module, x = copy.deepcopy(module).double().eval(), image(torch.float64)
    if isinstance(module, hnn.FReLU):
        return  # its batch normalisation knows no examples without a batch
    rows = torch.func.vmap(lambda one: module(one.unsqueeze(0)).squeeze(0))(x)
    assert_same([rows], [module(x)])
    tangent = torch.randn_like(x)
    y, moved = torch.func.jvp(module, (x,), (tangent,))
    (pulled,) = torch.func.vjp(module, x)[1](torch.ones_like(y))
    assert_same([moved.sum()], [(pulled * tangent).sum()])
    slopes = torch.func.vmap(torch.func.grad(lambda one: module(one.unsqueeze(0)).sum()))(x)
    assert_same([slopes], [pulled])


@every_module
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
def test_second_derivatives(module):
    if isinstance(module, hnn.BinaryStep | hnn.JumpReLU):
        return  # a jump has no second derivative to compare with
    module = copy.deepcopy(module).double().eval()
    x = torch.randn(2, 6, 2, 2, dtype=torch.float64, generator=torch.manual_seed(4))
    assert torch.autograd.gradgradcheck(module, x.requires_grad_())


@every_module
def test_second_derivatives_of_the_kernels(module):
    """Those of float32, by kernels, are those of float64, by formulas."""
    if isinstance(module, hnn.BinaryStep):
        return  # it has none
    torch.manual_seed(6)
    found = []
    for dtype in (torch.float32, torch.float64):
        one = copy.deepcopy(module).to(dtype).eval()
        x = torch.randn(8, 6, 60, 11, generator=torch.manual_seed(7)).to(dtype).requires_grad_()
        (first,) = torch.autograd.grad(one(x).square().sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), x)
        found.append(second.double())
    scale = found[1].abs().max().clamp(min=1)
    assert (found[0] - found[1]).abs().max() <= 1e-4 * scale


def test_autocast_leaves_parameters_in_float32():
    module = hnn.PReLU(6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = torch.nn.Linear(4, 6)(torch.randn(4000, 4))
        y = module(x)
    y.float().sum().backward()
    assert x.dtype == y.dtype == torch.bfloat16
    assert module.weight.grad.dtype == torch.float32
