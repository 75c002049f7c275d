"""The compiled tally agrees with its definition in torch, and with plain truths."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hinge.census.measure import measure_by_torch
from hinge.kernels import COUNTS, SUMS, Measured, takes, tally
from hinge.kernels.native import native
from hinge.units import Traits

INF, NAN = math.inf, math.nan
ODD = [NAN, INF, -INF, -0.0, 0.0, 1e-40, -1e-40, 0.5, -0.5, 6.0, 3e38, -3e38]
"""Values that comparisons and sums go wrong on; 1e-40 is subnormal in float32."""
EDGES = [-INF, -3.0, -0.5, -0.0, 0.0, 0.5, 6.0, INF]
SHAPES = st.tuples(st.integers(0, 20), st.integers(1, 70), st.sampled_from([1, 1, 2, 5, 8, 31, 70]))


@st.composite
def batches(draw):
    """Arguments of `tally`: a batch in either layout, mostly plain numbers, some of them odd."""
    examples, units, positions = draw(SHAPES)
    units_last = draw(st.booleans())
    shape = (examples, positions, units) if units_last else (examples, units, positions)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    z = random.normal(draw(st.sampled_from([0.0, 3.0])), 2.0, shape)
    h = draw(st.sampled_from([np.maximum(z, 0), np.clip(z, 0, 6), z * 0.5, np.round(z)]))
    for array, rate in ((z, draw(rates)), (h, draw(rates))):
        odd = random.random(shape) < rate
        array[odd] = random.choice(draw(st.sampled_from([ODD, ODD[3:]])), shape)[odd]
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    low, high = sorted([draw(st.sampled_from(EDGES)), draw(st.sampled_from(EDGES))])
    kink = draw(st.sampled_from([*EDGES, NAN, low]))
    z, h = torch.from_numpy(z).to(dtype), torch.from_numpy(h).to(dtype)
    return z, h, {"units_last": units_last, "kink": kink, "low": low, "high": high}


rates = st.sampled_from([0.0, 0.0, 0.002, 0.3])


def by_definition(z, h, *, units_last, kink, low, high):
    """What the definition says."""
    return measure_by_torch(z, h, Traits(kink, (low, high)), units_last=units_last)


def agree(found: Measured, expected: Measured, scale: float) -> None:
    """Counts and extremes are equal; sums up to rounding, relative to the sum of magnitudes."""
    ours, theirs = found.by_name(), expected.by_name()
    for name in (*COUNTS, "min", "max"):
        np.testing.assert_array_equal(ours[name], theirs[name], name)
    for name in SUMS:
        close = {"rtol": 1e-12, "atol": 1e-13 * (scale if name == "total" else 0)}
        np.testing.assert_allclose(ours[name], theirs[name], **close)


@settings(max_examples=400)
@given(batches())
def test_the_definition_says_the_same(batch):
    z, h, options = batch
    finite = z[torch.isfinite(z)].double().abs()
    agree(tally(z, h, **options), by_definition(z, h, **options), float(finite.sum()))


@settings(max_examples=60)
@given(batches())
def test_every_level_and_number_of_threads_gives_the_same_bits(batch):
    z, h, options = batch
    found = [
        native.tally(z.numpy(), h.numpy(), *options.values(), threads, level)
        for threads in (1, 3)
        for level in native.levels
    ]
    for counts, reals in found[1:]:
        np.testing.assert_array_equal(counts, found[0][0])
        np.testing.assert_array_equal(reals.view(np.int64), found[0][1].view(np.int64))


@pytest.mark.parametrize("shape", [(3, 70, 12_000), (2500, 1100, 1), (3, 12_000, 70)])
def test_threads_share_a_large_batch(shape):
    z = torch.randn(shape).numpy()
    one, three = (
        native.tally(z, np.maximum(z, 0), False, 0.0, 0.0, INF, threads) for threads in (1, 3)
    )
    np.testing.assert_array_equal(one[0], three[0])
    np.testing.assert_array_equal(one[1].view(np.int64), three[1].view(np.int64))


@pytest.mark.parametrize("units_last", [False, True])
def test_plain_numpy_says_the_same(units_last):
    random = np.random.default_rng(1)
    z = random.integers(-5, 9, (40, 50, 30)).astype(np.float32)
    z[:, 7] = -1
    z[:, 8] = 2
    h = np.clip(z, 0, 6)
    found = tally(
        *laid_out(z, h, units_last), units_last=units_last, kink=0, low=0, high=6
    ).by_name()
    np.testing.assert_array_equal(found["seen"], 40)
    np.testing.assert_array_equal(found["fired"], (z > 0).any(2).sum(0))
    np.testing.assert_array_equal(found["always"], (z > 0).all(2).sum(0))
    np.testing.assert_array_equal(found["live"], ((z > 0) & (z < 6)).any(2).sum(0))
    np.testing.assert_array_equal(found["values"], 40 * 30)
    np.testing.assert_array_equal(found["zeros"], (h == 0).sum((0, 2)))
    np.testing.assert_array_equal(found["min"], z.min((0, 2)))
    np.testing.assert_array_equal(found["max"], z.max((0, 2)))
    np.testing.assert_array_equal(found["total"], z.sum((0, 2), dtype=np.int64))
    np.testing.assert_array_equal(found["squares"], (z * z).sum((0, 2), dtype=np.int64))
    np.testing.assert_array_equal(found["magnitude"], h.sum((0, 2), dtype=np.int64))
    assert (found["fired"][7], found["always"][8], found["live"][8]) == (0, 40, 40)


@pytest.mark.parametrize("units_last", [False, True])
@pytest.mark.parametrize("positions", [1, 3, 40])
@pytest.mark.parametrize("where", ["z", "h"])
def test_one_bad_value_leaves_out_one_example_of_one_unit(units_last, positions, where):
    z = np.ones((20, 33, positions))
    h = z.copy()
    {"z": z, "h": h}[where][13, 30, positions // 2] = NAN
    found = tally(
        *laid_out(z, h, units_last), units_last=units_last, kink=0, low=0, high=INF
    ).by_name()
    left_out = np.arange(33) == 30
    np.testing.assert_array_equal(found["nonfinite"], left_out)
    for name in ("seen", "fired", "always", "live"):
        np.testing.assert_array_equal(found[name], 20 - left_out, name)
    for name in ("values", *SUMS):
        np.testing.assert_array_equal(found[name], (20 - left_out) * positions, name)
    np.testing.assert_array_equal(found["zeros"], 0)


def laid_out(z, h, units_last):
    """Arrays of shape (examples, units, positions) as the tensors that `tally` takes."""
    z, h = torch.from_numpy(z), torch.from_numpy(h)
    return (z.mT.contiguous(), h.mT.contiguous()) if units_last else (z, h)


@pytest.mark.parametrize("positions", [1, 5, 40])
def test_sums_that_overflow_are_the_largest_number(positions):
    z = torch.full((9, 3, positions), 1e200, dtype=torch.float64)
    z[:, 1] = 1.7e308
    found = tally(z, z, units_last=False, kink=0, low=0, high=INF).by_name()
    largest = np.finfo(np.float64).max
    assert found["nonfinite"].tolist() == [0, 0, 0]
    assert found["squares"].tolist() == [largest] * 3
    assert found["magnitude"][1] == found["total"][1] == largest
    np.testing.assert_allclose(found["total"][0], 9e200 * positions)


def test_small_differences_survive_a_large_mean():
    """Summed in double, the variance of float32 data at mean 1000 keeps 9 digits."""
    z = 1000 + torch.randn(4000, 5, 1)
    found = tally(z, z, units_last=False, kink=0, low=0, high=INF).by_name()
    variance = found["squares"] / 4000 - (found["total"] / 4000) ** 2
    np.testing.assert_allclose(variance, z.double().var(0, correction=0).flatten(), rtol=1e-8)


@pytest.mark.parametrize("shape", [(0, 4, 3), (5, 4, 0), (0, 4, 1), (5, 0, 3)])
def test_nothing_is_seen_of_nothing(shape):
    z = torch.zeros(shape)
    measured = tally(z, z, units_last=False, kink=0, low=0, high=INF)
    found = measured.by_name()
    for name in (*COUNTS, *SUMS):
        assert found[name].tolist() == [0] * shape[1], name
    assert np.isposinf(found["min"]).all()
    assert np.isneginf(found["max"]).all()
    agree(measured, by_definition(z, z, units_last=False, kink=0, low=0, high=INF), 0)


def test_limits_are_rounded_as_torch_rounds_them():
    z = torch.full((1, 1, 1), 0.1)
    assert float(z) > 0.1
    assert tally(z, z, units_last=False, kink=0.1, low=0.1, high=1.0).by_name()["fired"] == 0
    assert not (z > 0.1).any()


def test_what_it_takes():
    z = torch.zeros(2, 3, 4)
    assert takes(z)
    assert takes(z.double())
    assert not takes(z.half())
    assert not takes(z.mT)
    assert not takes(z.to("meta"))
    assert not takes(torch.zeros(2, 3, 4, dtype=torch.complex64).conj().imag)


def test_shapes_must_be_equal():
    with pytest.raises(ValueError, match="differ in shape"):
        tally(torch.zeros(2, 3, 4), torch.zeros(2, 3, 5), units_last=True, kink=0, low=0, high=1)


def test_other_kinds_are_refused():
    z = torch.zeros(2, 3, 4)
    options = {"units_last": True, "kink": 0, "low": 0, "high": 1}
    for wrong in (z.half(), z.mT, z[0], z.double()):
        with pytest.raises(TypeError):
            tally(z, wrong, **options)


def test_an_unknown_level_is_refused():
    z = np.zeros((1, 1, 1), np.float32)
    with pytest.raises(ValueError, match="no such instruction-set level here: mmx"):
        native.tally(z, z, False, 0.0, 0.0, 1.0, 1, "mmx")
