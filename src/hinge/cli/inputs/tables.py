"""Tables in .csv and .parquet files: numeric columns become features, one row per example."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from hinge.cli.inputs.arrays import LABELS
from hinge.cli.inputs.rows import Named
from hinge.cli.inputs.takes import Takes
from hinge.errors import DataError, FileError
from hinge.optional import optional

LARGEST_TABLE = 4 * 2**30
"""Bytes beyond which a table is not opened: it is read at once."""

_NUMBER = re.compile(r"\s*\"?[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\"?\s*")
_SEPARATORS = ",;\t"
_NAMED = 8


def csv_rows(path: Path, takes: Takes, name: str | None) -> Named:
    """Read the numeric columns of a .csv file, with or without a line of names.

    Columns are separated by commas, semicolons or tabs. Missing values become NaN.
    """
    del name
    pandas = optional("pandas", "pandas", "reading a .csv file", extra="data")
    _check_size(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline(1 << 20)
        separator = max(_SEPARATORS, key=first.count)
        unnamed = all(_NUMBER.fullmatch(cell) for cell in first.split(separator))
        table = pandas.read_csv(
            path, sep=separator, header=None if unnamed else 0, encoding="utf-8-sig"
        )
    except (OSError, MemoryError, ValueError) as error:
        raise _unreadable(path, error) from error
    return {None: _features(table, takes, path)}


def parquet_rows(path: Path, takes: Takes, name: str | None) -> Named:
    """Read the numeric columns of a .parquet file. Missing values become NaN."""
    del name
    pandas = optional("pandas", "pandas", "reading a .parquet file", extra="data")
    arrow = optional("pyarrow", "pyarrow", "reading a .parquet file", extra="data")
    _check_size(path)
    try:
        table = pandas.read_parquet(path, engine="pyarrow")
    except (OSError, MemoryError, ValueError, arrow.ArrowException) as error:
        raise _unreadable(path, error) from error
    return {None: _features(table, takes, path)}


def _features(table: Any, takes: Takes, path: Path) -> np.ndarray[Any, Any]:
    """Return the columns that are inputs, shape ``(rows, columns)``, float64."""
    names = list(table.columns)
    if not len(table):
        raise DataError(
            "the data is empty",
            where=str(path),
            found=f"{len(names)} columns, no row below them",
            do="pass at least one example",
        )
    if takes.shape is None or len(names) != prod(takes.shape):
        names = [name for name in names if not _is_label(name, names)] or names
    table = table[names]
    numeric = set(table.select_dtypes(["number", "bool"]).columns)
    words = [repr(str(name)) for name in names if name not in numeric]
    if words:
        raise DataError(
            "some columns are not numbers",
            where=str(path),
            found=f"{', '.join(words[:_NAMED])}{', …' if len(words) > _NAMED else ''}",
            do="drop these columns, or encode them as numbers as it was done for training",
        )
    return np.asarray(table.to_numpy(dtype=np.float64, na_value=np.nan))


def _is_label(name: object, names: list[object]) -> bool:
    """Whether a column holds what the model is to predict; beside x, y is a coordinate."""
    small = str(name).lower()
    return small in LABELS and not (small == "y" and "x" in {str(n).lower() for n in names})


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if size > LARGEST_TABLE:
        raise FileError(
            "the table is too large to be read at once",
            where=str(path),
            found=f"{size:,} bytes; the limit is {LARGEST_TABLE:,}",
            do="save its numbers with numpy.save as a .npy file, which is read as it is needed",
        )


def _unreadable(path: Path, error: Exception) -> FileError:
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return FileError(
        "the table cannot be read",
        where=str(path),
        found=f"{type(error).__name__}: {first}",
        do="check that it is a table of this kind, in UTF-8 if it is text",
    )
