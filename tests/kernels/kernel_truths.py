"""What the tests of the compiled kernels share: odd values, ulps, levels and threads."""

import contextlib
import functools
import itertools
import math

import torch

from hinge.kernels.native import native

INF, NAN = math.inf, math.nan
FLOATS = [torch.float32, torch.bfloat16, torch.float16]
ODD = [NAN, INF, -INF, 0.0, -0.0, 1e-40, -1e-40, 6e4, -6e4, 3e38, -3e38, 90.0, -90.0, -1.278, -5.5]
"""Values that formulas go wrong on; 1e-40 is subnormal in float32."""


class AtLevel:
    """The extension, of which every kernel runs at one level."""

    def __init__(self, level):
        self.level = level

    def __getattr__(self, name):
        function = getattr(native, name)
        return function if name == "crelu_bytes" else functools.partial(function, level=self.level)


@contextlib.contextmanager
def threads(count):
    """So many threads for the kernels."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def at_every_level(monkeypatch, module, function):
    """What a function of a module gives at each level, and on one and on three threads."""
    found = []
    for level, count in itertools.product(native.levels, (1, 3)):
        monkeypatch.setattr(module, "native", AtLevel(level))
        with threads(count):
            found.append(function())
    return found


def values(shape, seed=0, odd=False, dtype=torch.float32):
    """Normal random values of many sizes, some of them odd."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=random, dtype=torch.float64)
    x = x * 10 ** torch.randint(-2, 2, shape, generator=random).double()
    if odd:
        chosen = torch.randint(0, len(ODD), shape, generator=random)
        here = torch.rand(shape, generator=random) < 0.2
        x = torch.where(here, torch.tensor(ODD, dtype=torch.float64)[chosen], x)
    return x.to(dtype)


def spacing(x, dtype):
    """The distance between the numbers of a dtype at x, which is float64."""
    info = torch.finfo(dtype)
    size = x.abs().clamp(info.tiny, info.max)
    return 2.0 ** torch.floor(torch.log2(size)) * info.eps


def close(found, truth, ulps=4.0, slack=0.0):
    """Assert that each number lies within some ulps, and some slack, of its truth in float64.

    An ulp is float32's: a result in 16 bits may also be rounded to those. NaN and infinities
    must be where they are in truth, rounded to the dtype.
    """
    assert found.shape == truth.shape
    assert truth.dtype == torch.float64
    dtype, y = found.dtype, found.double()
    bound = ulps * spacing(truth, torch.float32) + slack
    if dtype != torch.float32:
        bound = bound + 0.5 * spacing(truth, dtype)
    rounded = truth.to(torch.float32).to(dtype).double()
    near_the_end = truth.abs() > 0.999 * torch.finfo(dtype).max
    right = (y - truth).abs() <= bound
    right |= (
        (y == rounded) | (y.isnan() & truth.isnan()) | (near_the_end & (y.sign() == truth.sign()))
    )
    wrong = torch.nonzero(~right)[:5].tolist()
    assert not wrong, [(i, found[tuple(i)].item(), truth[tuple(i)].item()) for i in wrong]


def same_bits(found):
    """Assert that all tensors, or tuples of them, are equal bit by bit; one NaN is like another."""
    for other in found[1:]:
        for a, b in zip(flat(found[0]), flat(other), strict=True):
            assert torch.equal(one_nan(a).view(torch.uint8), one_nan(b).view(torch.uint8))


def one_nan(x):
    return torch.where(x.isnan(), NAN, x) if x.is_floating_point() else x


def flat(result):
    """The tensors in a tensor or a tuple of tuples, at least one-dimensional."""
    if isinstance(result, torch.Tensor):
        return [result.reshape(-1)]
    return [tensor for part in result for tensor in flat(part)]
