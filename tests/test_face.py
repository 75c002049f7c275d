"""The face: what `import hinge` offers, and what it costs."""

import subprocess
import sys
from importlib.metadata import version

import pytest

import hinge


def test_every_name_is_there_and_sorted():
    assert hinge.__all__ == sorted(hinge.__all__)
    assert all(getattr(hinge, name) is not None for name in hinge.__all__)
    assert set(hinge.__all__) <= set(dir(hinge))


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'exmaine'"):
        _ = hinge.exmaine


def test_a_verb_stays_a_verb_whatever_was_imported_first():
    code = "import hinge.examination, hinge.census.observe, hinge.network.read, hinge; "
    code += "assert all(map(callable, (hinge.examine, hinge.observe, hinge.read)))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_loads_nothing_heavy():
    code = "import hinge, sys; print(sorted({'torch', 'numpy', 'onnx'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"


def test_the_version_is_the_package_s():
    assert hinge.__version__ == version("hinge")
