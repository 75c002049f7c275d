"""What the cards of all records end with: names elsewhere, advice, source."""

from __future__ import annotations

from typing import Any

from hinge.activations.joint import JointActivation
from hinge.activations.record import Activation, Names
from hinge.page import Block, Column, Heading, Note, Page, Table
from hinge.report import to_html, to_text

Record = Activation | JointActivation


class Shown:
    """A result that is read as its page, in a terminal and in a notebook."""

    def page(self) -> Page:
        """The result as a page."""
        raise NotImplementedError

    def __str__(self) -> str:
        return to_text(self.page())

    def _repr_html_(self) -> str:
        return to_html(self.page())


def names_table(own: Names) -> Table:
    """One row per library that has the function."""
    rows = tuple((library, ", ".join(names)) for library, names in _names(own).items())
    return Table((Column("library"), Column("name", "code")), rows)


def closing(record: Record) -> list[Block]:
    """The last blocks of a card."""
    notes = (
        Note("", "Advantages", "good", record.advantages),
        Note("", "Drawbacks", "warning", record.drawbacks),
        Note("", "Typical use", "info", (record.use,) if record.use else ()),
        Note("", "Source", "info", tuple(record.source.split("; "))),
    )
    table = names_table(record.names)
    named: list[Block] = [Heading("Names elsewhere"), table] if table.rows else []
    return [*named, *(note for note in notes if note.points)]


def closing_values(record: Record) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "names": _names(record.names),
        "source": record.source,
        "advantages": record.advantages,
        "drawbacks": record.drawbacks,
        "use": record.use,
    }


def _names(own: Names) -> dict[str, list[str]]:
    """What each library calls it, with the arguments that make it this function."""
    torch = [own.torch_module and f"nn.{own.torch_module}"]
    torch.append(own.torch_function.replace("torch.nn.functional", "F"))
    found = {
        "torch": [name + _fixed(own, "torch") for name in torch if name],
        "JAX": [own.jax + _fixed(own, "jax")] if own.jax else [],
        "Keras": [f"keras.activations.{own.keras}{_fixed(own, 'keras')}"] if own.keras else [],
        "ONNX": list(dict.fromkeys(spelling.operator for spelling in own.onnx)),
    }
    return {library: names for library, names in found.items() if names}


def _fixed(own: Names, library: str) -> str:
    """The arguments that are not for the user to choose."""
    listed = ", ".join(f"{name}={value!r}" for name, value in own.fixed.get(library, {}).items())
    return f"({listed})" if listed else ""
