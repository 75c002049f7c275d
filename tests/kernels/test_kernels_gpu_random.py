"""RReLU's Triton kernels draw the published Philox words, and the same ones going back."""

import math

import pytest
import torch
from gpu_device import DEVICE, DTYPES, QUIET, assert_rounded, fenced, here

from hinge.kernels.gpu.programs.language import jit, tl
from hinge.kernels.gpu.programs.random import slopes as device_slopes
from hinge.kernels.gpu.random import rrelu, rrelu_backward

pytestmark = [QUIET, pytest.mark.usefixtures(fenced.__name__)]
MASK = 2**32 - 1


def philox(counter, key):
    """Philox4x32-10 as its paper states it (Salmon et al. 2011, section 3.3), in integers."""
    counter, key = list(counter), list(key)
    for _ in range(10):
        left, right = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [
            right >> 32 ^ counter[1] ^ key[0],
            right & MASK,
            left >> 32 ^ counter[3] ^ key[1],
            left & MASK,
        ]
        key = [key[0] + 0x9E3779B9 & MASK, key[1] + 0xBB67AE85 & MASK]
    return counter


def words(seed, count, first=0):
    """The words of the counters from ``first`` on."""
    found = []
    for at in range(first, first + -(-count // 4)):
        found += philox((at & MASK, at >> 32, 0, 0), (seed & MASK, seed >> 32))
    return found[:count]


@jit
def some_slopes(out, counter, seed, COUNTERS: tl.constexpr):
    at = counter + tl.arange(0, COUNTERS)
    tl.store(out + tl.arange(0, 4 * COUNTERS), device_slopes(at, 0.0, 1.0, seed))


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((MASK,) * 4, (MASK,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ],
)
def test_the_reference_gives_the_published_answers(counter, key, expected):
    assert tuple(philox(counter, key)) == expected


def test_the_first_words_are_the_published_answers():
    """With slopes of the form 0 + 1·(upper 24 bits), they are in the output."""
    x = here([-1.0] * 4)
    bits = [int(-y) for y in rrelu(x, 0.0, 2.0**24, 0).tolist()]
    assert bits == [word >> 8 for word in (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)]


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 + 5, 2**63, 2**64 - 1, 0x123456789ABCDEF0])
def test_every_element_has_its_word(seed):
    size = 1500
    bits = -rrelu(here([-1.0] * size), 0.0, 2.0**24, seed)
    assert bits.tolist() == [word >> 8 for word in words(seed, size)]


def test_counters_have_more_than_32_bits():
    out = torch.zeros(32, device=DEVICE)
    some_slopes[(1,)](out, 2**32 - 3, 7, 8)
    assert out.tolist() == [word >> 8 for word in words(7, 32, 2**32 - 3)]


def test_slopes_are_rounded_twice():
    """lower + step·bits in float32, as the kernel in main memory has it."""
    bits = torch.tensor([word >> 8 for word in words(99, 3000)], dtype=torch.float32)
    lower, upper = torch.tensor(1 / 8), torch.tensor(1 / 3)
    expected = lower + (upper - lower) * 2**-24 * bits
    found = -rrelu(here([-1.0] * 3000), 1 / 8, 1 / 3, 99).cpu()
    assert torch.equal(found, expected)
    assert lower <= found.min() < 0.126
    assert 0.332 < found.max() <= upper
    assert abs(found.mean() - 11 / 48) < 0.006


@pytest.mark.parametrize("size", [0, 1, 3, 1023, 1024, 2051])
def test_values_and_gradients(size):
    x = here(torch.randn(size, generator=torch.Generator().manual_seed(2)))
    slopes = -rrelu(-torch.ones_like(x), 0.1, 0.4, 11)
    y = rrelu(x, 0.1, 0.4, 11)
    assert torch.equal(y, torch.where(x > 0, x, slopes * x))
    gradient = torch.randn_like(x)
    expected = torch.where(x > 0, gradient, slopes * gradient)
    assert torch.equal(rrelu_backward(gradient, x, 0.1, 0.4, 11), expected)
    assert torch.equal(rrelu_backward(gradient, y, 0.1, 0.4, 11), expected)


@DTYPES
def test_other_dtypes_are_rounded_once(dtype):
    x = here(torch.randn(999, generator=torch.Generator().manual_seed(4)), dtype)
    assert_rounded(rrelu(x, 0.1, 0.4, 5), rrelu(x.float(), 0.1, 0.4, 5))


def test_numbers_that_go_wrong():
    x = here([math.nan, math.inf, -math.inf, -0.0, 0.0])
    y = rrelu(x, 0.125, 0.25, 1)
    assert y[0].isnan()
    assert y[1:].tolist() == [math.inf, -math.inf, 0, 0]
    assert torch.signbit(y[3:]).tolist() == [True, False]
    assert rrelu(x, 0.0, 0.0, 1)[1:].tolist() == [math.inf, 0, 0, 0]
    gradient = rrelu_backward(torch.ones_like(x), x, 0.125, 0.125, 1)
    assert gradient[0].isnan()
    assert gradient[1:].tolist() == [1, 0.125, 0.125, 0.125]
