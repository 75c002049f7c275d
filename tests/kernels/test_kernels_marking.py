"""Marks of gradients and their signs agree with plain truths, wherever they run."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hinge.errors import OptionError
from hinge.kernels.marking import mark, mark_by_torch, nothing_marked, signs, signs_by_torch
from hinge.kernels.native import native

NAN, INF = math.nan, math.inf
SIZES = st.sampled_from([0, 1, 2, 5, 15, 16, 17, 33, 100])
SHAPES = st.one_of(
    st.tuples(SIZES), st.tuples(SIZES, SIZES), st.tuples(st.integers(0, 5), SIZES, SIZES)
)


@st.composite
def gradients(draw):
    """A gradient, mostly zero, and whether its units are last."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(SHAPES)
    values = random.normal(0, 3, shape)
    values[random.random(shape) >= draw(st.sampled_from([0.0, 0.02, 1.0]))] = draw(
        st.sampled_from([0.0, -0.0])
    )
    if draw(st.booleans()):
        odd = random.random(shape) < 0.05
        values[odd] = random.choice([1e-40, -1e-40, 1e30], shape)[odd]
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    return torch.from_numpy(values).to(dtype), draw(st.booleans())


def rows_of(gradient, units_last):
    """A row for each unit, as float64."""
    values = gradient.double()
    if values.dim() == 3:
        values = values.movedim(2 if units_last else 1, 0)
    return values.reshape(len(values), math.prod(values.shape[1:])).numpy()


@settings(max_examples=100, deadline=None)
@given(gradients())
def test_units_with_an_entry_that_is_not_zero_are_marked(batch):
    gradient, units_last = batch
    rows = rows_of(gradient, units_last)
    reached = (rows != 0).any(1)
    for by in (mark, mark_by_torch):
        marks = nothing_marked(len(rows), "cpu")
        squares = by(gradient, marks, torch.tensor([9, 2]), units_last=units_last)
        assert marks[0].tolist() == list(reached)
        assert marks[1].tolist() == [9 if there else -1 for there in reached]
        assert float(squares) == pytest.approx((rows**2).sum(), rel=1e-12)


@settings(max_examples=100, deadline=None)
@given(gradients())
def test_signs_are_counted_row_by_row(batch):
    gradient, units_last = batch
    rows = rows_of(gradient, units_last)
    gradient = torch.from_numpy(rows).to(gradient.dtype)
    for by in (signs, signs_by_torch):
        positive, negative, squares = by(gradient)
        assert positive.tolist() == (rows > 0).sum(1).tolist()
        assert negative.tolist() == (rows < 0).sum(1).tolist()
        np.testing.assert_allclose(squares, (rows**2).sum(1), rtol=1e-12)
        assert (positive.dtype, squares.dtype) == (torch.int64, torch.float64)


@settings(max_examples=60, deadline=None)
@given(gradients())
def test_every_level_gives_the_same_bits(batch):
    gradient, units_last = batch
    if gradient.dim() != 3:
        gradient = (
            gradient.reshape(1, len(gradient), -1) if gradient.numel() else torch.ones(2, 3, 1)
        )
    examples, units, positions = gradient.mT.shape if units_last else gradient.shape
    clock, sums = torch.tensor([1]), set()
    expected = mark(gradient, marks := nothing_marked(units, "cpu"), clock, units_last=units_last)
    for level in native.levels:
        found = nothing_marked(units, "cpu")
        size = examples, units, positions, units_last
        place = found.data_ptr(), clock.data_ptr()
        is_double = gradient.dtype == torch.float64
        sums.add(native.mark(gradient.data_ptr(), is_double, *size, *place, 3, level))
        assert found.tolist() == marks.tolist()
    assert sums == {expected}


