"""Domains and budgets on the command line: every spelling is read, every mistake is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinge.cli.inputs import spelling
from hinge.errors import OptionError

ASKED = {"box": None, "plane": None, "segment": None}
finite = st.floats(allow_nan=False, allow_infinity=False)


def read(**asked: str) -> spelling.Spelled:
    return spelling.domain(**{**ASKED, **asked})


@given(st.lists(st.tuples(finite, finite).filter(lambda p: p[0] < p[1]), min_size=1, max_size=4))
def test_a_box_reads_back(ranges):
    lower, upper = read(box=",".join(f"{low!r}:{high!r}" for low, high in ranges)).vectors
    assert list(zip(lower, upper, strict=True)) == ranges


@given(
    st.integers(1, 3).flatmap(lambda n: st.lists(st.tuples(*[finite] * n), min_size=3, max_size=3))
)
def test_points_read_back(points):
    texts = [",".join(map(repr, point)) for point in points]
    assert read(plane=":".join(texts)).vectors == tuple(points)
    assert read(segment=":".join(texts[:2])).vectors == tuple(points[:2])


@pytest.mark.parametrize(
    ("asked", "data", "rows"),
    [
        ({"plane": "data.npz@0,5,9"}, "data.npz", (0, 5, 9)),
        ({"segment": "a@b.npy@3, 4"}, "a@b.npy", (3, 4)),
        ({"segment": "model.py:loader@0,1"}, "model.py:loader", (0, 1)),
        ({"box": "data.npz"}, "data.npz", None),
        ({"box": "data.npz@1,2,3,4"}, "data.npz", (1, 2, 3, 4)),
    ],
)
def test_data_is_named_with_its_rows(asked, data, rows):
    found = read(**asked)
    assert (found.data, found.rows, found.vectors) == (data, rows, ())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "none"),
        ({"box": "0:1", "plane": "data.npz@0,1,2"}, "--box and --plane"),
        ({"box": ""}, "''"),
        ({"box": "1"}, "'1'"),
        ({"box": "1:1"}, "'1:1'"),
        ({"box": "0:1,2:1"}, "'2:1'"),
        ({"box": "0:1:2"}, "'0:1:2'"),
        ({"box": "0:1e999"}, "'0:1e999'"),
        ({"plane": "0,0:1,0"}, "2 inputs of 2, 2 numbers; it takes 3"),
        ({"plane": "0,0:1,0:0"}, "3 inputs of 2, 2, 1 numbers"),
        ({"plane": "data.npz"}, "'data.npz'"),
        ({"plane": "data.npz@0,1"}, "it takes 3, counted from 0"),
        ({"plane": "data.npz@0,1,-1"}, "'0,1,-1'"),
        ({"plane": "data.npz@"}, "''"),
        ({"segment": "0:nan"}, "'nan'"),
        ({"segment": "0:1:2"}, "3 inputs"),
        ({"box": "data.npz@x"}, "'x'"),
    ],
)
def test_what_is_no_domain_is_named(asked, said):
    with pytest.raises(OptionError) as error:
        read(**asked)
    assert said in error.value.found
    assert all((error.value.what, error.value.where, error.value.do))


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        (None, {}),
        ("cells=1e6", {"cells": 10**6}),
        ("seconds=0.5, bytes=4GiB", {"seconds": 0.5, "bytes": 2**32}),
        ("bytes=1.5kB", {"bytes": 1500}),
        ("bytes=7", {"bytes": 7}),
        ("bytes=2MiB,cells=5", {"bytes": 2**21, "cells": 5}),
    ],
)
def test_budgets(text, limits):
    assert spelling.budget(text) == limits
    assert all(isinstance(spelling.budget(text).get(name, 0), int) for name in ("cells", "bytes"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "cells", "cells=", "cells=0", "cells=-1", "cells=nan", "cells=1,cells=2", "days=1"),
        *("seconds=5GiB", "cells=5kB", "bytes=4XB", "bytes=4e", "cells=1,", "cells=1e999"),
    ],
)
def test_what_is_no_budget_is_named(text):
    with pytest.raises(OptionError, match="--budget"):
        spelling.budget(text)


def test_shapes():
    assert spelling.shape("1,28, 28") == (1, 28, 28)
    assert spelling.shape(None) is None
    for text in ("", "1,,2", "a", "0", "2,0", "-1", "1.5"):
        with pytest.raises(OptionError, match="--shape"):
            spelling.shape(text)


@given(st.text(max_size=12))
def test_no_text_raises_anything_else(text):
    for kind in ASKED:
        try:
            read(**{kind: text})
        except OptionError:
            continue
