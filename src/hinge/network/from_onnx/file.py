"""Opens an ONNX file that nobody vouches for: size, format, external data."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto, checker, external_data_helper, inliner

from hinge.errors import FileError, ModelError

OLDEST_OPSET = 7
"""Before it, arithmetic broadcast in another way."""


def load_onnx(path: Path) -> ModelProto:
    """Load and check a file. Raises `FileError` or `ModelError` if it is no sound model."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = onnx.load_model(path, format="protobuf", load_external_data=False)
            _load_external(model, path)
            checker.check_model(model)
    except FileError:
        raise
    except (DecodeError, OSError, MemoryError) as error:
        raise FileError(
            "the file is no ONNX model, or is damaged",
            where=str(path),
            found=_first_line(error),
            do="export the model again",
        ) from error
    except (checker.ValidationError, ValueError, RuntimeError, TypeError, IndexError) as error:
        raise ModelError(
            "the ONNX model is not valid",
            where=str(path),
            found=_first_line(error),
            do="export the model again; onnx.checker.check_model says the same",
        ) from error
    return inliner.inline_local_functions(model) if model.functions else model


def opset_of(model: ModelProto, path: Path) -> int:
    """Return the version of the standard operators."""
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    version = max(versions, default=0)
    if version < OLDEST_OPSET:
        raise ModelError(
            "the ONNX model is too old to be read",
            where=str(path),
            found=f"opset {version}",
            do=f"convert it: onnx.version_converter.convert_version(model, {OLDEST_OPSET + 6})",
        )
    return version


def _load_external(model: ModelProto, path: Path) -> None:
    tensors = [tensor for tensor in _tensors(model) if tensor.data_location == TensorProto.EXTERNAL]
    folder = path.parent.resolve()
    for tensor in tensors:
        location = next((e.value for e in tensor.external_data if e.key == "location"), "")
        target = (folder / location).resolve()
        if not target.is_relative_to(folder) or not target.is_file():
            inside = target.is_relative_to(folder)
            raise FileError(
                "the file with the model's weights is missing"
                if inside
                else "the model wants to read a file outside its folder",
                where=str(path),
                found=f"the location {location!r} of the tensor {tensor.name!r}",
                do="put the weights beside the model, or save the model as one file",
            )
    if tensors:
        external_data_helper.load_external_data_for_model(model, str(folder))


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300] if lines else ''}"
