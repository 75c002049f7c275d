"""Objects out of the user's own Python code: ``file.py:name`` or ``package.module:name``."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from hinge.cli.inputs.user_code import users_code
from hinge.cli.paths import mode_of, resolved
from hinge.errors import FileError, ModelError, OptionError

_FORM = re.compile(r"(?P<source>.+\.py|[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*(?:\.\w+)*)")
_NAMED = 8


@dataclass(frozen=True)
class Reference:
    """A name in a Python file or module."""

    source: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Reference | None:
        """Read ``source:name``; None if the text is something else, such as a file.

        >>> Reference.parse("nets/model.py:network")
        Reference(source='nets/model.py', name='network')
        >>> Reference.parse("net.onnx") is None
        True
        """
        if mode_of(Path(text)) is not None:
            return None
        found = _FORM.fullmatch(text)
        return None if found is None else cls(found["source"], found["name"])

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"

    def load(self) -> Any:
        """Import the source and return what has the name.

        Raises
        ------
        FileError
            The file is missing.
        ModelError
            The code fails, or defines no such name.
        """
        path = Path(self.source)
        module = _from_file(resolved(path)) if path.suffix == ".py" else _from_module(self.source)
        value: Any = module
        for part in self.name.split("."):
            if not hasattr(value, part):
                raise self._missing(module, part)
            value = getattr(value, part)
        return value

    def _missing(self, module: ModuleType, part: str) -> ModelError:
        names = [name for name in vars(module) if not name.startswith("_")]
        near = get_close_matches(part, names, n=1)
        advice = f"did you mean {near[0]}? " if near else ""
        listed = ", ".join(names[-_NAMED:]) or "nothing"
        return ModelError(
            "the code defines no such name",
            where=self.source,
            found=f"no {part!r}; among the names there are {listed}",
            do=f"{advice}name something that the file defines, as in {self.source}:NAME",
        )


def refuse_bare_file(text: str, role: str) -> None:
    """Raise `OptionError` for a Python file without a name in it; say which names it has."""
    path = Path(text)
    if path.suffix != ".py":
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        defined = []
    else:
        kinds = (ast.FunctionDef, ast.ClassDef)
        defined = [node.name for node in tree.body if isinstance(node, kinds)]
    raise OptionError(
        f"a Python file alone does not say what in it is the {role}",
        where=text,
        found=f"it defines {', '.join(defined[:_NAMED])}" if defined else "no name after the file",
        do=f"add the name, as in {path}:{defined[0] if defined else 'NAME'}",
    )


@cache
def _from_file(path: Path) -> ModuleType:
    """Run a file once, as a module of its own; its folder can be imported from, as usual."""
    if not path.is_file():
        raise FileError(
            "the file cannot be found",
            where=str(path),
            found="a folder" if path.is_dir() else "nothing",
            do="check the path before the colon",
        )
    _importable(path.parent)
    name = path.stem if path.stem not in sys.modules else f"{path.stem}_{abs(hash(path)):x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileError(
            "the file is no Python file", where=str(path), found=path.suffix, do="pass a .py file"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up while it runs
    try:
        with users_code("the file cannot be imported", str(path)):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _from_module(name: str) -> ModuleType:
    _importable(Path.cwd())
    try:
        with users_code("the module cannot be imported", name):
            return importlib.import_module(name)
    except ModelError as error:
        cause = error.__cause__
        missing = cause.name if isinstance(cause, ModuleNotFoundError) else None
        if missing is None or not f"{name}.".startswith(f"{missing}."):
            raise
        raise ModelError(
            "the module cannot be found",
            where=name,
            found=f"no module named {missing!r}",
            do="run in the folder that holds it, install it, or name its file: path/file.py:NAME",
        ) from error


def _importable(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
