"""Gated units of two tensors are those of one tensor that holds both halves."""

import pytest
import torch

import hinge.nn.functional as F
from hinge.errors import DataError
from hinge.measuring import kept_bytes

every_unit = pytest.mark.parametrize("name", ["reglu", "geglu", "swiglu"])


def halves(dtype=torch.float32, shape=(40, 30, 17)):
    generator = torch.manual_seed(0)
    return [torch.randn(shape, generator=generator).to(dtype).requires_grad_() for _ in range(2)]


@every_unit
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_values_and_gradients_are_those_of_one_tensor(name, dtype):
    a, b = halves(dtype)
    y = getattr(F, f"{name}_pair")(a, b)
    together = torch.cat([a, b], 1)
    wanted = getattr(F, name)(together, 1)
    torch.testing.assert_close(y, wanted)
    gradient = torch.randn(y.shape).to(dtype)
    found = torch.autograd.grad(y, [a, b], gradient)
    for one, other in zip(found, torch.autograd.grad(wanted, [a, b], gradient), strict=True):
        torch.testing.assert_close(one, other)


@every_unit
def test_differentiated_twice_and_in_batches(name):
    a, b = halves(torch.float64, (3, 5))
    function = getattr(F, f"{name}_pair")
    assert torch.autograd.gradgradcheck(function, (a, b))
    rows = torch.func.vmap(function)(a.detach(), b.detach())
    torch.testing.assert_close(rows, function(a, b).detach())
    x, z = halves(torch.float32, (30, 50))
    (first,) = torch.autograd.grad(function(x, z).square().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), z)
    wide = [one.detach().double().requires_grad_() for one in (x, z)]
    (exact,) = torch.autograd.grad(function(*wide).square().sum(), wide[0], create_graph=True)
    (truth,) = torch.autograd.grad(exact.sum(), wide[1])
    torch.testing.assert_close(second.double(), truth, rtol=1e-4, atol=1e-4)


@every_unit
def test_only_the_halves_are_kept(name):
    kept = kept_bytes(getattr(F, f"{name}_pair"), *(one.detach() for one in halves()))
    assert (kept.output, kept.extra) == (0, 0)
    assert kept.per_element == 8


@every_unit
def test_halves_that_differ_are_refused(name):
    function = getattr(F, f"{name}_pair")
    for other in (torch.randn(3, 4), torch.randn(2, 4).half(), torch.ones(2, 4, dtype=torch.int64)):
        with pytest.raises(DataError):
            function(torch.randn(2, 4), other)
