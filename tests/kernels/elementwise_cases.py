"""What the tests of the elementwise kernels share: cases, levels and dtypes, calls of one level."""

from __future__ import annotations

import pytest
import torch
from elementwise_truths import TRUTHS

from hinge.kernels.elementwise import KERNELS
from hinge.kernels.native import native

HALVES = [torch.bfloat16, torch.float16]
DTYPES = [torch.float32, *HALVES]
DEFAULTS = {truth.name: truth for truth in reversed(TRUTHS)}  # the first of each name

every_truth = pytest.mark.parametrize("truth", TRUTHS, ids=str)
every_kernel = pytest.mark.parametrize("truth", DEFAULTS.values(), ids=lambda truth: truth.name)
every_level = pytest.mark.parametrize("level", native.levels)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)
every_half = pytest.mark.parametrize("dtype", HALVES, ids=str)


def at_level(function, truth, x, level, threads=1):
    """The values (`native.forward`) or slopes (`native.derivative`) that one level gives."""
    y = torch.full_like(x, 7.0)
    addresses = x.data_ptr(), y.data_ptr(), x.numel()
    kernel, dtype = number_of(truth.name), dtype_number(x.dtype)
    function(kernel, *addresses, dtype, truth.parameters, threads, level)
    return y


def number_of(name):
    return list(KERNELS).index(name)


def dtype_number(dtype):
    return native.types.index(str(dtype).removeprefix("torch."))


def same_bits(one, other):
    return one.dtype == other.dtype and torch.equal(_bits(one), _bits(other))


def _bits(x):
    return x.view(torch.int32 if x.dtype == torch.float32 else torch.int16)
