"""How other programs write a call of an activation, and what a call must hold to be one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LARGEST = float(np.finfo(np.float32).max)
"""ONNX writes "no limit" as the largest float32; its other constants are float32 too."""


@dataclass(frozen=True)
class Spelling:
    """One operator that is the activation when its arguments are right.

    ``fixed``: arguments and the values that they must have (None: absent).
    ``least``: arguments and the least values that they may have.
    ``takes``: arguments that are parameters, with the parameter's name. Where two of them
    are the same parameter, they must be equal.
    ``defaults``: values of arguments that a call may leave out.
    ``inputs``: names of the operator's inputs after the first, for ONNX.
    """

    operator: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    least: Mapping[str, float] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()

    def parameters(self, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """The activation's parameters in a call with these arguments; None if it is another."""
        for name, value in self.fixed.items():
            if not _same(arguments.get(name, self.defaults.get(name)), value):
                return None
        if any(not self._held(name, arguments) >= low for name, low in self.least.items()):
            return None
        found: dict[str, Any] = {}
        for name, parameter in self.takes.items():
            value = self._held(name, arguments)
            if value is None or (parameter in found and not _same(value, found[parameter])):
                return None
            found[parameter] = value
        return found

    def _held(self, name: str, arguments: Mapping[str, Any]) -> Any:
        value = arguments.get(name)
        return self.defaults.get(name) if value is None else value


def _same(found: Any, wanted: Any) -> bool:
    """Whether an argument (a number, text, None or an array of one value) is what is wanted."""
    if isinstance(found, bytes):
        found = found.decode("utf-8", "replace")
    if found is None or isinstance(found, str) or isinstance(wanted, str):
        return bool(found == wanted)
    if wanted is None:
        return _all(found >= LARGEST)
    return _all(found == wanted) or _all(found == float(np.float32(wanted)))


def _all(held: Any) -> bool:
    return bool(held.all() if hasattr(held, "all") else held)
