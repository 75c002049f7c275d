"""Every activation there is, and how to find one: by name, by a torch call, by an ONNX node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy.typing as npt

from hinge.activations import exponentials, rectifiers, self_gated, sigmoids
from hinge.activations.record import Activation
from hinge.activations.spellings import Spelling
from hinge.errors import OptionError

Call = tuple[Activation, dict[str, object]]
"""An activation with the parameters of one call."""

_RECORDS = {
    record.name: record
    for family in (rectifiers, exponentials, sigmoids, self_gated)
    for record in family.RECORDS
}


def all_activations() -> tuple[Activation, ...]:
    """Every activation, in the order of its family."""
    return tuple(_RECORDS.values())


def find(name: str) -> Activation:
    """Find an activation by its name or torch's, whatever the case and the underscores.

    Raises `OptionError` with the nearest names for any other.

    >>> find("LeakyReLU")
    hinge.activations.leaky_relu
    """
    found = _BY_NAME.get(_plain(name))
    if found is not None:
        return found
    near = {_BY_NAME[key].name for key in get_close_matches(_plain(name), _BY_NAME)}
    listed = sorted(near) or sorted(_RECORDS)
    raise OptionError(
        "there is no such activation",
        where="the name of an activation",
        found=repr(name),
        do=f"pass {'one like' if near else 'one of'} {', '.join(listed)}",
    )


def from_aten(op: str, arguments: Mapping[str, object]) -> Call | None:
    """Recognise one call of a torch operator.

    ``op`` is the schema's name without namespace, overload and trailing underscore;
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
        if parameters is not None:
            return record, parameters
    return None


def _by_operator(pairs: Iterable[tuple[Spelling, Activation]]) -> dict[str, Spelt]:
    table = defaultdict(list)
    for spelling, record in pairs:
        table[spelling.operator].append((spelling, record))
    return dict(table)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


_BY_ATEN = _by_operator((s, record) for record in all_activations() for s in record.names.aten)
_BY_ONNX = _by_operator((s, record) for record in all_activations() for s in record.names.onnx)
_BY_NAME = {
    _plain(name): record
    for record in all_activations()
    for name in (record.names.torch_module, record.title, record.name)
    if name
}
