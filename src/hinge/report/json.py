"""Results as strict JSON with a schema and a version, and back.

The document is an object whose first two keys are ``schema`` (``hinge/<name>``) and
``version``. JSON has no NaN and no infinity: they are written as ``{"$float": "nan"}``,
``{"$float": "inf"}`` and ``{"$float": "-inf"}`` and read back as floats. Integers are
written with all their digits, arrays as nested lists.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hinge.errors import FileError, OptionError
from hinge.report.files import StrPath, read_text, write_text

LIMIT = 1 << 29
"""The largest document that is read, in bytes."""

_FLOAT = "$float"
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_ENVELOPE = ("schema", "version")


def dump(value: Any, schema: str, version: int) -> str:
    """Encode a mapping or a dataclass under its schema's name and version.

    Values may be strings, numbers, booleans, None, NumPy scalars and arrays of these, and
    mappings with string keys, sequences and dataclasses of all of them.

    >>> print(dump({"worst": float("nan"), "counts": np.array([1, 2])}, "census", 1), end="")
    {
    "schema": "hinge/census",
    "version": 1,
    "worst": {"$float": "nan"},
    "counts": [1, 2]
    }

    Raises
    ------
    OptionError
        Something in the value has no place in JSON; the error names it and where it lies.
    """
    try:
        payload = _encoded(value, "")
    except RecursionError as error:
        raise _refused("", "values nested too deeply, or in a circle") from error
    if not isinstance(payload, dict):
        raise _refused("", type(value).__name__)
    for key in _ENVELOPE:
        if key in payload:
            raise _refused(key, "a key that belongs to the envelope")
    document = {"schema": f"hinge/{schema}", "version": version, **payload}
    lines = (f"{json.dumps(key)}: {json.dumps(part)}" for key, part in document.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_json(path: StrPath, value: Any, schema: str, version: int) -> Path:
    """Write what `dump` encodes to a file, as a whole or not at all, and return its path."""
    return write_text(path, dump(value, schema, version))


def load(source: str | Path, schema: str, version: int, limit: int = LIMIT) -> dict[str, Any]:
    """Read a document of this schema, at most of this version, and return all its keys.

    ``source`` is JSON text, or a file as `pathlib.Path`. A document of an earlier version is
    returned as it is; its key ``version`` says so.

    Raises
    ------
    FileError
        The file cannot be read or is larger than ``limit`` bytes; the text is malformed,
        truncated, nested too deeply, of another schema, or of a later version.
    """
    where = str(source) if isinstance(source, Path) else "the JSON text"
    text = read_text(source, limit) if isinstance(source, Path) else source
    document = _parsed(text, where)
    _check_envelope(document, schema, version, where)
    return document


def _encoded(value: Any, where: str) -> Any:
    """Translate to what `json.dumps` takes; ``where`` is the path of keys, for errors."""
    if value is None or isinstance(value, str | bool | int):
        return _plain(value)
    if isinstance(value, float | np.floating):
        return _encoded_float(float(value))
    if isinstance(value, np.ndarray):
        return _encoded_array(value, where)
    if isinstance(value, np.generic) and value.dtype.kind in "biu":
        return value.item()
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key, where): _encoded(part, f"{where}.{key}") for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(part, f"{where}[{i}]") for i, part in enumerate(value)]
    raise _refused(where, f"a value of type {type(value).__name__}")


def _plain(value: str | bool | int | None) -> str | bool | int | None:  # noqa: FBT001 - a value, no switch
    """Strip subclasses such as enumerations, whose own spelling `json` would not know."""
    if isinstance(value, str):
        return str.__str__(value)
    return value if value is None or isinstance(value, bool) else int(value)


def _encoded_float(value: float) -> float | dict[str, str]:
    return value if math.isfinite(value) else {_FLOAT: repr(value)}


def _encoded_array(array: np.ndarray[Any, Any], where: str) -> Any:
    if array.dtype.kind in "biu" or (array.dtype.kind == "f" and np.isfinite(array).all()):
        return array.astype(np.float64).tolist() if array.dtype.kind == "f" else array.tolist()
    return _encoded(array.tolist(), where)


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise _refused(where, f"a key of type {type(key).__name__}")
    if key.startswith("$"):
        raise _refused(where, f"the key {key!r}; keys with $ mark special values")
    return str.__str__(key)


def _refused(where: str, found: str) -> OptionError:
    return OptionError(
        "the value cannot be written as JSON",
        where=where.lstrip(".") or "the value itself",
        found=found,
        do="pass mappings with string keys, sequences, numbers, strings and arrays of them",
    )


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        document = json.loads(
            text,
            object_pairs_hook=_decoded_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        at = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise _malformed(where, at) from error
    except RecursionError as error:
        raise _malformed(where, "values nested too deeply") from error
    except ValueError as error:
        raise _malformed(where, str(error)) from error
    if not isinstance(document, dict):
        raise _malformed(where, f"a {type(document).__name__} instead of an object")
    return document


def _decoded_object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | float:
    decoded = dict(pairs)
    if len(decoded) != len(pairs):
        raise ValueError("a key that stands twice in one object")
    if _FLOAT not in decoded:
        return decoded
    name = decoded[_FLOAT]
    if len(decoded) > 1 or not isinstance(name, str) or name not in _SPECIAL:
        raise ValueError(f"a {_FLOAT} that is none of {', '.join(_SPECIAL)}")
    return _SPECIAL[name]


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name}, which is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number too large for a float")
    return value


def _malformed(where: str, found: str) -> FileError:
    return FileError(
        "the file is not a JSON document of Hinge",
        where=where,
        found=found,
        do="write it again with hinge; a download or a copy may have been cut off",
    )


def _check_envelope(document: dict[str, Any], schema: str, version: int, where: str) -> None:
    expected = f"hinge/{schema}"
    if document.get("schema") != expected:
        raise FileError(
            f"the file is not of the kind {expected}",
            where=where,
            found=f"schema {str(document.get('schema'))[:80]!r}",
            do=f"pass a file that Hinge wrote as {expected}",
        )
    found = document.get("version")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise _malformed(where, f"version {str(found)[:80]!r}")
    if found > version:
        raise FileError(
            "the file was written by a later version of Hinge",
            where=where,
            found=f"{expected} version {found}; this Hinge reads up to {version}",
            do="update Hinge, or write the file again with this version",
        )
