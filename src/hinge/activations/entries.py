"""The numbers of a form: constants, parameters by name, and weighted sums of parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hinge.activations.arrays import Array
from hinge.activations.form import Parameters


@dataclass(frozen=True)
class Sum:
    """A constant plus parameters times weights: ``Sum((("lower", Fraction(1, 2)), ...))``."""

    weights: tuple[tuple[str, float | Fraction], ...]
    constant: float | Fraction = 0

    def __add__(self, other: Sum) -> Sum:
        weights = dict(self.weights)
        for name, weight in other.weights:
            weights[name] = weights.get(name, 0) + weight
        kept = tuple((name, weight) for name, weight in weights.items() if weight)
        return Sum(kept, self.constant + other.constant)

    def __sub__(self, other: Sum) -> Sum:
        return self + other.times(-1)

    def times(self, factor: float | Fraction) -> Sum:
        """Every weight times a number."""
        return Sum(
            tuple((name, weight * factor) for name, weight in self.weights), self.constant * factor
        )

    def __str__(self) -> str:
        shared = {weight for _, weight in self.weights}
        if len(self.weights) > 1 and not self.constant and len(shared) == 1 and shared != {1}:
            total = Sum(tuple((name, 1) for name, _ in self.weights))
            return f"{_number_text(*shared)}·({total})"
        parts = [_product_text(weight, name) for name, weight in self.weights]
        if self.constant or not parts:
            parts.append(_number_text(self.constant))
        return " + ".join(parts).replace("+ −", "− ")


Entry = float | Fraction | str | Sum
"""A number, the name of the parameter that holds it, or a weighted sum of parameters."""


def negative(name: str) -> Sum:
    """The parameter ``name`` with the other sign."""
    return Sum(((name, -1),))


def number(entry: Entry, parameters: Parameters) -> Array:
    """The entry's value: a float, or an array where a parameter is one."""
    if isinstance(entry, str):
        return parameters[entry]
    if not isinstance(entry, Sum):
        return float(entry)
    terms: list[Any] = [float(weight) * parameters[name] for name, weight in entry.weights]
    return sum(terms[1:], terms[0]) + float(entry.constant) if terms else float(entry.constant)


def symbolic(entry: Entry) -> Sum:
    """The entry as a sum, with which one can calculate without knowing the parameters."""
    if isinstance(entry, Sum):
        return entry
    return Sum(((entry, 1),)) if isinstance(entry, str) else Sum((), entry)


def text(entry: Entry) -> str:
    """The entry as it stands in a formula."""
    return str(symbolic(entry))


def is_zero(value: Array) -> bool:
    """Whether this is the float 0, not an array of zeros."""
    return isinstance(value, float) and value == 0


def _product_text(weight: float | Fraction, name: str) -> str:
    if abs(weight) == 1:
        return name if weight > 0 else f"−{name}"
    return f"{_number_text(weight)}·{name}"


def _number_text(value: float | Fraction) -> str:
    sign = "−" if value < 0 else ""
    if isinstance(value, Fraction) and value.denominator > 1:
        return f"{sign}{abs(value)}"
    size = abs(float(value))
    return sign + ("∞" if math.isinf(size) else f"{size:g}")
