"""Every activation there is, and how to find one: by name, by a torch call, by an ONNX node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Protocol, TypeVar

import numpy.typing as npt

from hinge.activations.families import families
from hinge.activations.names import Names
from hinge.activations.record import Activation
from hinge.activations.spellings import Spelling
from hinge.errors import OptionError


class Record(Protocol):
    """What `find` needs of a record."""

    @property
    def name(self) -> str:
        """Its own name."""

    @property
    def title(self) -> str:
        """Its name in prose."""

    @property
    def names(self) -> Names:
        """What others call it."""


R = TypeVar("R", bound=Record)

Call = tuple[Activation, dict[str, object]]
"""An activation with the parameters of one call."""

_RECORDS = {record.name: record for records in families().values() for record in records}


def all_activations() -> tuple[Activation, ...]:
    """Every activation, in the order of its family."""
    return tuple(_RECORDS.values())


def find(name: str) -> Activation:
    """Find an activation by its name, title or another library's name for it.

    Case, spaces and underscores do not matter.

    Raises `OptionError` with the nearest names for any other.

    >>> find("LeakyReLU")
    hinge.activations.leaky_relu
    """
    return look_up(name, _BY_NAME)


def by_name(records: Iterable[R]) -> dict[str, R]:
    """Each record under every name, as `look_up` reads them: its own before what others say."""
    every = list(records)
    table: dict[str, R] = {}
    for names in (_others, _titles, lambda record: [record.name]):
        for record in every:
            table |= {_plain(name): record for name in names(record) if name}
    return table


def look_up(name: str, records: Mapping[str, R]) -> R:
    """Find a record in a table made by `by_name`; raises as `find` does."""
    found = records.get(_plain(name))
    if found is not None:
        return found
    near = {records[key].name for key in get_close_matches(_plain(name), records)}
    listed = sorted(near) or sorted({record.name for record in records.values()})
    raise OptionError(
        "there is no such activation",
        where="the name of an activation",
        found=repr(name),
        do=f"pass {'one like' if near else 'one of'} {', '.join(listed)}",
    )


def from_aten(op: str, arguments: Mapping[str, object]) -> Call | None:
    """Recognise one call of a torch operator.

    ``op`` is the schema's name without ``aten::``, overload and trailing underscore;
    ``arguments`` maps the schema's argument names to values, defaults filled in, without
    the input. Of ``maximum``, ``other`` is the operand that is constant. None: another function.

    >>> from_aten("hardtanh", {"min_val": 0, "max_val": 6})
    (hinge.activations.relu6, {})
    """
    spelt = _BY_ATEN.get(op)
    return None if spelt is None else _matching(spelt, arguments)


def is_aten_name(op: str) -> bool:
    """Whether some call of this torch operator is an activation; quicker than `from_aten`."""
    return op in _BY_ATEN


def from_onnx(
    op_type: str,
    attributes: Mapping[str, object],
    constants: Sequence[npt.NDArray[Any] | None],
) -> Call | None:
    """Recognise one ONNX node.

    ``attributes`` as the node holds them; ``constants`` are the values of its inputs after
    the first, None where an optional one is absent. A node that computes such an
    input is another function: do not ask. None: another function.

    >>> import numpy as np
    >>> from_onnx("Clip", {}, [np.array(0.0), np.array(6.0)])
    (hinge.activations.relu6, {})
    """
    spelt = _BY_ONNX.get(op_type)
    if spelt is None:
        return None
    inputs = spelt[0][0].inputs
    if len(constants) > len(inputs):
        return None
    given = {name: one for name, one in zip(inputs, constants, strict=False) if one is not None}
    return _matching(spelt, {**attributes, **given})


Spelt = list[tuple[Spelling, Activation]]


def _matching(spelt: Spelt, arguments: Mapping[str, object]) -> Call | None:
    for spelling, record in spelt:
        parameters = spelling.parameters(arguments)
        if parameters is not None and record.accepts(parameters):
            return record, parameters
    return None


def _by_operator(pairs: Iterable[tuple[Spelling, Activation]]) -> dict[str, Spelt]:
    """The spellings of each operator, those that leave least open first."""
    table = defaultdict(list)
    for spelling, record in sorted(pairs, key=lambda pair: len(pair[0].takes)):
        table[spelling.operator].append((spelling, record))
    return dict(table)


def _others(record: Record) -> list[str]:
    names = record.names
    return [names.torch_module, names.jax.rpartition(".")[2], names.keras]


def _titles(record: Record) -> list[str]:
    """The title "SiLU (Swish)" holds two names."""
    return [record.title, *record.title.removesuffix(")").split(" (")]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _own_spelling(record: Activation) -> Spelling:
    """The operator of our own that torch's tools see; it has the parameters as arguments."""
    return Spelling(
        f"hinge::{record.name}", takes={one.name: one.name for one in record.parameters}
    )


_BY_ATEN = _by_operator(
    (spelling, record)
    for record in all_activations()
    for spelling in (*record.names.aten, _own_spelling(record))
)
_BY_ONNX = _by_operator((s, record) for record in all_activations() for s in record.names.onnx)
_BY_NAME = by_name(all_activations())
