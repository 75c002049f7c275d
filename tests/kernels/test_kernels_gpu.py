"""The Triton kernels: imported late, and right in Triton's interpreter, which needs no GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hinge.kernels import gpu

LAWS = sorted(map(str, Path(__file__).parent.glob("test_kernels_gpu_*.py")))
WITH_TRITON = pytest.mark.skipif(not gpu.available(), reason="Triton is not installed")


def run(*arguments, **environment):
    """What another Python prints, where Triton is still to be imported."""
    found = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@WITH_TRITON
def test_the_interpreter_finds_the_kernels_right():
    options = ["-p", "no:cacheprovider", "-o", "addopts=--strict-markers --strict-config -q"]
    printed = run("-m", "pytest", *options, *LAWS, TRITON_INTERPRET="1")
    assert "passed" in printed
    assert "skipped" not in printed


@WITH_TRITON
def test_a_compiler_takes_the_kernels(tmp_path):
    script = Path(__file__).with_name("gpu_compilation.py")
    run(str(script), TRITON_INTERPRET="0", TRITON_CACHE_DIR=str(tmp_path))


def test_triton_is_imported_late():
    program = "import sys, hinge.kernels.gpu, hinge.activations; print('triton' in sys.modules)"
    assert run("-c", program) == "False\n"


def test_what_it_takes_without_the_interpreter(monkeypatch):
    monkeypatch.setattr(gpu, "interpreted", lambda: False)
    assert not gpu.takes(torch.zeros(3))


@pytest.mark.parametrize("available", [True, False])
def test_what_it_takes_with_the_interpreter(monkeypatch, available):
    monkeypatch.setattr(gpu, "interpreted", lambda: True)
    monkeypatch.setattr(gpu, "available", lambda: available)
    x = torch.zeros(3, 4)
    assert gpu.takes(x, x) is available
    assert gpu.takes(x.half()) is available
    assert gpu.takes(x.bfloat16()) is available
    assert not gpu.takes(x.double())
    assert not gpu.takes(x, x.half())
    assert not gpu.takes(x.mT)
    assert not gpu.takes(x.to("meta"))
    assert not gpu.takes(torch.zeros(3, dtype=torch.complex64).conj().imag)
    assert not gpu.takes(torch._efficientzerotensor(3))
    seen = []
    torch.func.vmap(lambda x: seen.append(gpu.takes(x)) or x)(x)
    assert seen == [False]


def test_a_missing_triton_is_explained(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("hinge.kernels.gpu.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "triton", None)
    with pytest.raises(ImportError, match=r"pip install hinge\[gpu\]"):
        __import__("hinge.kernels.gpu.elementwise")
