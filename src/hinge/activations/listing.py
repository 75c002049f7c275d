"""All activations as a list: one row each, by family."""

from __future__ import annotations

from dataclasses import dataclass

from hinge.activations import joint_card, words
from hinge.activations.card import as_values
from hinge.activations.card_parts import Shown
from hinge.activations.families import families
from hinge.activations.joint import JointActivation
from hinge.activations.kin import all_kin
from hinge.activations.record import Activation
from hinge.page import Block, Column, Page, Table
from hinge.report import json

SCHEMA, VERSION = "activations", 1

_COLUMNS = (
    Column("name", "code"),
    Column("formula"),
    Column("range"),
    Column("kinks"),
    Column("traits"),
    Column("torch.nn", "code"),
)

_JOINT_TITLE = "Functions of several numbers"
_JOINT_COLUMNS = (
    Column("name", "code"),
    Column("formula"),
    Column("range"),
    Column("width"),
    Column("torch.nn", "code"),
)


@dataclass(frozen=True)
class Listing(Shown):
    """Every activation that is declared."""

    def page(self) -> Page:
        """The list as a page: a table for each family."""
        known = families()
        count = sum(map(len, known.values()))
        legend = ", ".join(f"{letter} {trait}" for trait, letter in words.LETTERS.items())
        blocks: list[Block] = [
            Table(_COLUMNS, tuple(map(_row, records)), title) for title, records in known.items()
        ]
        blocks.append(Table(_JOINT_COLUMNS, tuple(map(_joint_row, all_kin())), _JOINT_TITLE))
        count += len(all_kin())
        summary = f"{count} activations in {len(blocks)} families. Traits: {legend}."
        return Page("Activations", summary, tuple(blocks))

    def to_json(self) -> str:
        """Every record's facts as JSON text with a schema version."""
        values = {
            title: [as_values(record) for record in records]
            for title, records in families().items()
        }
        values[_JOINT_TITLE] = [joint_card.as_values(record) for record in all_kin()]
        return json.dump({"families": values}, SCHEMA, VERSION)


def _row(record: Activation) -> tuple[str, ...]:
    return (
        record.name,
        record.formula,
        words.range_text(record),
        words.kinks_text(record),
        words.traits_text(record) or "–",
        record.names.torch_module or "–",
    )


def _joint_row(record: JointActivation) -> tuple[str, ...]:
    return (
        record.name,
        record.formula,
        words.interval_text(*record.range()),
        record.width_change,
        record.names.torch_module or "–",
    )
