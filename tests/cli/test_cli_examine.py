"""`hinge examine` gives the verdicts that are known, on every way to name a model and data."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_cases import BIAS, N_EXAMPLES, WEIGHT, assert_mistake

import hinge
from hinge import Examination
from hinge.cli.examine import examine as verb
from hinge.units import Verdict

FACTORY = "model.py:network"
DATA = ("--data", "data.npz")
WEIGHTS = ("--weights", "net.safetensors")


def written(name: str = "out.json") -> Examination:
    return Examination.from_json(Path(name))


def assert_known(examination: Examination, n: int = N_EXAMPLES) -> None:
    """One dead, one always on, two alive: what the biases of the known network make sure of."""
    assert examination.census.seen == n
    (observed,) = examination.census.values()
    assert observed.verdicts().tolist() == ["dead", "always on", "alive", "alive"]


def test_counts_are_those_of_numpy(work, run, examples):
    result = run("examine", "net.onnx", *DATA, "--json", "out.json")
    assert result.exit_code == 0
    fired = (examples @ WEIGHT.T + BIAS > 0).sum(0)
    (observed,) = written().census.values()
    assert observed.fired.tolist() == fired.tolist()
    assert "1 dead" in result.stdout
    assert "net.onnx on data.npz" in result.stdout


@pytest.mark.parametrize(
    "model", ["net.onnx", "net.pt2", FACTORY, "model:network", "model.py:ready"]
)
def test_every_way_to_name_a_model(work, run, model):
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2, bias=False)
    )
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor(WEIGHT))
        module[0].bias.copy_(torch.tensor(BIAS))
    batch = torch.export.Dim("batch")
    exported = torch.export.export(module, (torch.zeros(2, 3),), dynamic_shapes=({0: batch},))
    torch.export.save(exported, "net.pt2")
    more = WEIGHTS if ":" in model else ()
    result = run("examine", model, *DATA, *more, "--json", "out.json")
    assert result.exit_code == 0, result.stderr
    assert_known(written())


def test_remarks_go_to_stderr(work, run):
    result = run("examine", "net.onnx", *DATA, "--html", "out.html")
    assert "Wrote out.html" in result.stderr
    assert "Wrote" not in result.stdout
    assert "Examining net.onnx on data.npz" in result.stderr


def test_quiet_says_nothing(work, run):
    result = run("examine", "net.onnx", *DATA, "--quiet", "--html", "out.html")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert (work / "out.html").read_text().startswith("<!doctype html>")


def test_a_broken_limit_is_exit_code_1_and_named(work, run):
    limits = ("--fail-on", "dead=20%", "--fail-on", "any-site:dead=25%", "--junit", "out.xml")
    result = run("examine", "net.onnx", *DATA, "--quiet", *limits)
    assert result.exit_code == 1
    assert "1 of 2 limits not kept" in result.stderr
    assert "at most 20 % of all units dead: 1 of 4 units" in result.stderr
    assert 'tests="2" failures="1"' in (work / "out.xml").read_text()


def test_limits_that_are_kept(work, run):
    assert run("examine", "net.onnx", *DATA, "--fail-on", "dead=25%").exit_code == 0


def test_a_baseline_fails_when_a_unit_died_since(work, run, examples):
    """On inputs that are all negative, unit 2 (which passes on the first input) is dead too."""
    np.save("negative.npy", -np.abs(examples))
    assert run("examine", "net.onnx", *DATA, "--json", "before.json").exit_code == 0
    again = run("examine", "net.onnx", *DATA, "--baseline", "before.json")
    assert again.exit_code == 0
    later = run("examine", "net.onnx", "--data", "negative.npy", "--baseline", "before.json")
    assert later.exit_code == 1
    assert "1 unit lost since" in later.stderr


def test_a_baseline_can_be_renewed_in_place(work, run):
    for _ in range(2):
        assert run("examine", "net.onnx", *DATA, "--json", "b.json").exit_code == 0
    again = run("examine", "net.onnx", *DATA, "--json", "b.json", "--baseline", "b.json")
    assert again.exit_code == 0


def test_examples_that_hold_nan_or_infinity_are_counted_and_named(work, run, examples):
    examples[7, 1], examples[11, 0] = np.nan, np.inf
    np.save("holes.npy", examples)
    result = run("examine", "net.onnx", "--data", "holes.npy", "--json", "out.json")
    assert result.exit_code == 0
    assert "NaN or infinity" in result.stdout
    assert "7, 11" in result.stdout
    assert written().census.skipped == 2
    assert_known(written(), N_EXAMPLES - 2)


@pytest.mark.parametrize("size", [1, 7, 300, 1000])
def test_batches_of_any_size_count_the_same(work, run, size):
    run("examine", "net.onnx", *DATA, "--batch-size", size, "--json", "out.json")
    assert_known(written())


def test_rare_and_examples_and_axis(work, run, examples):
    np.save("turned.npy", examples.T)
    (work / "turned.py").write_text(
        "from model import network as plain\nfrom torch import nn\n"
        "class Turned(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.net = plain()\n"
        "    def forward(self, x):\n        return self.net(x.T).T\n"
    )
    options = ("--batch-axis", 1, "--examples", 100, "--rare", "100%", "--json", "out.json")
    result = run("examine", "turned.py:Turned", "--data", "turned.npy", *options)
    assert result.exit_code == 0, result.stderr
    assert written().census.seen == 100
    assert written().rare == 1
    assert not written().verdicts[Verdict.ALIVE]


def test_gradients_are_watched_on_as_many_examples_as_asked(work, run):
    run("examine", FACTORY, *DATA, "--batch-size", 10, "--gradients", 25, "--json", "out.json")
    (observed,) = written().census.values()
    assert observed.watched == 30  # whole batches, up to the first beyond 25


def test_a_batch_that_fails_leaves_a_partial_report(work, run):
    (work / "breaks.py").write_text(
        "import torch\n"
        "def loader():\n"
        "    for _ in range(3):\n        yield torch.rand(8, 3)\n"
        "    yield torch.rand(8, 7)\n"
    )
    result = run("examine", FACTORY, "--data", "breaks.py:loader", "--json", "out.json")
    assert_mistake(result, "example 24", "(8, 7)")
    assert "Partial" in result.stdout
    assert "Stopped by an error" in result.stdout
    assert written().census.seen == 24
    assert not written().census.complete


def test_a_loader_that_fails_leaves_a_partial_report(work, run):
    (work / "breaks.py").write_text(
        "import torch\ndef loader():\n    yield torch.rand(8, 3)\n    raise OSError('no disk')\n"
    )
    result = run("examine", FACTORY, "--data", "breaks.py:loader", "--json", "out.json")
    assert_mistake(result, "breaks.py, line 4, in loader", "OSError: no disk")
    assert "Partial" in result.stdout
    assert written().census.seen == 8


def test_defaults_are_those_of_the_library():
    own = {name: p.default for name, p in inspect.signature(verb).parameters.items()}
    theirs = {name: p.default for name, p in inspect.signature(hinge.examine).parameters.items()}
    for name in ("batch_size", "batch_axis", "gradients"):
        assert own[name] == theirs[name]
    assert own["rare"] == f"{theirs['rare']:.0%}"


def test_the_report_names_what_was_examined(work, run):
    run("examine", "net.onnx", *DATA, "--html", "out.html")
    assert "<title>net.onnx on data.npz</title>" in (work / "out.html").read_text()


def test_json_is_what_the_library_writes(work, run):
    run("examine", "net.onnx", *DATA, "--json", "out.json")
    with np.load("data.npz") as arrays:
        expected = hinge.examine(hinge.read("net.onnx"), arrays["x"])
    assert json.loads(Path("out.json").read_text()) == json.loads(expected.to_json())
