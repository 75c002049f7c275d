"""What is said of an activation in words is what its record computes."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from hinge.activations import all_activations, find, words
from hinge.activations.form import Side

NAMES = {
    "exp": math.exp,
    "ln": math.log,
    "tanh": math.tanh,
    "max": max,
    "abs": abs,
    "root": math.sqrt,
    "Φ": lambda x: math.erfc(-x / math.sqrt(2)) / 2,
    "φ": lambda x: math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi),
    "π": math.pi,
}
PLAIN = {"−": "-", "·": "*", "²": "**2", "³": "**3", "≤": "<=", "≥": ">=", "√": "root"}
POINTS = (-7.3, -2.6, -1.1, -0.7, -0.3, 0.2, 0.45, 0.9, 2.2, 3.4, 7.9)


def evaluated(text: str, x: float, given: dict[str, float]) -> float:
    """The value of a text such as "0 for x ≤ 0; s·x for x ≥ 0; s = 2" at x."""
    for sign, plain in PLAIN.items():
        text = text.replace(sign, plain)
    text = re.sub(r"\|([^|]+)\|", r"abs(\1)", text)
    text = re.sub(r",? while training.*|, [Φφ] the standard normal.*", "", text).rstrip(";, ")
    parts = re.split(r"; |, (?=\w+ = )", text)
    known = NAMES | given | {"x": x}
    for name, value in (part.split(" = ") for part in parts if " = " in part):
        known[name] = eval(value, {}, known)  # noqa: S307 - our own formulas
    for part in parts:
        value, _, place = part.partition(" for ")
        if " = " not in part and (not place or eval(place, {}, known)):  # noqa: S307
            return float(eval(value, {}, known))  # noqa: S307
    raise AssertionError(f"no part of {text!r} holds at {x}")


@pytest.mark.parametrize("record", all_activations(), ids=lambda record: record.name)
@pytest.mark.parametrize("x", POINTS)
def test_the_formula_says_what_is_computed(record, x):
    found = evaluated(record.formula, x, words.defaults(record))
    assert found == pytest.approx(record(x), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("record", all_activations(), ids=lambda record: record.name)
@pytest.mark.parametrize("x", POINTS)
def test_the_derivative_s_text_says_what_is_computed(record, x):
    found = evaluated(words.derivative_text(record), x, words.defaults(record))
    assert found == pytest.approx(record.derivative(x), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("relu", "[0, ∞)"),
        ("relu6", "[0, 6]"),
        ("sigmoid", "(0, 1)"),
        ("elu", "(−1, ∞)"),
        ("silu", "[−0.2785, ∞)"),
        ("identity", "(−∞, ∞)"),
        ("softplus", "(0, ∞)"),
        ("logsigmoid", "(−∞, 0)"),
        ("hardswish", "[−0.375, ∞)"),
        ("star_relu", "[−0.4472, ∞)"),
    ],
)
def test_ranges_are_open_where_they_are_only_limits(name, text):
    assert words.range_text(find(name)) == text


def test_slopes_beside_a_kink_and_what_conventions_make_of_them():
    slopes = words.sides(find("hardtanh"), 1.0)
    assert slopes == (1, 0)
    assert [words.taken(side, slopes) for side in (Side.LEFT, Side.RIGHT, Side.MEAN)] == [1, 0, 0.5]


@pytest.mark.parametrize("record", all_activations(), ids=lambda record: record.name)
def test_every_kink_is_in_words_and_every_trait_true(record):
    assert (words.kinks_text(record) == "none") == (not record.kinks())
    x = np.linspace(-9, 9, 1801)
    held = words.traits_text(record)
    assert ("m" in held) == bool(np.all(np.diff(record(x)) >= -1e-15))
    assert ("o" in held) == bool(np.allclose(record(-x), -record(x), atol=1e-12))
    assert ("b" in held) == all(map(math.isfinite, record.range()))
