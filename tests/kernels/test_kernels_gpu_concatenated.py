"""The Triton kernels of CReLU are torch's composition, bit for bit, with one slope at zero."""

import math

import pytest
import torch
from gpu_device import DTYPES, QUIET, fenced, here

from hinge.kernels.gpu.concatenated import backward, forward

pytestmark = [QUIET, pytest.mark.usefixtures(fenced.__name__)]
SHAPES = pytest.mark.parametrize(
    ("shape", "dim"),
    [((5, 6, 7), 1), ((3, 2049), -1), ((1,), 0), ((3000, 1), 1), ((70, 10, 3), -2), ((0, 4), 1)],
)


@SHAPES
@DTYPES
def test_the_composition_of_torch(shape, dim, dtype):
    x = here(torch.randn(shape, generator=torch.Generator().manual_seed(5)), dtype)
    x.view(-1)[::7] = 0
    y = forward(x, dim)
    assert torch.equal(y, torch.cat([x.relu(), (-x).relu()], dim))
    gradient = torch.randn_like(y)
    first, second = gradient.chunk(2, dim)
    zero = torch.zeros_like(x)
    expected = torch.where(x > 0, first, zero) - torch.where(x < 0, second, zero)
    assert torch.equal(backward(gradient, y, dim), expected)


def test_numbers_that_go_wrong():
    x = here([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-45])
    y = forward(x, 0)
    assert y.isnan().tolist() == [True, *[False] * 5] * 2
    assert y[[1, 2, 3, 4]].tolist() == [math.inf, 0, 0, 0]
    assert y[[7, 8, 9, 10]].tolist() == [0, math.inf, 0, 0]
    gradient = backward(torch.ones_like(y), y, 0)
    assert gradient[0].isnan()
    assert gradient[1:].tolist() == [1, -1, 0, 0, 1]
