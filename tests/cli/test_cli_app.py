"""The program itself: version, help, examples that can be pasted, a quick start."""

from __future__ import annotations

import shlex
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import hinge
from hinge.cli import app, demo, examine
from hinge.cli.app import app as typer_app

QUICK = """
import sys
from typer.testing import CliRunner
from hinge.cli import app
for arguments in (["--version"], ["--help"], ["examine", "--help"], ["demo", "--help"]):
    assert CliRunner().invoke(app, arguments).exit_code == 0
heavy = {"torch", "numpy", "scipy", "onnx", "jinja2", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""


def test_version(run):
    assert run("--version").stdout == f"hinge {hinge.__version__}\n"


def test_version_and_help_load_nothing_heavy():
    subprocess.run([sys.executable, "-c", QUICK], check=True)


def test_python_dash_m(start):
    process = start("--version")
    assert process.communicate(timeout=60) == (f"hinge {hinge.__version__}\n", "")
    assert process.returncode == 0


def test_no_arguments_show_the_help(run):
    result = run()
    assert "examine" in result.stdout
    assert "demo" in result.stdout


@pytest.mark.parametrize("command", typer_app.registered_commands, ids=lambda c: c.name)
def test_every_verb_has_help_with_examples(run, command):
    result = run(command.name, "--help")
    assert result.exit_code == 0
    assert f"hinge {command.name}" in result.stdout.rpartition(" Examples")[2]


@pytest.mark.parametrize("verb", [examine, demo], ids=["examine", "demo"])
def test_examples_stay_on_one_line_of_a_narrow_terminal(run, verb, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    said = run(verb.__name__.rpartition(".")[2], "--help").stdout
    for example in verb.EXAMPLES:
        assert example in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["--frobnicate"],
        ["examine"],
        ["examine", "net.onnx"],
        ["examine", "net.onnx", "--data", "x.npz", "--frobnicate"],
        ["examine", "net.onnx", "--data", "x.npz", "--batch-size", "many"],
        ["examine", "net.onnx", "--data", "x.npz", "--batch-size", "0"],
        ["examine", "net.onnx", "--data", "x.npz", "--examples", "-1"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert "Usage" in result.stderr


@pytest.mark.parametrize("example", examine.EXAMPLES)
def test_examples_of_examine_work(work, run, examples, example):
    """In a folder with files of the names that the examples use."""
    (work / "images").mkdir()
    for number in range(3):
        Image.new("L", (3, 1), 100 * number).save(work / "images" / f"{number}.png")
    np.savetxt(work / "data.csv", examples, delimiter=",", header="a,b,c", comments="")
    with (work / "model.py").open("a") as file:
        file.write("\ndef loader():\n    yield torch.rand(8, 3) * 2 - 1\n")
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 4), torch.nn.ReLU())
    dynamic = ({0: torch.export.Dim("batch")},)
    exported = torch.export.export(module, (torch.zeros(2, 1, 1, 3),), dynamic_shapes=dynamic)
    torch.export.save(exported, work / "net.pt2")
    program, *arguments = shlex.split(example)
    assert program == "hinge"
    result = run(*arguments)
    assert result.exit_code == (1 if "1 of 1 limits not kept" in result.stderr else 0), (
        result.stderr
    )
    assert result.stdout


def test_the_app_is_the_one_that_is_installed():
    assert app is typer_app
