"""Whatever a file holds, reading it gives a network or one of Hinge's errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from network_zoo import ZOO
from onnx import TensorProto, helper, numpy_helper

from hinge.errors import FileError, HingeError, ModelError
from hinge.network import read

CHANGES = 150


def _onnx_bytes() -> bytes:
    random_numbers = np.random.default_rng(0)
    names = ("kernel", "dense", "bias")
    shapes = ((4, 2, 3, 3), (4 * 36, 5), (5,))
    weights = [
        numpy_helper.from_array(random_numbers.normal(size=shape).astype(np.float32), name)
        for name, shape in zip(names, shapes, strict=True)
    ]
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["a"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Flatten", ["b"], ["c"]),
        helper.make_node("Gemm", ["c", "dense", "bias"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 2, 6, 6))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("n", 5))],
        weights,
    )
    return helper.make_model(
        graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]
    ).SerializeToString()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    model, x = ZOO["positive parts"].make()
    path = tmp_path_factory.mktemp("files") / "model.pt2"
    torch.export.save(torch.export.export(model.eval(), (x,)), path)
    return {".onnx": _onnx_bytes(), ".pt2": path.read_bytes()}


def _outcome(path: Path) -> str:
    """Read; say what came of it. Any exception that is not Hinge's fails the test."""
    try:
        network = read(path)
    except HingeError as error:
        parts = (error.what, error.where, error.found, error.do)
        return type(error).__name__ if all(parts) else "an error without its four parts"
    network(torch.zeros(2, *network.input_shape))
    return "network"


@pytest.mark.parametrize("ending", [".onnx", ".pt2"])
def test_the_sound_files_read(ending, sound, tmp_path):
    path = tmp_path / f"model{ending}"
    path.write_bytes(sound[ending])
    assert _outcome(path) == "network"


@pytest.mark.parametrize("ending", [".onnx", ".pt2"])
def test_truncated_files(ending, sound, tmp_path):
    content, path = sound[ending], tmp_path / f"model{ending}"
    for length in np.linspace(1, len(content) - 1, 40).astype(int):
        path.write_bytes(content[:length])
        assert _outcome(path) != "network"


@pytest.mark.parametrize("ending", [".onnx", ".pt2"])
def test_files_with_flipped_bits(ending, sound, tmp_path):
    content, path = sound[ending], tmp_path / f"model{ending}"
    chance = np.random.default_rng(0)
    outcomes = set()
    for _ in range(CHANGES):
        changed = bytearray(content)
        for _ in range(chance.choice([1, 1, 3])):
            # Structure stands at the ends of an ONNX file, weights in between.
            position = chance.integers(len(content) if chance.random() < 0.5 else 250)
            changed[-position] ^= 1 << int(chance.integers(8))
        path.write_bytes(changed)
        outcomes.add(_outcome(path))
    assert "FileError" in outcomes or "ModelError" in outcomes


def test_structure_of_an_onnx_file_with_flipped_bits(sound, tmp_path):
    """The nodes stand first in the file: flip every one of their bytes."""
    content, path = sound[".onnx"], tmp_path / "model.onnx"
    for position in range(220):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        path.write_bytes(changed)
        assert _outcome(path) != "an error without its four parts"


@pytest.mark.parametrize("ending", [".onnx", ".pt2", ".ONNX"])
@pytest.mark.parametrize("content", [b"\0" * 100, b"PK\x03\x04 and no more", b"{}", b"\x08\x08"])
def test_files_that_are_no_model(ending, content, tmp_path):
    path = tmp_path / f"model{ending}"
    path.write_bytes(content)
    assert _outcome(path) in {"FileError", "ModelError"}


def test_missing_empty_directory_and_unknown_kind(tmp_path):
    empty = tmp_path / "empty.onnx"
    empty.touch()
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "weights.safetensors").write_bytes(b"x")
    for name, message in (
        ("missing.onnx", "cannot be found"),
        ("empty.onnx", "empty"),
        ("folder.onnx", "not a file"),
        ("weights.safetensors", "no kind"),
        ("missing.pt2", "cannot be found"),
    ):
        with pytest.raises(FileError, match=message):
            read(tmp_path / name)


def test_oversized_files_are_not_opened(tmp_path):
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: no bytes are written
    with pytest.raises(FileError, match="too large"):
        read(path)


def _external(location: str, folder: Path) -> Path:
    model = onnx.load_from_string(_onnx_bytes())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_external_weights_beside_the_model(tmp_path):
    weights = np.ones((4, 2, 3, 3), np.float32)
    (tmp_path / "weights.bin").write_bytes(weights.tobytes())
    network = read(_external("weights.bin", tmp_path))
    assert torch.equal(network.steps[0].operator.weight, torch.from_numpy(weights))


def test_external_weights_may_not_leave_the_folder(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.ones((4, 2, 3, 3), np.float32).tobytes())
    (inside / "link.bin").symlink_to(secret)
    for location in ("../secret.bin", str(secret), "link.bin", "a/../../secret.bin"):
        with pytest.raises(FileError, match="outside its folder"):
            read(_external(location, inside))
    with pytest.raises(FileError, match="missing"):
        read(_external("nowhere.bin", inside))


def test_external_weights_that_are_too_short(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"\0" * 8)
    with pytest.raises((FileError, ModelError)):
        read(_external("weights.bin", tmp_path))


def test_weights_that_are_no_numbers_are_read(tmp_path):
    model = onnx.load_from_string(_onnx_bytes())
    bias = np.array([1, np.nan, np.inf, 0, 2], np.float32)
    model.graph.initializer[2].CopyFrom(numpy_helper.from_array(bias, "bias"))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    assert read(path)(np.zeros((1, 2, 6, 6), np.float32)).shape == (1, 5)
