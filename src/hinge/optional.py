"""Packages that only some work needs: imported late, and asked for by name when missing."""

from __future__ import annotations

import importlib
from typing import Any

from hinge.errors import HingeError


def optional(module: str, package: str, purpose: str, *, extra: str = "") -> Any:
    """Import a module of an optional package. Raises `HingeError` that says what to install.

    ``extra`` names the extra of Hinge that brings all packages of its kind.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        all_of_them = f', or with all of its kind: pip install "hinge[{extra}]"' if extra else ""
        raise HingeError(
            f"{purpose} needs a package that is not installed",
            where=f"import {module}",
            found=str(error),
            do=f"pip install {package}{all_of_them}",
        ) from error
