"""Paths named on the command line: what is there, and errors where it is of no use."""

from __future__ import annotations

import stat
from pathlib import Path

from hinge.errors import FileError


def mode_of(path: Path) -> int | None:
    """Return the mode of what is at a path; None if nothing is there.

    Raises `FileError` for a path that no file can have, or that may not be asked for.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _useless(path, error) from error


def resolved(path: Path) -> Path:
    """Return the path that stands behind links. Raises `FileError` if they lead nowhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise _useless(path, error) from error


def existing_file(path: Path) -> Path:
    """Return the path of a file that is there and not empty. Raises `FileError` otherwise."""
    mode = mode_of(path)
    if mode is None:
        raise FileError(
            "the file cannot be found", where=str(path), found="nothing", do="check the path"
        )
    if not stat.S_ISREG(mode):
        found = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
        raise FileError("the path is not a file", where=str(path), found=found, do="name a file")
    if path.stat().st_size == 0:
        raise FileError(
            "the file is empty", where=str(path), found="0 bytes", do="write the file again"
        )
    return path


def _useless(path: Path, error: Exception) -> FileError:
    return FileError(
        "the path cannot be used",
        where=str(path),
        found=getattr(error, "strerror", None) or str(error),
        do="check the path and its permissions",
    )
