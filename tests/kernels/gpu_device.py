"""Where the tests of the Triton kernels run: on a GPU, or in Triton's interpreter."""

import math

import numpy as np
import pytest
import torch

from hinge.kernels import gpu

if not gpu.available():
    pytest.skip("Triton is not installed", allow_module_level=True)
if not gpu.interpreted() and not torch.cuda.is_available():
    pytest.skip(
        "there is no GPU here; test_kernels_gpu.py runs these tests in Triton's interpreter",
        allow_module_level=True,
    )

DEVICE = "cpu" if gpu.interpreted() else "cuda"

QUIET = pytest.mark.filterwarnings("ignore::RuntimeWarning")
"""The interpreter computes with NumPy, which warns of infinities and NaN."""

FENCE = 5000  # elements: more than a program treats

DTYPES = pytest.mark.parametrize("dtype", gpu.DTYPES, ids=lambda dtype: str(dtype)[6:])


@pytest.fixture
def fenced(monkeypatch):
    """Whatever the kernels write to ends at a fence, which stays as it was."""
    fences = []

    def empty(shape, *, dtype, device):
        size = math.prod(shape)
        memory = torch.full((size + FENCE,), 7.0, dtype=dtype, device=device)
        fences.append(memory[size:])
        return memory[:size].view(shape)

    monkeypatch.setattr(torch, "empty", empty)
    monkeypatch.setattr(
        torch, "empty_like", lambda x: empty(x.shape, dtype=x.dtype, device=x.device)
    )
    yield
    assert all((fence == 7).all() for fence in fences)


def here(x, dtype=torch.float32):
    """A tensor on the device."""
    return torch.as_tensor(x).to(DEVICE, dtype)


def ulps(found, true):
    """How far float32 results are from float64 truths, in units of the truth's last place.

    A truth beyond the largest float32 is met by an infinity of its sign.
    """
    found, true = found.double().cpu().numpy(), np.asarray(true)
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = true.astype(np.float32)
        error = np.abs(found - true) / np.spacing(np.abs(rounded)).astype(np.float64)
    return np.where(np.isinf(rounded) & (found == rounded), 0.0, error)


def assert_rounded(found, in_float32):
    """A result in another dtype is the float32 result, rounded once to nearest.

    Triton's interpreter cuts float32 to bfloat16 instead, and subnormal numbers wrongly: there
    the next normal number is right too.
    """
    expected = in_float32.to(found.dtype)
    if gpu.interpreted() and found.dtype == torch.bfloat16:
        distance = (found.view(torch.int16).int() - expected.view(torch.int16).int()).abs()
        assert int(distance[expected.abs() > 2**-126].max()) <= 1
    else:
        torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)
