"""The compiled RReLU draws what Philox says, uniformly, and draws it again for the gradient."""

import math

import pytest
import torch
from kernel_truths import FLOATS, INF, NAN, at_every_level, close, same_bits, values
from scipy import stats

from hinge.kernels import random
from hinge.kernels.native import native

LOWER, UPPER = 0.125, 1 / 3
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
"""Counter, key and result of philox4x32 with 10 rounds, from the kat_vectors of Random123."""


def words(key, counter, count, stream=0, level=""):
    found = torch.empty(count, dtype=torch.int32)
    native.philox(key, counter, stream, found.data_ptr(), count, level)
    return found.long() & 0xFFFFFFFF


def slowly(key, counter):
    """The four words of a counter, as the paper writes the function (section 3.3)."""
    a, b, c, d = (counter >> shift & 0xFFFFFFFF for shift in (0, 32, 64, 96))
    low, high = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        left, right = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (
            right >> 32 ^ b ^ low,
            right & 0xFFFFFFFF,
            left >> 32 ^ d ^ high,
            left & 0xFFFFFFFF,
        )
        low, high = (low + 0x9E3779B9) % 2**32, (high + 0xBB67AE85) % 2**32
    return [a, b, c, d]


def joined(low, high):
    return low | high << 32


@pytest.mark.parametrize("level", native.levels)
@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_philox_gives_the_published_words(level, counter, key, result):
    found = words(joined(*key), joined(*counter[:2]), 4, joined(*counter[2:]), level)
    assert tuple(found.tolist()) == result
    assert slowly(joined(*key), sum(c << 32 * i for i, c in enumerate(counter))) == list(result)


@pytest.mark.parametrize("level", native.levels)
@pytest.mark.parametrize("first", [0, 5, 2**32 - 7, 2**40])
def test_counters_follow_each_other(level, first):
    key = 0x0123456789ABCDEF
    found = words(key, first, 4 * 21 + 3, level=level).tolist()
    expected = [word for i in range(22) for word in slowly(key, first + i)]
    assert found == expected[: len(found)]


def test_element_i_takes_word_i():
    found = random.slopes((3, 37), torch.float32, LOWER, UPPER, 9).flatten().double()
    uniform = (words(9, 0, 111) >> 8).double() * 2.0**-24
    close(found.float(), LOWER + (UPPER - LOWER) * uniform)


def test_slopes_are_uniform_and_fill_the_interval():
    found = random.slopes((200_000,), torch.float32, LOWER, UPPER, 1).double()
    assert found.min() >= LOWER
    assert found.max() <= UPPER
    uniform = stats.uniform(LOWER, UPPER - LOWER)
    assert stats.kstest(found.numpy(), uniform.cdf).pvalue > 1e-4
    # The same of neighbours' sums, which a bad order of the words would bend.
    scaled = (found - LOWER) / (UPPER - LOWER)
    pairs = (scaled[::2] + scaled[1::2]) / 2
    assert stats.kstest(pairs.numpy(), stats.triang(0.5).cdf).pvalue > 1e-4


def test_seeds_differ_and_repeat():
    one, two, again = (random.slopes((1000,), torch.float32, 0.0, 1.0, s) for s in (1, 2, 1))
    assert torch.equal(one, again)
    assert abs(torch.corrcoef(torch.stack([one, two]))[0, 1]) < 5 / math.sqrt(1000)
    high = random.slopes((1000,), torch.float32, 0.0, 1.0, 1 + 2**63)
    assert not torch.equal(one, high)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 500])
def test_values_and_gradients_are_those_of_the_slopes(monkeypatch, size, dtype):
    x = values((size,), odd=True, dtype=dtype)
    gradient = values((size,), 1, dtype=dtype)
    exact = random.slopes((size,), torch.float32, LOWER, UPPER, 4).double()
    truth = torch.where(x > 0, x.double(), x.double() * exact)
    slope = torch.where(x > 0, 1.0, exact).where(~x.isnan(), NAN)

    def both():
        y = random.rrelu(x, LOWER, UPPER, 4)
        return (
            y,
            random.rrelu_backward(gradient, y, LOWER, UPPER, 4),
            random.rrelu_backward(gradient, x, LOWER, UPPER, 4),
        )

    found = at_every_level(monkeypatch, random, both)
    same_bits(found)
    for y, from_output, from_input in found:
        assert y.dtype == dtype
        close(y, truth)
        close(from_output, gradient.double() * slope)
        same_bits([from_output, from_input])


def test_threads_share_a_large_tensor(monkeypatch):
    x = values((3, 70_001))
    same_bits(at_every_level(monkeypatch, random, lambda: random.rrelu(x, LOWER, UPPER, 2)))


def test_equal_ends_are_leaky_relu():
    x = values((999,))
    leaky = torch.nn.functional.leaky_relu(x, 0.25)
    assert torch.equal(random.rrelu(x, 0.25, 0.25, 7), leaky)
    assert torch.equal(random.rrelu(x, 0.0, 0.0, 7), x.relu())


def test_infinity_and_zero():
    x = torch.tensor([-INF, INF, 0.0, -0.0])
    assert random.rrelu(x, 0.1, 0.3, 0).tolist() == [-INF, INF, 0.0, 0.0]
    flat = random.rrelu(x, 0.0, 0.0, 0)
    assert flat.tolist() == [0.0, INF, 0.0, 0.0]
    assert random.rrelu(x, 0.1, 0.3, 0).signbit().tolist() == [True, False, False, True]


@pytest.mark.parametrize("place", range(67))
def test_nan_comes_through_at_any_place(place):
    x = torch.full((67,), -1.0)
    x[place] = NAN
    y = random.rrelu(x, LOWER, UPPER, 3)
    there = torch.arange(67) == place
    assert torch.equal(y.isnan(), there)
    assert torch.equal(random.rrelu_backward(x.abs(), y, LOWER, UPPER, 3).isnan(), there)


def test_what_it_takes():
    x = torch.zeros(4, 6)
    assert random.takes(x)
    assert random.takes(x.bfloat16())
    assert not random.takes(x.T)
    assert not random.takes(x.double())
    assert not random.takes(x.to("meta"))
