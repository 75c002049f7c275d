"""`hinge revive`: the dead come back, the outputs stay, and what cannot be done is said."""

from __future__ import annotations

import json
import shlex
import shutil

import numpy as np
import pytest
from cli_cases import BIAS, OUT, WEIGHT, assert_mistake
from safetensors.numpy import load_file, save_file

from hinge.cli.revive import EXAMPLES

MODEL = ("model.py:network", "--weights", "net.safetensors")


def pre_activations(weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return x @ weights["0.weight"].T + weights["0.bias"]


def outputs(weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return np.maximum(pre_activations(weights, x), 0) @ weights["2.weight"].T


@pytest.mark.parametrize(("options", "share"), [((), 0.2), (("--share", "30%"), 0.3)])
def test_the_dead_unit_fires_and_the_outputs_stay(work, run, examples, options, share):
    result = run("revive", *MODEL, "--data", "data.npz", "--out", "out.safetensors", *options)
    assert result.exit_code == 0, result.stderr
    before, after = load_file(work / "net.safetensors"), load_file(work / "out.safetensors")
    fires = pre_activations(after, examples) > 0
    assert fires[:, 0].mean() == pytest.approx(share)
    assert np.array_equal(fires[:, 1:], pre_activations(before, examples)[:, 1:] > 0)
    assert np.array_equal(outputs(before, examples), outputs(after, examples))
    assert np.array_equal(before["0.weight"], after["0.weight"])
    assert "unit 0 at 1" in " ".join(result.stdout.split())
    assert "Wrote out.safetensors" in result.stderr


@pytest.mark.parametrize("by", ["redraw", "split"])
def test_other_remedies(work, run, examples, by):
    arguments = ("--data", "data.npz", "--out", "out.safetensors", "--by", by)
    result = run("revive", *MODEL, *arguments)
    assert result.exit_code == 0, result.stderr
    before, after = load_file(work / "net.safetensors"), load_file(work / "out.safetensors")
    assert (pre_activations(after, examples)[:, 0] > 0).any()
    assert not np.array_equal(before["0.weight"][0], after["0.weight"][0])
    # a copy with noise of a thousandth may move what is about 100 by a tenth
    assert np.allclose(outputs(before, examples), outputs(after, examples), atol=0.2)


def test_the_receipt_is_written(work, run):
    files = ("--json", "receipt.json", "--html", "receipt.html", "--quiet")
    result = run("revive", *MODEL, "--data", "data.npz", "--out", "o.safetensors", *files)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == result.stderr == ""
    receipt = json.loads((work / "receipt.json").read_text())
    assert receipt["units"] == {"1": [0]}
    assert receipt["moved"] == 0
    assert "Lift(share=0.2)" in (work / "receipt.html").read_text()


def test_units_that_are_named(work, run):
    named = ("--site", "1", "--unit", "0")
    result = run("revive", *MODEL, "--data", "data.npz", "--out", "o.safetensors", *named)
    assert result.exit_code == 0, result.stderr
    assert load_file(work / "o.safetensors")["0.bias"][0] > BIAS[0]


def test_nothing_is_dead(work, run):
    """The file is written all the same: what comes next need not ask."""
    alive = {"0.weight": WEIGHT, "0.bias": np.zeros_like(BIAS), "2.weight": OUT}
    save_file(alive, work / "net.safetensors")
    result = run("revive", *MODEL, "--data", "data.npz", "--out", "o.safetensors")
    assert result.exit_code == 0, result.stderr
    assert "nothing was changed" in result.stdout
    written = load_file(work / "o.safetensors")
    assert all(np.array_equal(written[name], value) for name, value in alive.items())


def test_the_file_may_be_the_one_that_was_read_before(work, run):
    """An older output is replaced as a whole."""
    (work / "out.safetensors").write_text("old")
    result = run("revive", *MODEL, "--data", "data.npz", "--out", "out.safetensors")
    assert result.exit_code == 0, result.stderr
    assert set(load_file(work / "out.safetensors")) == {"0.weight", "0.bias", "2.weight"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("net.onnx", "--data", "data.npz"), ("only a model that code makes", "net.onnx")),
        ((*MODEL, "--data", "data.npz", "--site", "relu9"), ("no such site", "use one of 1")),
        ((*MODEL, "--data", "data.npz", "--unit", "0"), ("--unit", "no --site")),
        (
            (*MODEL, "--data", "data.npz", "--site", "1", "--site", "2", "--unit", "0"),
            ("--unit", "2 sites named"),
        ),
        ((*MODEL, "--data", "data.npz", "--site", "1", "--unit", "9"), ("no such unit",)),
        ((*MODEL, "--data", "data.npz", "--site", "1", "--unit", "1"), ("need no revival",)),
        ((*MODEL, "--data", "data.npz", "--share", "lots"), ("--share", "'lots'")),
        ((*MODEL, "--data", "data.npz", "--share", "100%"), ("--share", "'100%'")),
        ((*MODEL, "--data", "data.npz", "--share", "5%", "--by", "split"), ("--by split",)),
        ((*MODEL, "--data", "none.npz"), ("none.npz",)),
        (("model.py:network", "--weights", "data.npz", "--data", "data.npz"), ("data.npz",)),
    ],
)
def test_mistakes_write_nothing(work, run, arguments, words):
    there = {path.name for path in work.iterdir()} | {"__pycache__"}
    result = run("revive", *arguments, "--out", "out.safetensors", "--json", "receipt.json")
    assert_mistake(result, *words)
    assert {path.name for path in work.iterdir()} <= there


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("out.pt", ("safetensors only", "out.safetensors")),
        ("net.safetensors", ("overwrite", "net.safetensors")),
        ("no/such/folder.safetensors", ("--out no/such/folder.safetensors",)),
    ],
)
def test_a_place_that_cannot_be_written_to(work, run, out, words):
    before = (work / "net.safetensors").read_bytes()
    assert_mistake(run("revive", *MODEL, "--data", "data.npz", "--out", out), *words)
    assert (work / "net.safetensors").read_bytes() == before


def test_out_must_be_said(work, run):
    result = run("revive", *MODEL, "--data", "data.npz")
    assert result.exit_code == 2
    assert "--out" in result.stderr


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_help_work(work, run, example):
    for name, copies in {"model.py": ["net.py"], "data.npz": ["x.npz"]}.items():
        for copy in copies:
            shutil.copy(work / name, work / copy)
    with (work / "net.py").open("a") as code:
        code.write("\n\nnet = network\n")
    shutil.copy(work / "net.safetensors", work / "in.safetensors")
    import torch  # noqa: PLC0415 - one test needs it
    from safetensors.torch import load_file as load_torch  # noqa: PLC0415 - likewise

    torch.save(load_torch(work / "net.safetensors"), work / "in.pt")
    np.savetxt(work / "x.csv", np.load(work / "data.npz")["x"], delimiter=",", header="a,b,c")
    _, *arguments = shlex.split(example)
    result = run(*arguments)
    if "--unit" in arguments:  # the network at hand has no such units
        assert_mistake(result, "no such unit")
    else:
        assert result.exit_code == 0, result.stderr


def test_help_has_examples(run):
    result = run("revive", "--help")
    assert result.exit_code == 0
    assert "Examples" in result.stdout
    assert "--share" in result.stdout
