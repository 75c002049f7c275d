"""A file of JSON lines that keeps what was written when the run is killed, and its reader."""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from hinge.errors import FileError, OptionError
from hinge.events import Event
from hinge.sinks.lines import HEADER, SCHEMA, VERSION, line, parsed, record
from hinge.sinks.record import Numbers, Record

StrPath = str | os.PathLike[str]

LIMIT = 1 << 30
"""The largest file that is read, in bytes."""

_BLOCK = 1 << 16


class JsonLines:
    """Append one strict JSON object per line to a file, each handed to the system at once.

    The first line is ``{"schema": "hinge/watch", "version": 1}``, every other one
    ``{"step": ..., "values": {...}}`` or ``{"event": {...}}``; NaN and infinity are null.
    A file that a `JsonLines` wrote before is continued; a line of it that was torn when its
    run was killed is cut off. One file is for one process.

    Raises
    ------
    FileError
        The file cannot be opened or written, or is not one of these; it is then untouched.
    """

    def __init__(self, path: StrPath) -> None:
        self.path = Path(_checked(path))
        try:
            self._file = _continued(self.path)
        except (OSError, ValueError) as error:
            raise _cannot(error, "written", self.path) from error

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Write the numbers of a step. Raises `FileError` if the disk refuses them."""
        self._write(line(Numbers(step, values)))

    def event(self, event: Event) -> None:
        """Write an event. Raises `FileError` if the disk refuses it."""
        self._write(line(event))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        try:
            _append(self._file, data)
        except (OSError, ValueError) as error:
            raise _cannot(error, "written", self.path) from error


def read_jsonl(path: StrPath, limit: int = LIMIT) -> list[Record]:
    """Read what a `JsonLines` wrote, null as NaN, while it is being written or afterwards.

    A last line that was torn, because the run was killed or is about to write the rest, is
    left out.

    Raises
    ------
    FileError
        The file is missing, unreadable, larger than ``limit`` bytes, not of this kind, of a
        later version, or a line before the last is malformed; ``partial`` then holds the
        records before that line.
    """
    lines = _read(Path(_checked(path)), limit).splitlines(keepends=True)
    if not lines or (len(lines) == 1 and HEADER.startswith(lines[0])):
        return []  # the run was killed, or has yet to come to its first line
    _check_header(lines[0], path)
    records: list[Record] = []
    for number, text in enumerate(lines[1:], start=2):
        try:
            records.append(record(parsed(text)))
        except ValueError as error:
            if number == len(lines):
                break
            raise FileError(
                "the file has a line that is no record of a watch",
                where=f"{os.fspath(path)}, line {number}",
                found=str(error),
                do="take the line out; error.partial holds the records before it",
                partial=records,
            ) from error
    return records


def _continued(path: Path) -> FileIO:
    """Open a file behind its last whole line; a new one gets its first line."""
    file = path.open("a+b", buffering=0)
    try:
        if not file.seekable():  # a pipe or a terminal, which nothing can be read back from
            file.write(HEADER)
            return file
        file.seek(0)
        first = file.readline(len(HEADER) + _BLOCK)
        if not first.endswith(b"\n"):
            if not HEADER.startswith(first):
                _check_header(first, path)
            file.truncate(0)
            file.write(HEADER)
            return file
        _check_header(first, path)
        file.truncate(_whole(file))
        file.seek(0, os.SEEK_END)
    except BaseException:
        file.close()
        raise
    return file


def _whole(file: FileIO) -> int:
    """How many bytes the whole lines of a file take."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _append(file: FileIO, data: bytes) -> None:
    """Write all of a line, or nothing of it."""
    before = file.tell() if file.seekable() else None
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:
        if before is not None:
            file.truncate(before)
            file.seek(before)
        raise


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = _limited(file, limit)
    except (OSError, ValueError) as error:
        raise _cannot(error, "read", path) from error
    if len(data) > limit:
        raise FileError(
            "the file is too large",
            where=os.fspath(path),
            found=f"more than {limit} bytes",
            do="pass the file that a watch wrote, or raise the limit",
        )
    return data


def _limited(file: BinaryIO, limit: int) -> bytes:
    return file.read(limit + 1)


def _check_header(text: bytes, path: StrPath) -> None:
    where = os.fspath(path)
    try:
        header = parsed(text)
    except ValueError:
        header = {}
    version = header.get("version")
    if header.get("schema") != SCHEMA or type(version) is not int or version < 1:
        raise FileError(
            "the file is not one that a watch wrote",
            where=where,
            found=f"a first line {text[:60]!r}",
            do="choose another file, or a new one",
        )
    if version > VERSION:
        raise FileError(
            "the file was written by a later version of Hinge",
            where=where,
            found=f"{SCHEMA} version {version}; this Hinge knows up to {VERSION}",
            do="update Hinge, or choose a new file",
        )


def _checked(path: StrPath) -> str:
    if isinstance(path, str | os.PathLike):
        name = os.fspath(path)
        if isinstance(name, str):
            return name
    raise OptionError(
        "a file is named by a path",
        where="path",
        found=f"a {type(path).__name__}",
        do='pass a text or a pathlib.Path, such as "watch.jsonl"',
    )


def _cannot(error: OSError | ValueError, verb: str, path: Path) -> FileError:
    if isinstance(error, FileError):
        return error
    reason = error.strerror if isinstance(error, OSError) else None
    return FileError(
        f"the file cannot be {verb}",
        where=os.fspath(path),
        found=reason or str(error),
        do="check the path, its folder, its permissions and the space on the device",
    )
