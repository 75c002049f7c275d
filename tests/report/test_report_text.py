from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinge.report.text import DASH, grouped, number, one_line, plural, printable, shown


def ascii_spaces(text: str) -> str:
    return text.replace("\u202f", " ")


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50.0 %"),
        (0.1234, "12.3 %"),
        (0.00042, "0.04 %"),
        (1e-9, "< 0.0001 %"),
        (1 - 1e-9, "> 99.9999 %"),
        (0.99999, "99.999 %"),
        (1.5, "150 %"),
        (None, DASH),
        (math.nan, DASH),
        (math.inf, "∞ %"),
    ],
)
def test_a_share_is_a_percentage_with_sensible_digits(share: float | None, expected: str) -> None:
    assert ascii_spaces(shown(share, "share")) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (1.0, "1.00"),
        (9.999, "10.0"),
        (-12.345, "−12.3"),
        (123456.7, "1.23e5"),
        (99999.0, "1.00e5"),
        (54321.6, "54 322"),
        (0.00123456, "0.00123"),
        (1.5e-7, "1.50e−7"),
        (-math.inf, "−∞"),
        (math.nan, DASH),
        (123456, "123 456"),
    ],
)
def test_a_number_has_three_digits(value: float, expected: str) -> None:
    assert ascii_spaces(number(value)) == expected


@given(st.floats(1e-12, 1 - 1e-12))
def test_a_share_of_some_never_looks_like_none_or_all(share: float) -> None:
    text = ascii_spaces(shown(share, "share"))
    if not text.startswith(("<", ">")):
        assert 0 < float(text.removesuffix(" %")) < 100
        assert float(text.removesuffix(" %")) == pytest.approx(100 * share, abs=0.06)


@given(st.floats(-1e300, 1e300))
def test_a_number_can_be_read_back_to_three_digits(value: float) -> None:
    text = number(value).replace("\u202f", "").replace("−", "-")
    assert float(text) == pytest.approx(value, rel=0.006)


@given(st.integers())
def test_an_integer_keeps_all_its_digits(value: int) -> None:
    assert int(grouped(value).replace("\u202f", "").replace("−", "-")) == value


def test_text_booleans_and_nothing() -> None:
    assert shown("a\nb") == "a b"
    assert shown(value=True) == "yes"
    assert shown(value=False, kind="integer") == "no"
    assert shown(None) == DASH


@given(st.text())
def test_printable_text_has_no_controls_and_can_be_encoded(text: str) -> None:
    clean = printable(text)
    clean.encode("utf-8")
    assert len(clean) == len(text)
    assert not set(clean) & set("\x00\x07\x08\x1b\x7f\x9b\r\u202e\u2066")
    assert "\n" not in one_line(text)


def test_plurals() -> None:
    assert plural(1, "row") == "1 row"
    assert plural(0, "row") == "0 rows"
