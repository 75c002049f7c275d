"""Domains: what they hold, what they refuse, and that nothing is decided by rounding."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from hinge import Box, Plane, Polygon, Segment
from hinge.errors import DataError

EDGE = 1.0 + 2.0**-52  # the float64 after 1

whole = st.integers(-8, 8)
points = st.tuples(whole, whole)


def doubled_area(corners) -> Fraction:
    exact = [(Fraction(x), Fraction(y)) for x, y in np.asarray(corners).tolist()]
    return sum(
        (x * b - a * y for (x, y), (a, b) in pairwise([*exact, exact[0]])), start=Fraction(0)
    )


@st.composite
def hulls(draw):
    """Corners of a random convex polygon, by Andrew's monotone chain, counter-clockwise."""
    cloud = sorted(draw(st.sets(points, min_size=3, max_size=12)))

    def chain(cloud):
        kept = []
        for p in cloud:
            while len(kept) > 1 and _left(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    hull = chain(cloud) + chain(cloud[::-1])
    assume(len(hull) > 2)
    return hull


def _left(p, q, r):
    return (q[0] - p[0]) * (r[1] - q[1]) - (q[1] - p[1]) * (r[0] - q[0])


@given(hulls(), st.booleans(), st.integers(0, 11), st.data())
def test_corners_are_those_of_the_hull_in_any_order_round(hull, turned, first, data):
    first %= len(hull)
    given_ = [*hull[first:], *hull[:first]]
    given_ = given_[::-1] if turned else given_
    side = data.draw(st.integers(0, len(hull) - 1))
    (x, y), (a, b) = given_[side], given_[(side + 1) % len(hull)]
    middle = [((x + a) / 2, (y + b) / 2)]
    corners = Polygon([*given_[: side + 1], *middle, *given_[side + 1 :]]).corners
    assert corners.dtype == np.float64
    assert doubled_area(corners) > 0
    start = corners.tolist().index(list(map(float, hull[0])))
    assert np.array_equal(np.roll(corners, -start, axis=0), hull)
    assert corners[0].tolist() == list(map(float, given_[0]))


@given(hulls(), st.randoms())
def test_corners_out_of_order_are_refused(hull, random):
    assume(len(hull) > 3)
    mixed = random.sample(hull, len(hull))
    laps = {tuple(mixed[i:] + mixed[:i]) for i in range(len(hull))}
    assume(tuple(hull) not in laps)
    assume(tuple(hull[::-1]) not in laps)
    with pytest.raises(DataError):
        Polygon(mixed)


STAR = [
    (round(np.cos(4 * np.pi * i / 5), 6), round(np.sin(4 * np.pi * i / 5), 6)) for i in range(5)
]


@pytest.mark.parametrize(
    ("vertices", "said"),
    [
        ([(0, 0), (1, 0)], "not the corners"),
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0)], "not the corners"),
        ([(0, 0), (1, 0), (0, 1), (0, 0)], "equal"),
        ([(0.0, 0), (1, 0), (0, 1), (-0.0, 0)], "equal"),
        ([(0, 0), (1, 1), (2, 2)], "no area"),
        ([(0.1, 0.1), (0.2, 0.2), (0.3, 0.3)], "no area"),
        ([(0, 0), (2, 0), (1, 0), (1, 1)], "runs back"),
        ([(0, 0), (4, 0), (1, 1), (0, 4)], "to the left and to the right"),
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "to the left and to the right"),
        (STAR, "go round 2 times"),
        ([(0, 0), (np.nan, 0), (0, 1)], "nan at"),
        ([(0, 0), (np.inf, 0), (0, 1)], "inf at"),
        ([(0, 0), (1, 0), (0,)], "no numbers"),
        ([("0", "0"), ("1", "0"), ("0", "1")], "no numbers"),
        ([(0, 0), (1, 0), (0, 1j)], "no numbers"),
    ],
)
def test_what_is_no_convex_polygon_is_refused(vertices, said):
    with pytest.raises(DataError, match="(?s)" + said) as error:
        Polygon(vertices)
    assert all((error.value.what, error.value.where, error.value.found, error.value.do))


