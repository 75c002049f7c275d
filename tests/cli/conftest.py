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
from cli_cases import BIAS, MODEL_CODE, N_EXAMPLES, OUT, WEIGHT, Run, onnx_net
from safetensors.numpy import save_file
from typer.testing import CliRunner

from hinge.cli import app


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
