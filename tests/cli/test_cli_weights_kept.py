"""What `hinge revive` and `hinge swap` take over from the file that they read: words and ties."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cli_cases import BIAS, OUT, WEIGHT
from safetensors import safe_open
from safetensors.torch import load_file, save_file, save_model
from torch import nn

TIED = """
from torch import nn

def network():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))
    model[2].weight = model[0].weight
    return model
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("revive", "model.py:network", "--data", "data.npz"),
        ("swap", "model.py:network", "relu", "elu"),
    ],
)
def test_the_words_in_the_file_are_kept(work, run, arguments):
    weights = {"0.weight": WEIGHT, "0.bias": BIAS, "2.weight": OUT}
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    save_file(tensors, work / "net.safetensors", {"epoch": "7"})
    result = run(*arguments, "--weights", "net.safetensors", "--out", "out.safetensors")
    assert result.exit_code == 0, result.stderr
    with safe_open(work / "out.safetensors", "pt") as file:
        assert file.metadata() == {"epoch": "7", "format": "pt"}


def test_shared_weights_may_stand_once_in_the_file(work, run):
    (work / "tied.py").write_text(TIED)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))
    model[2].weight = model[0].weight
    save_model(model, str(work / "tied.safetensors"))
    files = ("--weights", "tied.safetensors", "--out", "out.safetensors")
    result = run("swap", "tied.py:network", "relu", "elu", *files)
    assert result.exit_code == 0, result.stderr
    written = load_file(work / "out.safetensors")
    expected = model.state_dict()
    assert written.keys() == expected.keys()
    assert all(torch.equal(written[name], value) for name, value in expected.items())


def test_a_number_of_channels_can_be_set(work, run):
    one = ("--set", "num_parameters=4", "--set", "init=0.5")
    result = run("swap", "model.py:network", "relu", "prelu", *one, "--out", "out.safetensors")
    assert result.exit_code == 0, result.stderr
    slopes = load_file(work / "out.safetensors")["1.weight"].numpy()
    assert np.array_equal(slopes, np.full(4, 0.5, np.float32))
