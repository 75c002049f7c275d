"""A .pt2 file reads like the module it was exported from, and cannot run code."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from network_zoo import ZOO
from torch import nn

from hinge.errors import FileError, UnsupportedError
from hinge.network import read

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _exported("residual", tmp_path_factory.mktemp("pt2"))


def _exported(name: str, folder: Path) -> Path:
    model, x = ZOO[name].make()
    dims = ({0: torch.export.Dim.AUTO},)
    program = torch.export.export(model.eval(), (x,), dynamic_shapes=dims)
    path = folder / "model.pt2"
    torch.export.save(program, path)
    return path


@pytest.mark.parametrize("name", ["cnn", "residual", "many calls", "positive parts"])
def test_reads_like_the_module(name, tmp_path):
    model, x = ZOO[name].make()
    network = read(_exported(name, tmp_path))
    same = read(model, x)
    assert network.sites == same.sites
    assert [(s.name, s.kind, s.shape) for s in network.steps] == [
        (s.name, s.kind, s.shape) for s in same.steps
    ]
    assert torch.equal(network(x), same(x))


def _entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _written(entries: dict[str, bytes], folder: Path) -> Path:
    path = folder / "changed.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def _key(entries: dict[str, bytes], ending: str) -> str:
    return next(name for name in entries if name.endswith(ending))


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_example_inputs_are_never_unpickled(exported, tmp_path):
    mark = tmp_path / "mark"
    entries = _entries(exported)
    entries[_key(entries, "sample_inputs/model.pt")] = pickle.dumps(Bomb(mark))
    assert len(read(_written(entries, tmp_path)).sites) == 2
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["weights", "constants"])
def test_pickled_tensors_are_refused(kind, exported, tmp_path):
    mark = tmp_path / "mark"
    entries = _entries(exported)
    config_name = _key(entries, f"model_{kind}_config.json")
    weights = json.loads(entries[_key(entries, "model_weights_config.json")])["config"]
    payload = {**next(iter(weights.values())), "use_pickle": True}
    if kind == "constants":
        payload["path_name"] = "opaque_obj_0"
    entries[config_name] = json.dumps({"config": {"conv": payload}}).encode()
    record = config_name.replace(f"model_{kind}_config.json", payload["path_name"])
    entries[record] = pickle.dumps(Bomb(mark))
    with pytest.raises(FileError) as caught:
        read(_written(entries, tmp_path))
    assert "pickled" in caught.value.found
    assert not mark.exists()


def _changed(exported: Path, folder: Path, change: Any) -> Path:
    entries = _entries(exported)
    name = _key(entries, "models/model.json")
    model = json.loads(entries[name])
    change(model)
    entries[name] = json.dumps(model).encode()
    return _written(entries, folder)


def _expressions(found: Any) -> list[dict[str, Any]]:
    if isinstance(found, list):
        return [one for part in found for one in _expressions(part)]
    if not isinstance(found, dict):
        return []
    own = [found] if "expr_str" in found else []
    return own + [one for part in found.values() for one in _expressions(part)]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "Symbol('s77').__class__",
        "9**9**9**9",
        "Pow(Integer(9), Integer(99999999))",
        "[x for x in ()]",
        "1" * 50,
    ],
)
def test_sizes_that_are_more_than_sizes_are_refused(text, exported, tmp_path):
    def change(model: Any) -> None:
        for expression in _expressions(model):
            expression["expr_str"] = text

    with pytest.raises(FileError) as caught:
        read(_changed(exported, tmp_path, change))
    assert "a size written as" in caught.value.found


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.from_file.default",
        "torch.ops.evil.op.default",
        "_operator.methodcaller",
        "torch.load",
        "#strange:op",
    ],
)
def test_operations_that_are_not_torchs_are_refused(target, exported, tmp_path):
    def change(model: Any) -> None:
        model["graph_module"]["graph"]["nodes"][0]["target"] = target

    with pytest.raises(FileError) as caught:
        read(_changed(exported, tmp_path, change))
    assert target in caught.value.found


def test_two_entries_of_one_name_are_refused(exported, tmp_path):
    path = tmp_path / "double.pt2"
    path.write_bytes(exported.read_bytes())
    name = _key(_entries(exported), "models/model.json")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(name, b"{}")
    with pytest.raises(FileError, match="does not need"):
        read(path)


def test_tensors_larger_than_their_bytes_are_refused(exported, tmp_path):
    entries = _entries(exported)
    name = _key(entries, "model_weights_config.json")
    config = json.loads(entries[name])
    config["config"]["first.weight"]["tensor_meta"]["sizes"][0]["as_int"] = 2**40
    entries[name] = json.dumps(config).encode()
    with pytest.raises(FileError) as caught:
        read(_written(entries, tmp_path))
    assert "first.weight" in caught.value.found


def test_weights_alone_are_no_model(tmp_path):
    path = tmp_path / "weights.pt2"
    torch.save(nn.Linear(2, 3).state_dict(), path)
    with pytest.raises(FileError):
        read(path)


def test_what_cannot_be_read_is_named_with_its_place(tmp_path):
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)).eval()
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(model, (torch.zeros(2, 4),)), buffer)
    path = tmp_path / "norm.pt2"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UnsupportedError) as caught:
        read(path)
    assert "aten.layer_norm.default in 1" in caught.value.found
