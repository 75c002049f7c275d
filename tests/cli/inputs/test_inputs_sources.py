"""Names in the user's code: imported as a user expects, once, with errors that name the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hinge.cli.inputs.sources import Reference
from hinge.errors import DataError, ModelError


def load(text: str) -> object:
    reference = Reference.parse(text)
    assert reference is not None
    return reference.load()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("model.py:net", ("model.py", "net")),
        ("a/b c/model.py:net", ("a/b c/model.py", "net")),
        ("pack.age.mod:Class.make", ("pack.age.mod", "Class.make")),
        ("net.onnx", None),
        ("model.py", None),
        ("model.py:", None),
        ("model.py:2", None),
        ("a/b:c", None),
    ],
)
def test_what_is_a_reference(folder, text, parts):
    found = Reference.parse(text)
    assert (None if found is None else (found.source, found.name)) == parts


def test_a_file_of_that_name_comes_first(folder):
    Path("a:b").touch()
    assert Reference.parse("a:b") is None


def test_a_file_imports_its_neighbours_from_anywhere(folder):
    (folder / "deep").mkdir()
    (folder / "deep" / "neighbour.py").write_text("value = 3\n")
    (folder / "deep" / "main.py").write_text("from neighbour import value\n")
    assert load("deep/main.py:value") == 3


def test_modules_of_the_current_folder(folder):
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").touch()
    (folder / "pack" / "inner.py").write_text("class Outer:\n    inner = 5\n")
    assert load("pack.inner:Outer.inner") == 5


def test_a_file_is_run_once(folder):
    (folder / "once.py").write_text("made = object()\n")
    assert load("once.py:made") is load(str(folder / "once.py") + ":made")


def test_a_file_may_be_named_like_a_module_that_is_in_use(folder):
    import json  # noqa: PLC0415 - the name that is taken

    (folder / "json.py").write_text("own = 1\n")
    assert load("json.py:own") == 1
    assert json.loads("2") == 2


def test_main_is_not_run(folder):
    (folder / "script.py").write_text("x = 1\nif __name__ == '__main__':\n    raise ValueError\n")
    assert load("script.py:x") == 1


def test_dataclasses_work(folder):
    (folder / "data.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Point:\n    x: int = 1\n"
    )
    assert load("data.py:Point")().x == 1


def test_a_file_that_failed_can_be_mended(folder):
    (folder / "bad.py").write_text("1 / 0\n")
    with pytest.raises(ModelError, match="line 1"):
        load("bad.py:x")
    (folder / "bad.py").write_text("x = 1\n# mended\n")
    assert load("bad.py:x") == 1


def test_what_a_module_lacks_is_told_apart_from_the_module(folder):
    (folder / "needs.py").write_text("import not_installed_anywhere\n")
    with pytest.raises(ModelError, match="cannot be imported") as refused:
        load("needs:x")
    assert "needs.py, line 1" in refused.value.where


def test_errors_of_hinge_pass_as_they_are(folder):
    (folder / "raises.py").write_text(
        "from hinge.errors import DataError\n"
        "raise DataError('told', where='a', found='b', do='c')\n"
    )
    with pytest.raises(DataError, match="told"):
        load("raises.py:x")
