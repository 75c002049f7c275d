"""The verb: a torch module, a .pt2 or a .onnx file becomes a network."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from torch import nn

from hinge.errors import FileError, OptionError
from hinge.network.from_onnx.graph import network_from_onnx
from hinge.network.from_torch.module import network_from_module
from hinge.network.from_torch.pt2 import network_from_pt2
from hinge.network.network import Network

LARGEST_FILE = 8 * 2**30
"""Bytes beyond which a file is not opened."""


def read(model: nn.Module | str | PathLike[str], example: Any = None) -> Network:
    """Read a model as steps.

    Parameters
    ----------
    model:
        A `torch.nn.Module`, or the path of a ``.pt2`` or ``.onnx`` file.
    example:
        A batch on which a module can be called: a tensor ``(N, ...)``, or a tuple of one.
        Files need none, unless an ONNX file leaves sizes other than the batch open.

    Returns
    -------
    A `Network` that computes what the model computes in evaluation mode. A module is
    left as it was, and the network keeps its own copy of the weights.

    Raises
    ------
    `UnsupportedError` names every operation that cannot be read and its place;
    `FileError` and `ModelError` say what is wrong with a file or a model; `DataError`
    if the example is no batch.

    >>> import torch
    >>> from torch import nn
    >>> network = read(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), torch.zeros(1, 3))
    >>> print(network)
    Network read from Sequential: 3 to 4 in 2 steps; 1 site, 4 units
      step  kind      what          shape  reads
      0     affine    dense 3 -> 4  4
      1     activate  relu          4
    """
    if isinstance(model, nn.Module):
        return network_from_module(model, example)
    if not isinstance(model, (str, PathLike)):
        raise OptionError(
            "there is nothing to read",
            where="the argument model",
            found=type(model).__name__,
            do="pass a torch.nn.Module, or the path of a .pt2 or .onnx file",
        )
    path = Path(model)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError(
            "the file is of no kind that can be read",
            where=str(path),
            found=f"the ending {path.suffix!r}",
            do="pass a .pt2 file (torch.export.save) or a .onnx file; weights alone are no model",
        )
    return reader(_existing(path), example)


def _existing(path: Path) -> Path:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FileError(
            "the file cannot be found",
            where=str(path),
            found=error.strerror or str(error),
            do="check the path",
        ) from error
    complaints = (
        (not path.is_file(), "it is not a file", "a directory, say"),
        (size == 0, "the file is empty", "0 bytes"),
        (size > LARGEST_FILE, "the file is too large", f"{size:,} bytes"),
    )
    for wrong, what, found in complaints:
        if wrong:
            raise FileError(
                what, where=str(path), found=found, do=f"pass a file of 1 to {LARGEST_FILE:,} bytes"
            )
    return path


def _pt2(path: Path, example: Any) -> Network:  # noqa: ARG001 # one signature for all files
    return network_from_pt2(path)


def _onnx(path: Path, example: Any) -> Network:
    return network_from_onnx(path, None if example is None else tuple(example.shape))


_READERS = {".pt2": _pt2, ".onnx": _onnx}
