"""Joins a callback to the class of its framework, which is imported when it is first asked for."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from hinge.errors import HingeError
from hinge.optional import optional


def joined(hooks: type, modules: tuple[str, ...], base: str, package: str) -> type:
    """Make the class ``HingeCallback`` of hooks and a framework's own class named ``base``.

    ``modules`` are those that have that class, one per package that the framework comes in;
    the packages that are loaded are taken, or the first that is installed. The class is put
    into the module of the hooks, where it can be pickled.

    Raises
    ------
    HingeError
        None of the packages is installed.
    """
    loaded = [module for module in modules if sys.modules.get(module.partition(".")[0])]
    bases = [_imported(module, base, package) for module in loaded]
    bases = bases or [_first(modules, base, package)]
    made = type("HingeCallback", (hooks, *bases), {"__doc__": hooks.__doc__})
    made.__module__ = hooks.__module__
    vars(sys.modules[hooks.__module__])["HingeCallback"] = made
    return made


def _first(modules: tuple[str, ...], base: str, package: str) -> Any:
    """The class of the first package that is installed."""
    *others, last = modules
    for module in others:
        with suppress(HingeError):
            return _imported(module, base, package)
    return _imported(last, base, package)


def _imported(module: str, base: str, package: str) -> Any:
    return getattr(optional(module, package, f"a callback for {package}"), base)
