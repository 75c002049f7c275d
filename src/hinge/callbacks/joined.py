"""Joins a callback to the class of its framework, which is imported when it is first asked for."""

from __future__ import annotations

import sys
from typing import Any

from hinge.errors import HingeError
from hinge.sinks.late import needed


def joined(hooks: type, bases: dict[str, str], purpose: str, package: str) -> type:
    """Make the class ``HingeCallback`` of hooks and a framework's own class.

    ``bases`` has the name of that class by the module it is in, one entry per package that the
    framework comes in; the packages that are loaded are taken, or the first that is installed.
    The class is put into the module of the hooks, where it can be pickled.

    Raises
    ------
    HingeError
        None of the packages is installed.
    AttributeError
        The framework's module lacks the class.
    """
    loaded = [module for module in bases if module.partition(".")[0] in sys.modules]
    found = [getattr(needed(name, package, purpose), bases[name]) for name in loaded]
    base = found or [_first(bases, purpose, package)]
    made = type("HingeCallback", (hooks, *base), {"__doc__": hooks.__doc__})
    made.__module__ = hooks.__module__
    setattr(sys.modules[hooks.__module__], "HingeCallback", made)  # noqa: B010 - a module
    return made


def _first(bases: dict[str, str], purpose: str, package: str) -> Any:
    missing: HingeError | None = None
    for module, name in bases.items():
        try:
            return getattr(needed(module, package, purpose), name)
        except HingeError as error:
            missing = missing or error
    assert missing is not None  # noqa: S101 - there is at least one base
    raise missing
