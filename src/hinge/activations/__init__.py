"""Activation functions, each declared once: ``hinge.activations.relu(x)`` and its facts."""

from __future__ import annotations

from typing import Any

from hinge.activations.catalogue import (
    all_activations,
    from_aten,
    from_onnx,
    is_aten_name,
)
from hinge.activations.joint import JointActivation
from hinge.activations.kin import all_kin, find
from hinge.activations.options import Option
from hinge.activations.record import Activation, Names, Parameter
from hinge.activations.traits import traits_of

_RECORDS: dict[str, Any] = {
    **{record.name: record for record in all_activations()},
    **{record.name: record for record in all_kin()},
}

__all__ = [
    "Activation",
    "JointActivation",
    "Names",
    "Option",
    "Parameter",
    "all_activations",
    "all_kin",
    "find",
    "from_aten",
    "from_onnx",
    "is_aten_name",
    "traits_of",
]
__all__ += list(_RECORDS)
__all__.sort()


def __getattr__(name: str) -> Any:
    """Give each record under its own name."""
    try:
        return _RECORDS[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return __all__
