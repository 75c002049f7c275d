"""Every mistake that a user can make with a file is one paragraph of four parts and exit code 2."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from cli_cases import Run, assert_mistake, onnx_net
from onnx import TensorProto
from safetensors.numpy import save_file

FACTORY = "model.py:network"


def examine(run: Run, model: str = "net.onnx", data: str = "data.npz", *more: str):
    return run("examine", model, "--data", data, *more)


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("evil-ran"),))


# Models


def test_missing_model(work, run):
    assert_mistake(examine(run, "nowhere.onnx"), "nowhere.onnx", "check the path")


@pytest.mark.parametrize("name", ["x" * 5000, "loop"], ids=["long", "loop"])
def test_paths_that_no_system_knows(work, run, name):
    (work / "loop").symlink_to("loop")
    assert_mistake(examine(run, name))
    assert_mistake(examine(run, "net.onnx", name))
    assert_mistake(examine(run, FACTORY, "data.npz", "--weights", f"{name}.pt"))
    assert_mistake(examine(run, "net.onnx", "data.npz", "--baseline", name))
    assert_mistake(examine(run, "net.onnx", "data.npz", "--html", name))


def test_folder_as_model(work, run):
    (work / "folder.onnx").mkdir()
    assert_mistake(examine(run, "folder.onnx"), "folder.onnx")


def test_empty_model(work, run):
    (work / "empty.onnx").touch()
    assert_mistake(examine(run, "empty.onnx"), "empty", "0 bytes")


def test_unknown_kind_of_model(work, run):
    (work / "net.h5").write_bytes(b"x")
    assert_mistake(examine(run, "net.h5"), ".h5")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_truncated_onnx(work, run, kept):
    whole = (work / "net.onnx").read_bytes()
    (work / "cut.onnx").write_bytes(whole[: int(len(whole) * kept)])
    assert_mistake(examine(run, "cut.onnx"), "cut.onnx")


def test_bit_flipped_onnx(work, run):
    """Each flip is refused or read as the other network that it then is; none is a crash."""
    whole = (work / "net.onnx").read_bytes()
    codes = set()
    for place in range(0, len(whole), 11):
        for bit in (0, 3, 6):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            (work / "flipped.onnx").write_bytes(flipped)
            result = examine(run, "flipped.onnx")
            codes.add(result.exit_code)
            if result.exit_code:
                assert_mistake(result)
    assert codes == {0, 2}


def test_operator_that_is_not_supported(work, run):
    onnx.save(onnx_net("Sin"), work / "sin.onnx")
    assert_mistake(examine(run, "sin.onnx"), "Sin", "sin.onnx")


def test_external_data_outside_the_folder(work, run):
    inner = work / "inner"
    inner.mkdir()
    (work / "secret.bin").write_bytes(bytes(1000))
    model = onnx_net()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret.bin")
    (inner / "net.onnx").write_bytes(model.SerializeToString())
    assert_mistake(examine(run, "inner/net.onnx"), "outside", "../secret.bin")


# Weights


def with_weights(run: Run, name: str):
    return examine(run, FACTORY, "data.npz", "--weights", name)


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.bin"])
def test_pickle_in_place_of_weights(work, run, name):
    (work / name).write_bytes(pickle.dumps(Evil()))
    assert_mistake(with_weights(run, name), "pickled", "safetensors")
    assert not (work / "evil-ran").exists()


def test_whole_module_saved_by_torch(work, run):
    torch.save({"evil": Evil(), "0.weight": torch.zeros(4, 3)}, work / "w.pt")
    assert_mistake(with_weights(run, "w.pt"), "pickled", "safetensors")
    assert not (work / "evil-ran").exists()


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_damaged_weights(work, run, name):
    (work / name).write_bytes(b"PK\x03\x04 not what it says")
    assert_mistake(with_weights(run, name), name)


def test_weights_of_another_model(work, run):
    save_file(
        {"0.weight": np.zeros((5, 3), np.float32), "9.bias": np.zeros(2, np.float32)},
        work / "other.safetensors",
    )
    result = with_weights(run, "other.safetensors")
    assert_mistake(result, "0.weight has shape (5, 3), not (4, 3)", "0.bias", "2.weight", "9.bias")


def test_missing_weights(work, run):
    assert_mistake(with_weights(run, "nowhere.pt"), "nowhere.pt")


def test_weights_of_an_unknown_kind(work, run):
    (work / "w.h5").write_bytes(b"x")
    assert_mistake(with_weights(run, "w.h5"), ".h5")


def test_weights_beside_a_file_that_has_its_own(work, run):
    result = examine(run, "net.onnx", "data.npz", "--weights", "net.safetensors")
    assert_mistake(result, "--weights")


def test_weights_in_place_of_a_model(work, run):
    assert_mistake(examine(run, "net.safetensors"), "--weights net.safetensors")


# Code


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "def network():\n    return 1 / 0\n",
            ["code.py, line 2, in network", "ZeroDivisionError"],
        ),
        ("def inner():\n    1 / 0\ndef network():\n    inner()\n", ["code.py, line 2, in inner"]),
        ("def network(:\n", ["code.py, line 1", "SyntaxError"]),
        ("import nowhere_at_all\n", ["code.py, line 1", "nowhere_at_all"]),
        ("raise SystemExit('usage')\n", ["code.py, line 1", "SystemExit"]),
        ("def network(size):\n    pass\n", ["TypeError", "size"]),
        ("def network():\n    return None\n", ["NoneType"]),
        ("network = 3\n", ["int"]),
        ("def netwrok():\n    pass\n", ["did you mean netwrok", "'network'"]),
        ("import json\ndef network():\n    return json.loads('{')\n", ["code.py, line 3"]),
    ],
)
def test_factory_that_gives_no_module(work, run, code, words):
    (work / "code.py").write_text(code)
    assert_mistake(examine(run, "code.py:network"), *words)


def test_missing_file_of_a_factory(work, run):
    assert_mistake(examine(run, "nowhere.py:network"), "nowhere.py")


def test_missing_module_of_a_factory(work, run):
    assert_mistake(examine(run, "nowhere_at_all.nets:network"), "nowhere_at_all")


def test_python_file_without_a_name(work, run):
    assert_mistake(examine(run, "model.py"), "model.py:network")


# Data


def test_missing_data(work, run):
    assert_mistake(examine(run, data="nowhere.npz"), "nowhere.npz")


def test_unknown_kind_of_data(work, run):
    (work / "data.pkl").write_bytes(pickle.dumps(Evil()))
    assert_mistake(examine(run, data="data.pkl"), ".pkl", "nothing is ever unpickled")
    assert not (work / "evil-ran").exists()


@pytest.mark.parametrize("name", ["empty.npz", "empty.npy", "empty.csv", "empty.parquet"])
def test_empty_file(work, run, name):
    (work / name).touch()
    assert_mistake(examine(run, data=name), "0 bytes")


@pytest.mark.parametrize("name", ["bad.npz", "bad.npy", "bad.parquet", "bad.csv"])
def test_damaged_file(work, run, name):
    (work / name).write_bytes(b"\x93NUMPY\x01\x00\xff\xff\x00,")
    assert_mistake(examine(run, data=name), name)


def test_truncated_arrays(work, run, examples):
    np.save(work / "whole.npy", examples)
    for name in ("whole.npy", "data.npz"):
        whole = (work / name).read_bytes()
        (work / f"cut-{name}").write_bytes(whole[: len(whole) // 2])
        assert_mistake(examine(run, data=f"cut-{name}"), name)


def test_array_that_claims_to_be_huge(work, run):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**13, 3)}
    )
    (work / "huge.npy").write_bytes(header.getvalue() + bytes(100))
    assert_mistake(examine(run, data="huge.npy"), "huge.npy")


@pytest.mark.parametrize("save", [np.save, np.savez], ids=["npy", "npz"])
def test_object_arrays(work, run, save):
    path = work / f"objects.{'npy' if save is np.save else 'npz'}"
    save(path, np.array([Evil(), 1], object))
    assert_mistake(examine(run, data=path.name), "Python objects")
    assert not (work / "evil-ran").exists()


def test_wrong_shape_for_a_file(work, run):
    np.save(work / "wide.npy", np.zeros((10, 7), np.float32))
    assert_mistake(examine(run, data="wide.npy"), "(7,)", "(3,)")


def test_wrong_shape_for_a_module(work, run):
    np.save(work / "wide.npy", np.zeros((10, 7), np.float32))
    assert_mistake(examine(run, FACTORY, "wide.npy"), "(10, 7)")


@pytest.mark.parametrize("model", ["net.onnx", FACTORY])
def test_no_examples(work, run, model):
    np.save(work / "none.npy", np.zeros((0, 3), np.float32))
    assert_mistake(examine(run, model, "none.npy"), "empty", "(0, 3)")


def test_words_in_place_of_numbers(work, run):
    np.save(work / "words.npy", np.array(["a", "b"]))
    assert_mistake(examine(run, data="words.npy"), "not numeric", "words.npy")


def test_arrays_that_could_all_be_meant(work, run, examples):
    np.savez(work / "many.npz", a=examples, b=examples)
    assert_mistake(examine(run, FACTORY, "many.npz"), "a, b", "--input")


def test_array_that_is_not_there(work, run):
    assert_mistake(examine(run, "net.onnx", "data.npz", "--input", "z"), "'z'", "x, y")


def test_text_columns(work, run):
    (work / "table.csv").write_text("a,b,colour\n1,2,red\n3,4,blue\n")
    assert_mistake(examine(run, data="table.csv"), "colour", "encode")


def test_empty_folder_of_images(work, run):
    (work / "images").mkdir()
    assert_mistake(examine(run, data="images"), "no image")


# Loaders


@pytest.mark.parametrize(
    "code",
    [
        "loader = ['a', 'b']",
        "loader = [None]",
        "loader = [[[1, 2], [3]]]",
        "import numpy\nloader = [numpy.array([object()])]",
        "loader = 'abc'",
        "loader = 3",
        "loader = []",
        "def loader():\n    return None",
        "def loader():\n    yield {}",
    ],
)
def test_loader_of_garbage(work, run, code):
    (work / "garbage.py").write_text(code + "\n")
    assert_mistake(examine(run, FACTORY, "garbage.py:loader"))


def test_loader_that_fails_at_once(work, run):
    (work / "bad.py").write_text("def loader():\n    raise OSError('no disk')\n")
    result = examine(run, FACTORY, "bad.py:loader")
    assert_mistake(result, "bad.py, line 2, in loader", "OSError: no disk")


# Options


@pytest.mark.parametrize("limit", ["dead", "dead=", "dead=200%", "dying=5%", "", "=", "dead=x"])
def test_limits_that_mean_nothing(work, run, limit):
    result = examine(run, "net.onnx", "data.npz", "--fail-on", limit)
    assert_mistake(result, "--fail-on", repr(limit))


def test_share_that_means_nothing(work, run):
    assert_mistake(examine(run, "net.onnx", "data.npz", "--rare", "often"), "--rare", "often")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"schema": "hinge/census", "version": 1}',
        '{"schema": "hinge/examination", "version": 1}',
        '{"schema": "hinge/examination", "version": 99}',
        '{"schema": "hinge/examination", "version": 1, "rare": 1, "findings": [1], "checks": []}',
    ],
)
def test_baseline_that_is_none(work, run, content):
    (work / "before.json").write_text(content)
    assert_mistake(examine(run, "net.onnx", "data.npz", "--baseline", "before.json"))


def test_baseline_with_parts_of_the_wrong_kind(work, run):
    """Whatever part of a baseline is replaced by something else, it is refused or harmless."""
    assert examine(run, "net.onnx", "data.npz", "--json", "good.json").exit_code == 0
    good = json.loads((work / "good.json").read_text())
    for path in paths(good):
        for other in (None, "x", []):
            (work / "bad.json").write_text(json.dumps(replaced(good, path, other)))
            result = examine(run, "net.onnx", "data.npz", "--baseline", "bad.json")
            assert result.exit_code in (0, 1, 2), (path, other)
            if result.exit_code == 2:
                assert_mistake(result)


def paths(value: object, ahead: tuple = ()) -> list[tuple]:
    """The places in a JSON value, of lists only the first entry."""
    if isinstance(value, dict):
        return [p for key in value for p in [(*ahead, key), *paths(value[key], (*ahead, key))]]
    if isinstance(value, list) and value:
        return [(*ahead, 0), *paths(value[0], (*ahead, 0))]
    return []


def replaced(value, path: tuple, other: object):
    copy = value.copy()
    head, *rest = path
    copy[head] = replaced(value[head], tuple(rest), other) if rest else other
    return copy
