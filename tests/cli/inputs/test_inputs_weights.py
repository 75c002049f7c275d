"""Weights: the usual ways to save them all load; nothing in a file is run."""

from __future__ import annotations

from zipfile import ZipFile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hinge.cli.inputs.weights import load_weights
from hinge.errors import ModelError


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU())


@pytest.fixture
def saved() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return network().state_dict()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model_state_dict": state, "optimizer": {"lr": 0.1}},
        lambda state: {"model": state},
        lambda state: {f"module.{name}": value for name, value in state.items()},
        lambda state: {f"_orig_mod.module.{name}": value for name, value in state.items()},
        lambda state: {"state_dict": {f"model.{name}": value for name, value in state.items()}},
    ],
    ids=["plain", "nested", "checkpoint", "model", "parallel", "compiled", "lightning"],
)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_the_usual_ways_to_save(tmp_path, saved, wrap, legacy):
    torch.save(wrap(saved), tmp_path / "w.pt", _use_new_zipfile_serialization=not legacy)
    model = network()
    load_weights(model, tmp_path / "w.pt")
    for name, value in model.state_dict().items():
        assert torch.equal(value, saved[name]), name


def test_safetensors(tmp_path, saved):
    save_file(saved, tmp_path / "w.safetensors")
    model = network()
    load_weights(model, tmp_path / "w.safetensors")
    assert torch.equal(model[0].weight, saved["0.weight"])


def test_what_differs_is_named_and_the_model_is_left_alone(tmp_path, saved):
    del saved["0.bias"]
    saved["1.weight"] = torch.zeros(7)
    saved["extra"] = torch.zeros(1)
    torch.save(saved, tmp_path / "w.pt")
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ModelError) as refused:
        load_weights(model, tmp_path / "w.pt")
    assert refused.value.found == (
        "1.weight has shape (7,), not (4,); missing: 0.bias; not in the model: extra"
    )
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_long_list_is_cut(tmp_path):
    torch.save({}, tmp_path / "w.pt")
    many = nn.Sequential(*(nn.Linear(1, 1) for _ in range(10)))
    with pytest.raises(ModelError, match="and 15 more"):
        load_weights(many, tmp_path / "w.pt")


def test_weights_from_a_device_that_is_not_here(tmp_path, saved):
    """As saved on a second graphics card: the name of the device stands in the file."""
    torch.save(saved, tmp_path / "here.pt")
    with ZipFile(tmp_path / "here.pt") as here, ZipFile(tmp_path / "there.pt", "w") as there:
        for name in here.namelist():
            content = here.read(name)
            changed = content.replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:1")
            assert (changed != content) == name.endswith("data.pkl")
            there.writestr(name, changed)
    model = network()
    load_weights(model, tmp_path / "there.pt")
    assert torch.equal(model[0].weight, saved["0.weight"])
