"""Packages that only some trackers and trainers need: imported late, asked for when missing."""

from __future__ import annotations

import importlib
from typing import Any

from hinge.errors import HingeError


def needed(module: str, package: str, purpose: str) -> Any:
    """Import a module of an optional package. Raises `HingeError` that says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise HingeError(
            f"{purpose} needs a package that is not installed",
            where=f"import {module}",
            found=str(error),
            do=f"pip install {package}",
        ) from error
