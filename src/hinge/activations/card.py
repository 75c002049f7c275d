"""The card of one activation: everything its record says, as a page and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hinge.activations import words
from hinge.activations.card_parts import Shown, closing, closing_values
from hinge.activations.picture import picture
from hinge.activations.record import Activation, Parameter
from hinge.page import Block, Column, Heading, Page, Table, Value
from hinge.report import json

SCHEMA, VERSION = "activation", 1

_DIGITS = 6

_LIBRARIES = {"torch": "torch", "jax": "JAX", "keras": "Keras"}


@dataclass(frozen=True)
class Card(Shown):
    """What there is to know of an activation, without a measurement."""

    record: Activation

    def page(self) -> Page:
        """The card as a page."""
        blocks: list[Block] = [picture(self.record), _facts(self.record)]
        if self.record.kinks():
            blocks += [Heading("At the kinks"), kinks_table(self.record)]
        if self.record.parameters:
            blocks += [Heading("Parameters"), parameters_table(self.record)]
        blocks += closing(self.record)
        return Page(self.record.title, self.record.formula, tuple(blocks))

    def to_json(self) -> str:
        """The card as JSON text with a schema version."""
        return json.dump(as_values(self.record), SCHEMA, VERSION)


def as_values(record: Activation) -> dict[str, Any]:
    """Every fact of a record, as plain values."""
    return {
        "name": record.name,
        "title": record.title,
        "formula": record.formula,
        "derivative": words.derivative_text(record),
        "range": record.range(),
        "jumps": record.jumps(),
        "kinks": [
            {
                "at": at,
                "slopes": words.sides(record, at),
                "derivative": float(record.derivative(at)),
                "elsewhere": conventions(record, at),
            }
            for at in record.kinks()
        ],
        "traits": words.traits(record),
        "piecewise_linear": record.is_piecewise_linear,
        "lipschitz": record.lipschitz(),
        "gain": record.gain,
        "parameters": list(record.parameters),
        **closing_values(record),
    }


def conventions(record: Activation, at: float) -> dict[str, float]:
    """The derivative that each library chooses at a kink; nothing of one without the function."""
    place = record.form.breaks(words.defaults(record)).index(at)
    slopes = words.sides(record, at)
    return {
        library: words.taken(taken[place], slopes) for library, taken in record.conventions.items()
    }


def kinks_table(record: Activation) -> Table:
    """One row per kink: the slopes beside it, and what is chosen there."""
    columns = [Column("x"), Column("slope left"), Column("slope right"), Column("Hinge")]
    known = [library for library in _LIBRARIES if library in record.conventions]
    columns += [Column(_LIBRARIES[library]) for library in known]
    rows: list[tuple[Value, ...]] = []
    for at in record.kinks():
        left, right = words.sides(record, at)
        elsewhere = conventions(record, at)
        numbers = [left, right, float(record.derivative(at)), *(elsewhere[one] for one in known)]
        rows.append((words.digits(at), *map(words.digits, numbers)))
    return Table(
        tuple(columns),
        tuple(rows),
        caption="The derivative chosen at each kink. ONNX defines values only, no derivatives.",
    )


def parameters_table(record: Activation) -> Table:
    """One row per parameter."""
    return Table(
        (Column("name", "code"), Column("default"), Column("allowed"), Column("learned")),
        tuple(
            (one.name, words.digits(one.default, 6), allowed(one), learned(one))
            for one in record.parameters
        ),
    )


def allowed(parameter: Parameter) -> str:
    """The values that a parameter may have, in words.

    >>> allowed(Parameter("alpha", default=1.0, low=0.0, low_included=False))
    'above 0'
    """
    low, high = words.digits(parameter.low), words.digits(parameter.high)
    if low == "−∞":
        return "any number" if high == "∞" else f"{high} or less"
    start = low if parameter.low_included else f"above {low}"
    if high == "∞":
        return f"{low} or more" if parameter.low_included else start
    return f"{start} to {high}"


def learned(parameter: Parameter) -> str:
    """Whether a parameter is trained, in words."""
    if not parameter.learned:
        return "no"
    return "yes, one or one per channel" if parameter.per_channel else "yes"


def _facts(record: Activation) -> Table:
    held = [name for name, has in words.traits(record).items() if has]
    shape = "piecewise linear" if record.is_piecewise_linear else "with curved parts"
    rows = [
        ("derivative", words.derivative_text(record)),
        ("shape", shape),
        ("range", words.range_text(record, _DIGITS)),
        ("kinks", words.kinks_text(record)),
        ("traits", ", ".join(held) or "none"),
        ("Lipschitz constant", words.digits(record.lipschitz(), _DIGITS)),
        ("Kaiming gain", words.digits(record.gain, _DIGITS)),
    ]
    if record.jumps():
        rows.insert(4, ("jumps", ", ".join(map(words.digits, record.jumps()))))
    return Table((Column("fact"), Column(record.name)), tuple(rows))