def test_the_last_bit_of_a_corner_decides():
    on, off = (1.0, 1.0), (1.0, EDGE)
    assert len(Polygon([(0, 0), (2, 0), (2, 2), on]).corners) == 3
    assert len(Polygon([(0, 0), (2, 0), (2, 2), off]).corners) == 4
    with pytest.raises(DataError, match="not convex"):
        Polygon([(0, 0), (2, 0), (2, 2), (EDGE, 1.0)])


@pytest.mark.parametrize("scale", [5e-324, 1e308])
def test_polygons_of_any_size(scale):
    square = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]) * scale
    assert np.array_equal(Polygon(square[::-1]).corners, square[[3, 0, 1, 2]])


def test_rectangles():
    assert Polygon.rectangle([-1, 0], [1, 2]).corners.tolist() == [[-1, 0], [1, 0], [1, 2], [-1, 2]]
    for lower, upper in ((0, 0), (0, 0)), ((0, 0), (1, 0)), ((0, 2), (1, 1)), ((0,), (1,)):
        with pytest.raises(DataError):
            Polygon.rectangle(lower, upper)


@given(st.lists(points, min_size=3, max_size=3), st.integers(0, 3))
def test_a_plane_goes_through_its_three_points(three, more):
    x1, x2, x3 = (np.array([*p, *[1.0] * more]) for p in three)
    if _left(*three) == 0:
        with pytest.raises(DataError, match="one line"):
            Plane.through(x1, x2, x3)
        return
    plane = Plane.through(x1, x2, x3)
    assert plane.corners.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert np.array_equal(plane.point(plane.corners), [x1, x2, x3])
    matrix, origin = plane.embedding((2 + more,))
    assert np.array_equal(plane.corners @ matrix.T + origin, [x1, x2, x3])


def test_points_on_a_line_are_found_where_their_rounded_directions_are_not():
    x1, x2, x3 = np.array([1.0, 3.0]) * 2.0**-53, np.array([1.0, 3.0]), np.zeros(2)
    exact = [[Fraction(v) for v in x] for x in (x1, x2, x3)]
    assert _left(*exact) == 0
    assert Plane(x1, x2 - x1, x3 - x1).dimension == 2
    with pytest.raises(DataError, match="one line"):
        Plane.through(x1, x2, x3)


def test_a_margin_moves_the_corners_away_from_the_centroid():
    plane = Plane.through([0.0, 0.0], [3.0, 0.0], [0.0, 3.0], margin=0.5)
    triangle = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    assert plane.corners.mean(axis=0) == pytest.approx([1 / 3, 1 / 3])
    assert plane.corners - 1 / 3 == pytest.approx(1.5 * (triangle - 1 / 3))
    for margin in (-0.1, np.nan, np.inf):
        with pytest.raises(DataError, match="margin"):
            Plane.through([0.0, 0.0], [3.0, 0.0], [0.0, 3.0], margin=margin)


def test_a_plane_of_its_own():
    plane = Plane(np.zeros((2, 2)), [[1, 0], [0, 0]], [[0, 0], [0, 1]])
    assert plane.dimension == 2
    assert plane.corners.tolist() == [[-1, -1], [1, -1], [1, 1], [-1, 1]]
    assert plane.point(np.ones((5, 3, 2))).shape == (5, 3, 2, 2)
    assert plane.point([2, 3]).tolist() == [[2, 0], [0, 3]]
    corners = [(0, 0), (2, 0), (0, 2)]
    for polygon in (corners, Polygon(corners)):
        cut = Plane([0, 0, 0], [1, 0, 0], [0, 1, 0], polygon)
        assert cut.corners.tolist() == [[0, 0], [2, 0], [0, 2]]


@pytest.mark.parametrize(
    ("u", "v"),
    [
        ([1, 2, 3], [2, 4, 6]),
        ([0, 0, 0], [1, 0, 0]),
        ([1, 0, 0], [0, 0, 0]),
        ([0, 1, 0], [0, -1, 0]),
        ([1, 0, 0], [0, 1]),
        ([1, 0, 0], [0, 1, np.inf]),
    ],
)
def test_directions_that_span_no_plane_are_refused(u, v):
    with pytest.raises(DataError):
        Plane([0, 0, 0], u, v)


