"""Files named on the command line: that they are there, and are files with something in them."""

from __future__ import annotations

from pathlib import Path

from hinge.errors import FileError


def existing_file(path: Path) -> Path:
    """Return the path of a file that is there and not empty. Raises `FileError` otherwise."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FileError(
            "the file cannot be found",
            where=str(path),
            found=error.strerror or str(error),
            do="check the path",
        ) from error
    if not path.is_file():
        raise FileError(
            "the path is not a file", where=str(path), found="a folder, say", do="check the path"
        )
    if size == 0:
        raise FileError(
            "the file is empty", where=str(path), found="0 bytes", do="write the file again"
        )
    return path
