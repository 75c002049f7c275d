"""Reads text files with a limit, and writes files so that no old one is ever damaged."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from pathlib import Path

from hinge.errors import FileError

StrPath = str | os.PathLike[str]

_REASONS = {
    errno.ENOENT: ("the folder does not exist", "create the folder, or choose another one"),
    errno.ENOTDIR: ("a part of the path is not a folder", "check the path"),
    errno.EISDIR: ("the path is a folder", "name a file inside the folder"),
    errno.EACCES: ("no permission", "choose a place that you may write to"),
    errno.EPERM: ("no permission", "choose a place that you may write to"),
    errno.EROFS: ("the file system is read-only", "choose a place that you may write to"),
    errno.ENOSPC: ("no space is left on the device", "free some space, or choose another device"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or choose another device"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter name"),
}


def write_text(path: StrPath, text: str) -> Path:
    """Write ``text`` as UTF-8 to ``path`` and return the path; see `write_bytes`."""
    return write_bytes(path, text.encode("utf-8", "replace"))


def write_bytes(path: StrPath, data: bytes) -> Path:
    """Write ``data`` to ``path`` and return the path.

    The data go to a temporary file beside the target, are forced to the disk and then
    renamed, so a reader sees the old file or the new one and nothing between. A symbolic
    link is followed, permissions are kept; devices and pipes are written to directly.

    Raises
    ------
    FileError
        The folder is missing, the target is a folder or not writable, the disk is full.
        The old file, if there was one, is then untouched.
    """
    try:
        _replace(Path(path).resolve(), data)
    except (OSError, ValueError, RuntimeError) as error:
        raise _cannot_write(path, error) from error
    return Path(path)


def read_text(path: StrPath, limit: int) -> str:
    """Read a UTF-8 file of at most ``limit`` bytes.

    Raises
    ------
    FileError
        The file is missing, a folder, unreadable, larger than ``limit``, or not UTF-8.
    """
    where = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise FileError(
            "the file does not exist", where=where, found="nothing", do="check the path"
        ) from error
    except (OSError, ValueError) as error:
        reason, advice = _reason(error, "check the path and its permissions")
        raise FileError("the file cannot be read", where=where, found=reason, do=advice) from error
    if len(data) > limit:
        raise FileError(
            "the file is too large",
            where=where,
            found=f"more than {limit} bytes",
            do="pass the file that Hinge wrote, or raise the limit",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(
            "the file is not UTF-8 text",
            where=where,
            found=f"byte 0x{data[error.start]:02x} at position {error.start}",
            do="pass a text file in UTF-8",
        ) from error


def _replace(target: Path, data: bytes) -> None:
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if mode is not None and not stat.S_ISREG(mode):
        target.write_bytes(data)
        return
    temporary = target.with_name(f".hinge-{secrets.token_hex(8)}.tmp")
    try:
        _write_and_sync(temporary, data)
        if mode is not None:
            shutil.copymode(target, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _write_and_sync(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can open a folder."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return  # some network file systems cannot; the file is complete all the same
    finally:
        os.close(handle)


def _cannot_write(path: StrPath, error: Exception) -> FileError:
    reason, advice = _reason(error, "choose another place")
    return FileError("the file cannot be written", where=os.fspath(path), found=reason, do=advice)


def _reason(error: Exception, advice: str) -> tuple[str, str]:
    known = _REASONS.get(getattr(error, "errno", None) or 0)
    return known or (str(error) or type(error).__name__, advice)
