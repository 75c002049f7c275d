"""A folder to work in, files whose truth is known, and ways to run the program there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from typer.testing import CliRunner, Result

from hinge.cli import app

N_EXAMPLES = 300

# Three inputs within -1..1, four units: 0 is dead, 1 is always on, 2 and 3 fire now and then.
WEIGHT = np.array([[1, 1, 1], [1, 1, 1], [1, 0, 0], [0, -1, 0]], np.float32)
BIAS = np.array([-100, 100, 0, 0], np.float32)
OUT = np.array([[1, 1, 1, 1], [1, -1, 1, -1]], np.float32)

MODEL_CODE = """
import torch
from torch import nn

def network():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=False))

ready = network()
"""

Run = Callable[..., Result]


@pytest.fixture
def examples() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (N_EXAMPLES, 3)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to be in; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    path = sys.path.copy()
    yield tmp_path
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path.parent)):
            del sys.modules[name]


@pytest.fixture
def work(folder: Path, examples: np.ndarray) -> Path:
    """A folder with a model in each form, its weights, and data."""
    (folder / "model.py").write_text(MODEL_CODE)
    weights = {"0.weight": WEIGHT, "0.bias": BIAS, "2.weight": OUT}
    save_file(weights, folder / "net.safetensors")
    onnx.save(onnx_net(), folder / "net.onnx")
    np.savez(folder / "data.npz", x=examples, y=np.zeros(N_EXAMPLES, np.int64))
    return folder


def onnx_net(operator: str = "Relu") -> onnx.ModelProto:
    """The known network, with another operator in place of its activation if asked for."""
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1),
        helper.make_node(operator, ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "v"], ["y"], transB=1),
    ]
    constants = {"w": WEIGHT, "b": BIAS, "v": OUT}
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tests"
    )


@pytest.fixture(scope="session")
def run() -> Run:
    """Run the program in this process."""
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments], "hinge")


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program in a process of its own, which is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **options: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hinge", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "100"},
            **options,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def assert_mistake(result: Result, *words: str) -> None:
    """Exit code 2, and one paragraph of four parts that says these words."""
    assert result.exit_code == 2, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    said = result.stderr
    assert "Traceback" not in said
    paragraph = said[said.index("Error: ") :]
    lines = paragraph.splitlines()[:4]
    starts = ["Error: ", "  where:   ", "  found:   ", "  do this: "]
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)
        assert line[len(start) :].strip(), paragraph
    for word in words:
        assert word in paragraph, paragraph
