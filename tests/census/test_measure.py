"""However a site's tensor is laid out, the same values give the same measure."""

import math

import numpy as np
import pytest
import torch

from hinge.census.measure import measure, measure_by_torch
from hinge.layout import Place
from hinge.tracing.arrangement import Arrangement
from hinge.units import Traits

RELU6 = Traits(0.0, (0.0, 6.0))
N, UNITS, HEIGHT, WIDTH = 7, 5, 3, 4


@pytest.fixture
def values():
    """Whole numbers of shape (examples, units, positions), which every dtype holds."""
    return torch.randint(-4, 9, (N, UNITS, HEIGHT * WIDTH), generator=torch.manual_seed(0)).float()


def image(values):
    return values.reshape(N, UNITS, HEIGHT, WIDTH)


LAYOUTS = {
    "image": (image, Place(1, UNITS), Place(0, N)),
    "channels last in memory": (
        lambda v: image(v).to(memory_format=torch.channels_last),
        Place(1, UNITS),
        Place(0, N),
    ),
    "every other example": (
        lambda v: image(v).repeat_interleave(2, 0)[::2],
        Place(1, UNITS),
        Place(0, N),
    ),
    "tokens": (lambda v: v.mT.contiguous(), Place(2, UNITS), Place(0, N)),
    "tokens first": (lambda v: v.permute(2, 0, 1).contiguous(), Place(2, UNITS), Place(1, N)),
    "examples last": (lambda v: v.permute(1, 2, 0).contiguous(), Place(0, UNITS), Place(2, N)),
    "flattened image": (
        lambda v: v.reshape(N, -1),
        Place(1, UNITS, HEIGHT * WIDTH),
        Place(0, N),
    ),
    "flattened tokens": (
        lambda v: v.mT.reshape(-1, UNITS),
        Place(1, UNITS),
        Place(0, N, HEIGHT * WIDTH),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str
)
def test_layouts_and_dtypes(values, name, dtype):
    laid_out, units, examples = LAYOUTS[name]
    z = laid_out(values).to(dtype)
    found = measure(z, z.clamp(0, 6), Arrangement(units, examples), RELU6).by_name()
    z = values.numpy().astype(np.int64)
    h = np.clip(z, 0, 6)
    expected = {
        "seen": np.full(UNITS, N),
        "fired": (z > 0).any(2).sum(0),
        "always": (z > 0).all(2).sum(0),
        "live": ((z > 0) & (z < 6)).any(2).sum(0),
        "values": np.full(UNITS, N * HEIGHT * WIDTH),
        "zeros": (h == 0).sum((0, 2)),
        "nonfinite": np.zeros(UNITS),
        "min": z.min((0, 2)),
        "max": z.max((0, 2)),
        "total": z.sum((0, 2)),
        "squares": (z * z).sum((0, 2)),
        "magnitude": h.sum((0, 2)),
    }
    assert found.keys() == expected.keys()
    for key, truth in expected.items():
        np.testing.assert_array_equal(found[key], truth, key)


def test_rows_without_examples_count_one_by_one(values):
    z = values.mT.reshape(-1, UNITS)
    found = measure(z, z.relu(), Arrangement(Place(1, UNITS), None), RELU6).by_name()
    np.testing.assert_array_equal(found["seen"], len(z))
    np.testing.assert_array_equal(found["fired"], (z > 0).sum(0))


def test_torch_reduces_a_large_batch_in_parts(values, monkeypatch):
    values[2, 3, 1] = math.nan
    whole = measure_by_torch(values, values.relu(), RELU6, units_last=False)
    monkeypatch.setattr("hinge.census.measure._AT_ONCE", 2 * UNITS * HEIGHT * WIDTH)
    parts = measure_by_torch(values, values.relu(), RELU6, units_last=False)
    for key, truth in whole.by_name().items():
        np.testing.assert_array_equal(parts.by_name()[key], truth, key)


def test_an_output_that_overflows_leaves_the_example_out():
    z = torch.full((3, 2), 300.0, dtype=torch.float16)
    z[1] = 2.0
    found = measure(z, z * z, Arrangement(Place(1, 2), Place(0, 3)), RELU6).by_name()
    assert found["nonfinite"].tolist() == [2, 2]
    assert found["max"].tolist() == [2.0, 2.0]