def test_directions_one_bit_apart_span_a_plane():
    assert Plane([0, 0], [1.0, 1.0], [1.0, EDGE]).dimension == 2


def test_a_segment_goes_from_a_to_b():
    segment = Segment([[0, 0]], [[2, 4]])
    assert segment.dimension == 1
    assert segment.corners.tolist() == [[0], [1]]
    assert segment.point([[0], [0.5], [1]]).tolist() == [[[0, 0]], [[1, 2]], [[2, 4]]]
    matrix, origin = segment.embedding((2,))
    assert (matrix @ [0.25] + origin).tolist() == [0.5, 1]
    for a, b in ([0, 0], [0, 0]), ([0], [0, 1]), ([np.nan], [1]), ([], []), ([-1.7e308], [1.7e308]):
        with pytest.raises(DataError):
            Segment(a, b)


def test_a_box_holds_what_lies_between_its_bounds():
    box = Box([[0, 0]], [[1, 2]])
    assert box.dimension == 2
    assert box.contains([[0, 2]])
    assert box.contains(np.array([[[1, EDGE]], [[EDGE, 1]], [[np.nan, 1]]])).tolist() == [
        *(True, False, False)
    ]
    assert [bound.tolist() for bound in box.bounds((2,))] == [[0, 0], [1, 2]]
    for x in (1.0, [[1]], [[1, 2, 3]]):
        with pytest.raises(DataError, match="fit the box"):
            box.contains(x)
    for lower, upper in ([0, 1], [1, 1]), ([0, 2], [1, 1]), ([0], [np.inf]), ([], []):
        with pytest.raises(DataError):
            Box(lower, upper)


@given(st.lists(st.tuples(*[st.floats(-1e9, 1e9)] * 2), min_size=2), st.floats(0, 3))
def test_a_box_around_data_holds_it(data, margin):
    assume(np.ptp(data, axis=0).all())
    box = Box.around(data, margin)
    assert box.contains(data).all()
    assert np.array_equal(Box.around(data).lower, np.min(data, axis=0))
    assert (box.upper - box.lower) == pytest.approx((1 + 2 * margin) * np.ptp(data, axis=0))


@pytest.mark.parametrize("data", [[], 1.0, [[1.0, 2.0]], [[1, 2], [3, 2]], [[1, np.nan], [2, 3]]])
def test_no_box_around_data_without_extent(data):
    with pytest.raises(DataError):
        Box.around(data)


DOMAINS = (
    Segment(np.zeros((2, 3)), np.ones((2, 3))),
    Plane(np.zeros((2, 3)), np.ones((2, 3)), np.arange(6).reshape(2, 3)),
)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_fits_inputs_of_its_shape_alone(domain):
    n = domain.dimension
    for shape in ((2, 3), (6,), (1, 2, 3), (2, 1, 3)):
        matrix, origin = domain.embedding(shape)
        assert (matrix.shape, origin.shape) == ((6, n), (6,))
        assert np.array_equal(matrix.sum(axis=1) + origin, domain.point([1.0] * n).ravel())
    for shape in ((3, 2), (5,), (2, 3, 2)):
        with pytest.raises(DataError, match="fit the network"):
            domain.embedding(shape)
    for c in (1.0, [1.0] * (n + 1), []):
        with pytest.raises(DataError, match="coordinates"):
            domain.point(c)


def test_a_polygon_is_for_two_inputs():
    polygon = Polygon([(0, 0), (1, 0), (0, 1)])
    matrix, origin = polygon.embedding((1, 2))
    assert (matrix.tolist(), origin.tolist()) == ([[1, 0], [0, 1]], [0, 0])
    assert polygon.point([[0.5, 0.25]]).tolist() == [[0.5, 0.25]]
    with pytest.raises(DataError, match="Plane"):
        polygon.embedding((3,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64])
def test_tensors_are_kept_as_float64_copies(dtype):
    a, b = torch.zeros(3, dtype=dtype), torch.ones(3, dtype=dtype)
    if dtype.is_floating_point:
        b.requires_grad_()
    segment = Segment(a, b)
    assert segment.b.dtype == np.float64
    a += 7
    assert segment.a.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        segment.a[0] = 1
    assert Box.around(torch.stack([a, b.detach()])).upper.tolist() == [7, 7, 7]