@pytest.mark.parametrize("shape", [(600, 5000), (3, 9000, 100), (3, 100, 9000)])
@pytest.mark.parametrize("units_last", [False, True])
def test_threads_change_no_bit(shape, units_last):
    gradient = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    clock, found = torch.tensor([1]), set()
    units_last = units_last and len(shape) == 3
    examples, units, positions = (1, *shape)[-3:]
    if units_last:
        units, positions = positions, units
    for threads in (1, 3):
        marks = nothing_marked(units, "cpu")
        place = marks.data_ptr(), clock.data_ptr()
        size = examples, units, positions, units_last
        found.add(native.mark(gradient.data_ptr(), False, *size, *place, threads))
        assert marks.tolist() == [[1] * units, [1] * units]
    assert len(found) == 1


def test_nan_is_not_zero_and_has_no_sign():
    gradient = torch.tensor([[0.0, NAN], [0.0, -0.0], [INF, -INF]])
    for by in (mark, mark_by_torch):
        marks = nothing_marked(3, "cpu")
        assert math.isnan(by(gradient, marks, torch.tensor([3]), units_last=False))
        assert marks.tolist() == [[1, 0, 1], [3, -1, 3]]
    for by in (signs, signs_by_torch):
        positive, negative, squares = by(gradient)
        assert (positive.tolist(), negative.tolist()) == ([0, 0, 1], [0, 0, 1])
        np.testing.assert_array_equal(squares, [NAN, 0, INF])


def test_squares_too_small_for_a_float_still_mark():
    marks = nothing_marked(1, "cpu")
    assert mark(torch.full((1, 1), 1e-200, dtype=torch.float64), marks, torch.tensor([0])) == 0
    assert marks.tolist() == [[1], [0]]


def test_steps_add_up():
    marks, clock = nothing_marked(2, "cpu"), torch.tensor([0, 0])
    for step, gradient in ((1, [1.0, 1.0]), (2, [0.0, 2.0]), (5, [0.0, 0.0])):
        clock[0] = step
        mark(torch.tensor(gradient), marks, clock)
    assert marks.tolist() == [[1, 2], [1, 2]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_short_floats_and_strange_layouts_are_read_too(dtype):
    gradient = torch.randn(20, 30, generator=torch.Generator().manual_seed(1)).to(dtype).mT
    rows = gradient.double().numpy()
    assert mark(gradient, nothing_marked(30, "cpu"), torch.tensor([0])) == pytest.approx(
        (rows**2).sum()
    )
    assert signs(gradient)[0].tolist() == (rows > 0).sum(1).tolist()


@pytest.mark.parametrize(
    "wrong",
    [
        (torch.zeros(2, 3, 4, 5), nothing_marked(3, "cpu"), torch.tensor([0])),
        (torch.zeros(3, dtype=torch.int64), nothing_marked(3, "cpu"), torch.tensor([0])),
        (torch.zeros(3), nothing_marked(4, "cpu"), torch.tensor([0])),
        (torch.zeros(3), nothing_marked(3, "cpu").int(), torch.tensor([0])),
        (torch.zeros(3), nothing_marked(3, "cpu"), torch.tensor(0)),
        (torch.zeros(3), nothing_marked(3, "cpu"), torch.zeros(0, dtype=torch.int64)),
        (torch.zeros(3), nothing_marked(3, "meta"), torch.tensor([0])),
    ],
)
def test_other_kinds_are_refused(wrong):
    with pytest.raises(OptionError):
        mark(*wrong)


@pytest.mark.parametrize("wrong", [torch.zeros(3), torch.zeros(3, 4, dtype=torch.int32)])
def test_signs_need_rows_of_floats(wrong):
    with pytest.raises(OptionError):
        signs(wrong)


@pytest.mark.parametrize("shape", [(4,), (4, 5), (3, 4, 5)])
def test_nothing_waits_for_the_device(shape):
    """A meta tensor has no values: whoever asks for one, or for a shape that it decides, fails."""
    gradient = torch.empty(shape, device="meta")
    clock = torch.empty(2, device="meta", dtype=torch.int64)
    squares = mark(gradient, nothing_marked(4, "meta"), clock)
    assert (squares.shape, squares.device.type) == ((), "meta")
    if gradient.dim() == 2:
        assert [x.shape for x in signs(gradient)] == [(4,)] * 3
