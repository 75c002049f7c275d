"""The demo trains, kills units, finds them, and its next command works as it is printed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_cases import Run, assert_mistake
from safetensors.torch import load_file
from typer.testing import Result

from hinge import Examination
from hinge.cli.digits import Digits, accuracy, network

FILES = {"report.html", "report.json", "model.py", "model.safetensors", "digits.npz"}


@pytest.fixture(scope="module")
def shown(tmp_path_factory, request) -> tuple[Path, Result]:
    """The demo, run once for all tests of this file."""
    folder = tmp_path_factory.mktemp("demo")
    run: Run = request.getfixturevalue("run")
    return folder / "my demo", run("demo", "--out", folder / "my demo")


def test_it_writes_its_files_and_no_others(shown):
    folder, result = shown
    assert result.exit_code == 0, result.stderr
    assert {path.name for path in folder.iterdir()} == FILES


def test_units_die_while_the_network_learns(shown):
    """A count by hand of what the saved network does on the saved digits."""
    folder, _ = shown
    model = network()
    model.load_state_dict(load_file(folder / "model.safetensors"))
    digits = Digits.load()
    with np.load(folder / "digits.npz") as saved:
        assert np.array_equal(saved["x"], digits.pixels)
        assert np.array_equal(saved["y"], digits.labels)
    assert accuracy(model, digits.held_out) > 0.8
    with torch.no_grad():
        dead = int((model[:2](digits.pixels) == 0).all(0).sum())
    assert 0.2 * 128 <= dead <= 0.6 * 128
    census = Examination.from_json(folder / "report.json").census
    assert (census["first_relu"].verdicts() == "dead").sum() == dead


def test_it_says_what_was_found_and_where_to_look(shown):
    folder, result = shown
    assert "units at site first_relu are dead" in result.stdout
    assert str(folder / "report.html") in result.stdout
    assert "epoch 20 of 20" in result.stderr


def test_the_printed_command_works(shown, folder, run):
    _, result = shown
    command = result.stdout.rpartition("\n\n")[2].replace("\\\n", "")
    program, *arguments = shlex.split(command)
    assert Path(program).name == "hinge"
    again = run(*arguments)
    assert again.exit_code == 1, again.stderr
    assert "at most 5 % of all units dead" in again.stderr
    assert again.stdout.split("Sites")[1].split("Findings")[0] in result.stdout


def test_random_states_stay_as_they_are(folder, run):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    assert run("demo").exit_code == 0
    assert torch.equal(torch.rand(1), expected)
    assert (folder / "hinge-demo" / "report.html").exists()


def test_without_scikit_learn(folder, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert_mistake(run("demo"), "scikit-learn", "hinge[demo]")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_folder_that_cannot_be_made(folder, run, out):
    (folder / "file").write_text("old")
    assert_mistake(run("demo", "--out", out), "--out")
    assert (folder / "file").read_text() == "old"
