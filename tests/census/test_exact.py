"""Sums that do not depend on order: against rational arithmetic."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hinge.census.exact import ExactSums

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
columns = st.lists(st.tuples(finite, finite), min_size=1, max_size=12)


def summed(rows) -> ExactSums:
    sums = ExactSums.zeros(2)
    sums.add(np.array(rows, dtype=np.float64).reshape(-1, 2))
    return sums


def same(a: ExactSums, b: ExactSums) -> bool:
    return np.array_equal(a.top, b.top) and np.array_equal(a.digits, b.digits)


@given(columns, st.randoms())
def test_order_and_grouping_do_not_matter(rows, random):
    whole = summed(rows)
    shuffled = random.sample(rows, len(rows))
    cut = random.randrange(len(rows) + 1)
    first, second = summed(shuffled[:cut]), summed(shuffled[cut:])
    first.merge(second)
    assert same(whole, first)


@given(st.lists(st.floats(-1e30, 1e30, allow_subnormal=False), min_size=1, max_size=30))
def test_sums_are_right_to_the_last_bits(terms):
    """At least 96 bits below the largest term are kept, whatever cancels."""
    sums = ExactSums.zeros(1)
    sums.add(np.array(terms)[:, None])
    true = sum(map(Fraction, terms))
    largest = max(map(abs, terms))
    error = abs(Fraction(float(sums.totals()[0])) - true)
    kept = max(Fraction(largest) / 2**95, Fraction(1, 2**1056))
    assert error <= len(terms) * kept + abs(true) / 2**51


def test_cancellation_within_the_digits():
    terms = [5.798998418182203e16, 8.718884523422736e29, -2.082419786517088e29]
    terms += [-2.0824197865170873e29, -4.442887361453974e29]
    sums = ExactSums.zeros(1)
    sums.add(np.array(terms)[:, None])
    assert sums.totals()[0] == float(sum(map(Fraction, terms)))


def test_cancellation():
    sums = summed([(1e25, 1.0), (1.0, 1e-9), (-1e25, -1.0)])
    assert sums.totals().tolist() == [1.0, 1e-9]


def test_extremes_of_the_range():
    largest, smallest = np.finfo(np.float64).max, np.finfo(np.float64).tiny
    sums = ExactSums.zeros(2)
    sums.add(np.array([[largest / 2, 0.0], [largest / 4, 0.0], [-largest / 4, 0.0]]))
    assert sums.totals()[0] == largest / 2
    assert math.isfinite(summed([(smallest, -smallest)]).totals()[0])


def test_nothing_added():
    assert ExactSums.zeros(3).totals().tolist() == [0.0, 0.0, 0.0]
    sums = ExactSums.zeros(1)
    sums.add(np.empty((0, 1)))
    assert sums.totals().tolist() == [0.0]
