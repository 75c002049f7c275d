"""`hinge swap`: an activation is replaced, and the file fits the factory that is then needed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from cli_cases import OUT, assert_mistake
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file
from torch import nn

MODEL = ("--weights", "net.safetensors", "--out", "out.safetensors")


def test_a_slope_in_place_of_zero(work, run):
    slope = ("relu", "leaky_relu", "--set", "negative_slope=0.01")
    result = run("swap", "model.py:network", *slope, *MODEL, "--data", "data.npz")
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stdout.split())
    assert "1: ReLU() became LeakyReLU(negative_slope=0.01)" in said
    assert "model.py:network must make this model" in said
    before, after = load_file(work / "net.safetensors"), load_file(work / "out.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert "Wrote out.safetensors" in result.stderr


def test_how_far_the_outputs_move(work, run, examples):
    """Below zero each pre-activation z now gives a hundredth of z: counted by hand."""
    slope = ("relu", "leaky_relu", "--set", "negative_slope=0.01", "--json", "r.json")
    result = run("swap", "model.py:network", *slope, *MODEL, "--data", "data.npz")
    assert result.exit_code == 0, result.stderr
    weights = load_arrays(work / "net.safetensors")
    z = (examples @ weights["0.weight"].T + weights["0.bias"]).astype(np.float64)
    moved = np.abs(0.01 * np.minimum(z, 0) @ OUT.T.astype(np.float64)).max()
    receipt = json.loads((work / "r.json").read_text())
    assert receipt["moved"] == pytest.approx(moved, rel=1e-4)
    assert receipt["preserves"] == "no"


def test_new_parameters_are_in_the_file(work, run, examples):
    """The model that the receipt speaks of takes the weights, and computes the same."""
    exact = ("relu", "prelu", "--preserve", "--data", "data.npz", "--json", "r.json")
    result = run("swap", "model.py:network", *exact, *MODEL)
    assert result.exit_code == 0, result.stderr
    new = nn.Sequential(nn.Linear(3, 4), nn.PReLU(4), nn.Linear(4, 2, bias=False))
    new.load_state_dict(load_file(work / "out.safetensors"))
    old = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=False))
    old.load_state_dict(load_file(work / "net.safetensors"))
    x = torch.from_numpy(examples)
    assert torch.equal(new(x), old(x))
    receipt = json.loads((work / "r.json").read_text())
    assert receipt["preserves"] == "everywhere"
    assert any("1 = PReLU(num_parameters=4)" in note for note in receipt["notes"])


def test_only_where_it_is_asked_for(work, run):
    elsewhere = ("relu", "gelu", "--where", "2")
    assert_mistake(run("swap", "model.py:network", *elsewhere, *MODEL), "no ReLU to replace")
    assert not (work / "out.safetensors").exists()


def test_shared_weights_are_written_under_each_name(work, run):
    (work / "tied.py").write_text(
        "from torch import nn\n\n"
        "def network():\n"
        "    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))\n"
        "    model[2].weight = model[0].weight\n"
        "    return model\n"
    )
    result = run("swap", "tied.py:network", "relu", "gelu", "--out", "out.safetensors")
    assert result.exit_code == 0, result.stderr
    written = load_file(work / "out.safetensors")
    assert torch.equal(written["0.weight"], written["2.weight"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("net.onnx", "relu", "gelu"), ("only a model that code makes", "export it again")),
        (("model.py:network", "rleu", "gelu"), ("rleu",)),
        (("model.py:network", "relu", "crelu"), ("crelu",)),
        (("model.py:network", "relu", "leaky_relu", "--set", "slope=1"), ("slope",)),
        (("model.py:network", "relu", "leaky_relu", "--set", "x"), ("--set", "'x'")),
        (("model.py:network", "relu", "leaky_relu", "--set", "a=b"), ("--set", "'a=b'")),
        (("model.py:network", "gelu", "relu"), ("no GELU to replace",)),
        (("model.py:network", "relu", "gelu", "--preserve"), ("preserve",)),
    ],
)
def test_mistakes_write_nothing(work, run, arguments, words):
    there = {path.name for path in work.iterdir()} | {"__pycache__"}
    weights = () if arguments[0] == "net.onnx" else MODEL[:2]
    assert_mistake(run("swap", *arguments, *weights, *MODEL[2:]), *words)
    assert {path.name for path in work.iterdir()} <= there


def test_help_has_examples(run):
    result = run("swap", "--help")
    assert result.exit_code == 0
    assert "Examples" in result.stdout
    assert "--preserve" in result.stdout
