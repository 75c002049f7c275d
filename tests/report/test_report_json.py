from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinge.errors import FileError, OptionError
from hinge.report.json import dump, load, write_json

KEYS = st.text(max_size=8).filter(lambda key: not key.startswith("$"))
PAYLOADS = st.dictionaries(
    KEYS.filter(lambda key: key not in ("schema", "version")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (
            a == b and math.copysign(1, a) == math.copysign(1, b)
        )
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@given(PAYLOADS)
def test_what_is_written_is_strict_json_and_reads_back(payload: dict[str, Any]) -> None:
    text = dump(payload, "test", 3)
    json.loads(text, parse_constant=refuse)
    assert text.isascii()
    assert same(load(text, "test", 3), {"schema": "hinge/test", "version": 3, **payload})


def test_numbers_of_numpy_are_exact() -> None:
    payload = {
        "counts": np.array([2**63 - 1, -(2**63)]),
        "unsigned": np.uint64(2**64 - 1),
        "half": np.float16(0.1),
        "single": np.array([[0.1, np.nan], [np.inf, -np.inf]], dtype=np.float32),
        "flags": np.array([True, False]),
        "names": np.array(["a", "b"]),
        "empty": np.zeros((0, 3)),
        "scalar": np.array(7),
    }
    back = load(dump(payload, "test", 1), "test", 1)
    assert back["counts"] == [2**63 - 1, -(2**63)]
    assert back["unsigned"] == 2**64 - 1
    assert back["half"] == float(np.float16(0.1))
    np.testing.assert_array_equal(np.array(back["single"], np.float32), payload["single"])
    assert back["flags"] == [True, False]
    assert back["names"] == ["a", "b"]
    assert back["empty"] == []
    assert back["scalar"] == 7


def test_dataclasses_tuples_and_enumerations_become_plain() -> None:
    class Verdict(StrEnum):
        DEAD = "dead"

    @dataclass
    class Result:
        verdict: Verdict
        unit: tuple[str, int]

    back = load(dump(Result(Verdict.DEAD, ("fc", 3)), "test", 1), "test", 1)
    assert back == {"schema": "hinge/test", "version": 1, "verdict": "dead", "unit": ["fc", 3]}


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ([1, 2], "the value itself"),
        ({"a": [{"b": object()}]}, "a[0].b"),
        ({"a": {1: 2}}, "a"),
        ({"a": {"$float": 1}}, "a"),
        ({"version": 1}, "version"),
        ({"a": np.array([1j])}, "a[0]"),
        ({"a": np.timedelta64(1, "s")}, "a"),
    ],
)
def test_what_has_no_place_in_json_is_named(value: Any, where: str) -> None:
    with pytest.raises(OptionError) as caught:
        dump(value, "test", 1)
    assert caught.value.where == where


def test_a_circle_is_refused() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    with pytest.raises(OptionError):
        dump(circle, "test", 1)


GOOD = dump({"a": [1, 2, {"b": float("nan")}]}, "test", 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "Expecting value"),
        ("[]", "a list"),
        ("null", "a NoneType"),
        ('{"schema": "hinge/test", "version": 1, "a": NaN}', "NaN"),
        ('{"schema": "hinge/test", "version": 1, "a": 1e999}', "too large"),
        ('{"schema": "hinge/test", "version": 1, "a": 1, "a": 2}', "twice"),
        ('{"schema": "hinge/test", "version": 1, "a": {"$float": "1"}}', "$float"),
        ('{"schema": "hinge/test", "version": 1, "a": {"$float": []}}', "$float"),
        ('{"schema": "hinge/other", "version": 1}', "hinge/other"),
        ('{"schema": ["hinge/test"], "version": 1}', "['hinge/test']"),
        ('{"version": 1}', "None"),
        ('{"schema": "hinge/test"}', "None"),
        ('{"schema": "hinge/test", "version": true}', "True"),
        ('{"schema": "hinge/test", "version": 0}', "0"),
        ('{"schema": "hinge/test", "version": 3}', "version 3"),
        ('{"schema": "hinge/test", "version": 1, "a": ' + "[" * 100_000, "nested too deeply"),
        ('{"schema": "hinge/test", "version": ' + "1" * 5000 + "}", "digits"),
    ],
)
def test_bad_documents_are_refused_with_all_four_parts(text: str, found: str) -> None:
    with pytest.raises(FileError) as caught:
        load(text, "test", 2)
    assert found in caught.value.found
    assert all((caught.value.what, caught.value.where, caught.value.do))


@given(st.integers(0, len(GOOD) - 3))
def test_a_truncated_document_is_refused(length: int) -> None:
    with pytest.raises(FileError):
        load(GOOD[:length], "test", 2)


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(FileError):
        load(text, "test", 2)


def test_an_earlier_version_is_read() -> None:
    assert load(GOOD, "test", 5)["version"] == 2


def test_files_round_trip_within_the_limit(tmp_path: Path) -> None:
    path = write_json(tmp_path / "census.json", {"γ": [1.5]}, "census", 1)
    assert load(path, "census", 1)["γ"] == [1.5]
    with pytest.raises(FileError, match="too large"):
        load(path, "census", 1, limit=path.stat().st_size - 1)
    with pytest.raises(FileError, match="does not exist"):
        load(tmp_path / "none.json", "census", 1)
