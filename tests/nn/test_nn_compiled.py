"""Compiled and exported: parameters never seen before, every size, and torch.func inside."""

import pytest
import torch

import hinge.nn as hnn

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),  # torch's own
]
MODULES = (hnn.GELU, hnn.ELU, hnn.Softsign, hnn.SwiGLU, hnn.CReLU, hnn.PReLU)


def compiled(function):
    torch._dynamo.reset()
    return torch.compile(function, backend="aot_eager", fullgraph=True)


def test_parameters_that_no_call_has_seen():
    module = torch.nn.Sequential(hnn.ELU(0.3171), hnn.ELU(0.3172), hnn.LeakyReLU(0.3173))
    x = torch.randn(40, 50)
    found = compiled(module)(x)
    torch.testing.assert_close(found, module(x))


@pytest.mark.parametrize("make", MODULES)
def test_function_transforms_inside(make):
    module = make()
    x, along = torch.randn(2, 3, 64, generator=torch.manual_seed(1)).unbind()

    def tangents(x):
        return torch.func.jvp(module, (x,), (along,))[1]

    def gradients(x):
        return torch.func.grad(lambda at: module(at).square().sum())(x)

    def rows(x):
        return torch.func.vmap(lambda row: module(row.unsqueeze(0)).squeeze(0))(x)

    # torch does not compile the tangents of CReLU's views
    forward = () if make is hnn.CReLU else (tangents,)
    for function in (*forward, gradients, rows):
        torch.testing.assert_close(compiled(function)(x), function(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [hnn.ReLU, hnn.LeakyReLU, *MODULES])
def test_exported_for_batches_of_every_size(make):
    size = torch.export.Dim("size", min=2, max=1 << 20)
    module, x = make().eval(), torch.randn(4, 640)
    program = torch.export.export(module, (x,), dynamic_shapes=({0: size},)).module()
    many = torch.randn(700, 640)
    torch.testing.assert_close(program(many), module(many), rtol=1e-5, atol=1e-6)
