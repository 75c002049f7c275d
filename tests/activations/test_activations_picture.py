"""The graph of an activation: points on the function, jumps lifted, kinks marked."""

from __future__ import annotations

import math

import pytest

from hinge.activations import all_activations, find
from hinge.activations.picture import picture


@pytest.mark.parametrize("record", all_activations(), ids=lambda record: record.name)
def test_every_point_lies_on_the_function_and_every_kink_is_marked(record):
    drawn = picture(record)
    value, derivative = drawn.lines
    for line, function in ((value, record), (derivative, record.derivative)):
        places = [(x, y) for x, y in zip(line.x, line.y, strict=True) if not math.isnan(y)]
        assert list(line.x) == sorted(line.x)
        assert line.x[0] <= -4 < 4 <= line.x[-1]
        for x, y in places:
            beside = [function(at) for at in (math.nextafter(x, -9e9), x, math.nextafter(x, 9e9))]
            assert min(abs(y - float(one)) for one in beside) < 1e-9
        assert all(function(x) == y for x, y in line.dots)
    assert [at for at, _ in drawn.marks] == list(record.kinks())
    assert {x for x, _ in value.dots} == set(record.jumps())
    assert {x for x, _ in derivative.dots} <= set(record.kinks())


def test_a_piecewise_linear_function_needs_its_corners_only():
    value, derivative = picture(find("relu6")).lines
    assert list(zip(value.x, value.y, strict=True)) == [(-4, 0), (0, 0), (6, 6), (8, 6)]
    assert list(derivative.x) == [-4, 0, 0, 0, 6, 6, 6, 8]
    assert derivative.dots == ((0, 0), (6, 0))
    assert picture(find("relu6")).marks == ((0, "kink"), (6, "kink"))


def test_a_jump_of_the_value_is_called_one():
    drawn = picture(find("hardshrink"))
    assert drawn.marks == ((-0.5, "jump"), (0.5, "jump"))
    assert drawn.lines[0].dots == ((-0.5, 0), (0.5, 0))
