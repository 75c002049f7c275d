"""The card of one function of several numbers, as a page and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hinge.activations import words
from hinge.activations.card_parts import Shown, closing, closing_values
from hinge.activations.joint import JointActivation
from hinge.activations.options import Option
from hinge.page import Block, Column, Heading, Page, Table
from hinge.report import json

SCHEMA, VERSION = "joint-activation", 1


@dataclass(frozen=True)
class JointCard(Shown):
    """What there is to know of a function of several numbers, without a measurement."""

    record: JointActivation

    def page(self) -> Page:
        """The card as a page."""
        blocks: list[Block] = [_facts(self.record)]
        if self.record.options:
            blocks += [Heading("Options"), options_table(self.record)]
        blocks += closing(self.record)
        return Page(self.record.title, self.record.formula, tuple(blocks))

    def to_json(self) -> str:
        """The card as JSON text with a schema version."""
        return json.dump(as_values(self.record), SCHEMA, VERSION)


def as_values(record: JointActivation) -> dict[str, Any]:
    """Every fact of a record, as plain values."""
    return {
        "name": record.name,
        "title": record.title,
        "formula": record.formula,
        "derivative": record.partial_formula,
        "convention": record.convention,
        "width": record.width_change,
        "range": record.range(),
        "traits": traits(record),
        "degree": record.degree,
        "lipschitz": record.lipschitz(),
        "gain": gain(record),
        "options": list(record.options),
        **closing_values(record),
    }


def traits(record: JointActivation) -> dict[str, bool]:
    """Each trait by its name, and whether the function has it."""
    return {
        "monotone": record.monotone,
        "continuous": record.is_continuous,
        "piecewise linear": record.is_piecewise_linear,
        "bounded": record.bounded(),
    }


def gain(record: JointActivation) -> float | None:
    """The Kaiming gain; None where it depends on the size of the axis."""
    return None if any(option.counts_axis for option in record.options) else record.gain()


def options_table(record: JointActivation) -> Table:
    """One row per option."""
    return Table(
        (Column("name", "code"), Column("default"), Column("allowed")),
        tuple((one.name, _default(one), _allowed(one)) for one in record.options),
    )


def facts(record: JointActivation) -> list[tuple[str, str]]:
    """The facts that have no table of their own, in words."""
    held = [name for name, has in traits(record).items() if has]
    if record.degree is not None:
        held.append(f"positively homogeneous of degree {record.degree}")
    known = gain(record)
    return [
        ("derivative", record.partial_formula),
        ("convention", record.convention),
        ("width", record.width_change),
        ("range", words.interval_text(*record.range())),
        ("traits", ", ".join(held) or "none"),
        ("Lipschitz constant", words.digits(record.lipschitz(), 6)),
        (
            "Kaiming gain",
            "depends on the size of the axis" if known is None else words.digits(known, 6),
        ),
    ]


def _facts(record: JointActivation) -> Table:
    return Table((Column("fact"), Column(record.name)), tuple(facts(record)))


def _default(option: Option) -> str:
    return "none, must be given" if option.default is None else words.digits(option.default)


def _allowed(option: Option) -> str:
    if option.low is None:
        return "any whole number"
    return (
        f"{option.low} to the size of the axis" if option.counts_axis else f"{option.low} or more"
    )
