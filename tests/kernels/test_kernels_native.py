"""The extension and its types agree; without it the reader is told what to do."""

import ast
import importlib
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest

import hinge.kernels.native as door
from hinge.kernels.native import native

STUB = Path(inspect.getfile(door)).with_name("_native.pyi")


def test_the_stub_names_what_the_extension_has():
    stub = ast.parse(STUB.read_text())
    functions = {f.name: f for f in stub.body if isinstance(f, ast.FunctionDef)}
    variables = {v.target.id for v in stub.body if isinstance(v, ast.AnnAssign)}
    classes = {c.name: c for c in stub.body if isinstance(c, ast.ClassDef)}
    names = {name for name in dir(native) if not name.startswith("_")}
    assert names == {*functions, *variables, *classes}
    for name, held in classes.items():
        methods = {f.name for f in held.body if isinstance(f, ast.FunctionDef)}
        known = {one for one in dir(getattr(native, name)) if not one.startswith("_")}
        assert known == methods - {"__init__"}
    arguments = [argument.arg for argument in functions["tally"].args.args]
    z = np.ones((1, 1, 1), np.float32)
    values = [z, z, False, 0.0, 0.0, 1.0, 1, ""]
    counts, reals = native.tally(**dict(zip(arguments, values, strict=True)))
    required = len(arguments) - len(functions["tally"].args.defaults)
    again, _ = native.tally(*values[:required])
    assert counts.tolist() == again.tolist()
    assert (counts.dtype, reals.dtype) == (np.int64, np.float64)


def test_every_machine_has_a_level():
    assert native.levels[-1] == "baseline"


def test_a_missing_extension_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "hinge.kernels._native", None)
    monkeypatch.delattr(importlib.import_module("hinge.kernels"), "_native")
    monkeypatch.delitem(sys.modules, "hinge.kernels.native")
    with pytest.raises(ImportError, match="pip install -e"):
        importlib.import_module("hinge.kernels.native")
