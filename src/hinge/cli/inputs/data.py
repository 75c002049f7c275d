"""DATA on the command line: a file, a folder of images, or the user's own loader."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from hinge.cli.inputs.arrays import npy_rows, npz_rows
from hinge.cli.inputs.images import ImageFolder
from hinge.cli.inputs.loaders import loader_batches
from hinge.cli.inputs.rows import Cut, Data, Named, batched
from hinge.cli.inputs.sources import Reference, refuse_bare_file
from hinge.cli.inputs.tables import csv_rows, parquet_rows
from hinge.cli.inputs.takes import Takes
from hinge.cli.paths import existing_file, mode_of
from hinge.errors import FileError, OptionError

__all__ = ["Cut", "Data", "open_data"]

_Reader = Callable[[Path, Takes, str | None], Named]
_READERS: dict[str, _Reader] = {
    ".npz": npz_rows,
    ".npy": npy_rows,
    ".csv": csv_rows,
    ".parquet": parquet_rows,
}


def open_data(text: str, takes: Takes, cut: Cut, name: str | None = None) -> Data:
    """Return the batches that the command line names, ready for the model.

    ``name`` is the array of an ``.npz`` file that is the model's input.

    Raises
    ------
    HingeError
        There is no such data, it cannot be read, or it does not fit the model.
    """
    reference = Reference.parse(text)
    path = Path(text)
    if name is not None and path.suffix.lower() != ".npz":
        raise OptionError(
            "only .npz files hold arrays by name",
            where="--input",
            found=f"{name!r} beside {text}",
            do="leave out --input",
        )
    if reference is not None:
        return loader_batches(reference, cut)
    refuse_bare_file(text, "loader")
    if stat.S_ISDIR(mode_of(path) or 0):
        return batched({None: ImageFolder.open(path)}, takes, cut, text)
    reader = _READERS.get(existing_file(path).suffix.lower())
    if reader is None:
        raise FileError(
            "the file is of no kind of data that can be read",
            where=text,
            found=f"the ending {path.suffix!r}",
            do=f"pass {', '.join(_READERS)}, a folder of images, or a loader as file.py:loader; "
            "nothing is ever unpickled",
        )
    return batched(reader(path, takes, name), takes, cut, text)
