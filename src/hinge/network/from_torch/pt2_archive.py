"""Opens a .pt2 file that nobody vouches for: only what cannot run code reaches torch.

`torch.export.load` unpickles weights, constants and example inputs, and evaluates the
text of symbolic sizes (torch 2.13: `torch/export/pt2_archive/_package.py` and
`torch/_export/serde/serialize.py`). So the archive is read here, checked entry by entry,
and torch is given a new one with nothing else in it.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from hinge.errors import FileError
from hinge.network.from_torch.pt2_graph import Hostile, cleaned_graph

LARGEST_TEXT = 2**28
"""Bytes of JSON beyond which a graph is not parsed."""

LARGEST_ARCHIVE = 8 * 2**30
"""Bytes of all entries together, unpacked."""

_MODEL = "models/model.json"
_SMALL = {
    "archive_format": "pt2",
    "archive_version": "0",
    "byteorder": "little",
    ".data/version": "6\n",
}
_FOLDERS = (
    ("data/weights/", "data/weights/model_weights_config.json"),
    ("data/constants/", "data/constants/model_constants_config.json"),
)


def load_pt2(path: Path) -> ExportedProgram:
    """Load a file of `torch.export.save`. Raises `FileError` if it is damaged or hostile."""
    try:
        entries = _entries(path)
        archive = _archive(_cleaned(entries))
    except Hostile as error:
        raise FileError(
            "the .pt2 file holds something that a model does not need",
            where=str(path),
            found=str(error),
            do="export the model again with torch.export.save, from plain tensors and torch's "
            "own operators",
        ) from error
    except (
        *(zipfile.BadZipFile, zlib.error, OSError, EOFError),
        *(ValueError, KeyError, TypeError, AttributeError, IndexError),
        *(NotImplementedError, RuntimeError, RecursionError, MemoryError),
    ) as error:
        raise _damaged(path, error) from error
    return _loaded(archive, path)


def _entries(path: Path) -> dict[str, bytes]:
    """Return the archive's entries by their names below its one folder."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if sum(info.file_size for info in infos) > LARGEST_ARCHIVE:
            raise Hostile(f"more than {LARGEST_ARCHIVE:,} bytes when unpacked")
        names = [info.filename.partition("/")[2] for info in infos]
        if len(set(names)) != len(names):
            raise Hostile("two entries of one name")
        return {name: archive.read(info) for name, info in zip(names, infos, strict=True) if name}


def _cleaned(entries: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the entries that torch needs, checked."""
    if entries.get("byteorder", b"little").strip() != b"little":
        raise Hostile("weights in another byte order")
    kept = {name: text.encode() for name, text in _SMALL.items()}
    kept[_MODEL] = json.dumps(cleaned_graph(_json(entries, _MODEL))).encode()
    kept["data/sample_inputs/model.pt"] = b""
    for folder, config_name in _FOLDERS:
        config = _json(entries, config_name)["config"]
        for name, payload in config.items():
            record = folder + str(payload["path_name"])
            kept[record] = _checked(name, payload, entries[record])
            _on_cpu(payload["tensor_meta"])
        kept[config_name] = json.dumps({"config": config}).encode()
    return kept


def _json(entries: Mapping[str, bytes], name: str) -> dict[str, Any]:
    if name not in entries:
        raise Hostile(f"no entry {name}; it may come from another version of torch")
    if len(entries[name]) > LARGEST_TEXT:
        raise Hostile(f"an entry {name} of {len(entries[name]):,} bytes")
    found = json.loads(entries[name])
    if not isinstance(found, dict):
        raise Hostile(f"an entry {name} that is no object")
    return found


def _checked(name: str, payload: Mapping[str, Any], record: bytes) -> bytes:
    """Return a tensor's bytes, if they are plain numbers and as many as it says."""
    if payload["use_pickle"] or not payload["path_name"].startswith(("weight_", "tensor_")):
        raise Hostile(f"a pickled object for {name!r}")
    sizes = [int(size["as_int"]) for size in payload["tensor_meta"]["sizes"]]
    if min(sizes, default=0) < 0 or prod(sizes) > max(len(record), 0):
        raise Hostile(f"a tensor {name!r} of {prod(sizes):,} entries in {len(record):,} bytes")
    return record


def _on_cpu(tensor_meta: dict[str, Any]) -> None:
    tensor_meta["device"] = {"type": "cpu", "index": None}


def _archive(entries: Mapping[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(f"model/{name}", content)
    buffer.seek(0)
    return buffer


def _loaded(archive: io.BytesIO, path: Path) -> ExportedProgram:
    logger = logging.getLogger("torch.export")
    before = logger.disabled
    logger.disabled = True  # it prints the failure that becomes an error here
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program: ExportedProgram = torch.export.load(archive).run_decompositions({})
            return program
    except Exception as error:  # torch's deserialiser raises whatever Python raises
        raise _damaged(path, error) from error
    finally:
        logger.disabled = before


def _damaged(path: Path, error: Exception) -> FileError:
    lines = str(error).strip().splitlines()
    return FileError(
        "the file is no .pt2 model, or is damaged",
        where=str(path),
        found=f"{type(error).__name__}: {lines[0][:300] if lines else ''}",
        do="export the model again with torch.export.save and the installed version of torch",
    )
