"""A place follows its index through reshapes, permutes and reductions."""

from itertools import pairwise
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinge.layout import Place


def labels(place: Place, shape) -> np.ndarray:
    """The value of the index at every position of a tensor of this shape."""
    axis = (np.arange(shape[place.axis]) // place.inner) % place.size
    return np.broadcast_to(
        axis.reshape([-1 if i == place.axis else 1 for i in range(len(shape))]), shape
    )


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@st.composite
def placed(draw):
    shape = draw(shapes)
    axis = draw(st.integers(0, len(shape) - 1))
    return Place(axis, shape[axis]), shape


@st.composite
def reshapes(draw):
    """Two shapes of as many elements: the same factors, grouped in two ways."""
    factors = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))

    def grouped():
        cuts = draw(st.sets(st.integers(1, len(factors)), max_size=3))
        bounds = [0, *sorted(cuts | {len(factors)})]
        return [prod(factors[a:b]) for a, b in pairwise(bounds)]

    return grouped(), grouped()


@given(reshapes(), st.integers(0, 3))
def test_reshape_keeps_the_labels(both, axis):
    old, new = both
    axis = min(axis, len(old) - 1)
    place = Place(axis, old[axis])
    after = place.reshaped(old, new)
    if after is not None:
        assert np.array_equal(labels(after, new), labels(place, old).reshape(new))


@given(placed(), st.integers(0, 3))
def test_flattening_and_back_is_never_lost(case, cut):
    place, shape = case
    cut = min(cut, len(shape))
    flat = [*shape[:cut], int(np.prod(shape[cut:]))]
    folded = place.reshaped(shape, flat)
    assert folded is not None
    assert np.array_equal(labels(folded, flat), labels(place, shape).reshape(flat))
    back = folded.reshaped(flat, shape)
    assert back is not None
    assert np.array_equal(labels(back, shape), labels(place, shape))


@given(placed(), st.randoms())
def test_permute_keeps_the_labels(case, random):
    place, shape = case
    order = random.sample(range(len(shape)), len(shape))
    after = place.permuted(order)
    new = [shape[axis] for axis in order]
    assert np.array_equal(labels(after, new), labels(place, shape).transpose(order))


@pytest.mark.parametrize(
    ("axes", "keepdim", "expected"),
    [
        ((2, 3), False, Place(1, 5)),
        ((2, 3), True, Place(1, 5)),
        ((0,), False, Place(0, 5)),
        ((0,), True, Place(1, 5)),
        ((1,), False, None),
        ((-3,), True, None),
    ],
)
def test_reduction(axes, keepdim, expected):
    assert Place(1, 5).reduced(axes, 4, keepdim=keepdim) == expected


def test_broadcasting_aligns_the_last_axes():
    assert Place(0, 5).aligned((5,), (7, 3, 5)) == Place(2, 5)
    assert Place(0, 1).aligned((1, 5), (7, 5)) is None


def test_torn_apart():
    assert Place(1, 6).reshaped((4, 6), (4, 2, 3)) is None
    assert Place(1, 6, 1).reshaped((4, 6), (24,)) == Place(0, 6)


@pytest.mark.parametrize("shape", [(2,), (2, 5), (2, 0)])
def test_fits_only_where_the_index_can_lie(shape):
    assert not Place(1, 4).fits(shape) or shape == (2, 0)
    assert Place(1, 4).fits((2, 8))
