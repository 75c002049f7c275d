"""Arrays in .npy and .npz files, never unpickled; .npy files are read as they are needed."""

from __future__ import annotations

import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from hinge.cli.inputs.rows import Named
from hinge.cli.inputs.takes import Takes
from hinge.errors import DataError, FileError, HingeError, OptionError

LARGEST_NPZ = 8 * 2**30
"""Unpacked bytes beyond which an .npz file is not opened; a .npy file may have any size."""

LABELS = {"y", "label", "labels", "target", "targets"}
"""Names of what a model is to predict, in small letters."""

_DAMAGED = (
    BadZipFile,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zlib.error,
)


def npy_rows(path: Path, takes: Takes, name: str | None) -> Named:
    """Map the array of a .npy file into memory, so that its size does not matter."""
    del takes, name
    try:
        return {None: np.load(path, mmap_mode="r", allow_pickle=False)}
    except _DAMAGED as error:
        raise _unreadable(path, error) from error


def npz_rows(path: Path, takes: Takes, name: str | None) -> Named:
    """Read the arrays of an .npz file that the model takes; labels beside them are left out."""
    try:
        _check_size(path)
        with np.load(path, allow_pickle=False) as arrays:
            chosen = _chosen(arrays.files, takes, name, path)
            return {argument: arrays[array] for argument, array in chosen.items()}
    except HingeError:
        raise
    except _DAMAGED as error:
        raise _unreadable(path, error) from error


def _chosen(names: list[str], takes: Takes, asked: str | None, path: Path) -> dict[str | None, str]:
    """Choose which array is for which argument of the model."""
    if asked is not None:
        if asked not in names:
            raise OptionError(
                "the file has no such array",
                where=f"--input, for {path}",
                found=f"{asked!r}, while there are {', '.join(names) or 'none'}",
                do="name an array of the file",
            )
        return {None: asked}
    inputs = [name for name in names if not _is_label(name)] if len(names) > 1 else names
    if len(inputs) == 1:
        return {None: inputs[0]}
    needed = [name for name, needs in takes.names.items() if needs]
    if not needed or not set(needed) <= set(names):
        raise DataError(
            "it is not clear which arrays are the model's input",
            where=str(path),
            found=f"arrays {', '.join(names) or '(none)'}; "
            f"the model takes {', '.join(needed) or 'one without a name'}",
            do="say --input NAME, or name the arrays as the model names its arguments",
        )
    taken = [*needed, *(name for name in inputs if name in takes.names and name not in needed)]
    return {None: taken[0]} if len(taken) == 1 else {name: name for name in taken}


def _is_label(name: str) -> bool:
    return name.lower() in LABELS or name.lower().startswith("y_")


def _check_size(path: Path) -> None:
    with ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > LARGEST_NPZ:
        raise FileError(
            "the file is too large to be read at once",
            where=str(path),
            found=f"{size:,} bytes unpacked; the limit is {LARGEST_NPZ:,}",
            do="save the array with numpy.save as a .npy file, which is read as it is needed",
        )


def _unreadable(path: Path, error: Exception) -> FileError:
    message = str(error)
    if "pickle" in message.lower() or "Python objects" in message:
        return FileError(
            "the file holds Python objects, which could run any code, and is not opened",
            where=str(path),
            found="an array of objects, or a pickle",
            do="save arrays of numbers: numpy.save or numpy.savez with floats or integers",
        )
    first = (message.strip().splitlines() or [""])[0][:200]
    return FileError(
        "the file is damaged, or no file of NumPy",
        where=str(path),
        found=f"{type(error).__name__}: {first}",
        do="copy or write it again",
    )
