"""Checks the graph of a .pt2 file, and keeps of it only what cannot run code when loaded."""

from __future__ import annotations

import json
import re
from typing import Any

_CALLS = {
    "Symbol",
    "Integer",
    "Add",
    "Mul",
    "Max",
    "Min",
    "FloorDiv",
    "Mod",
    "PythonMod",
    "CeilDiv",
}
_NAMES = {*_CALLS, "positive", "nonnegative", "integer", "True", "False"}
_EXPRESSION = re.compile(r"[\w\s(),='+*/-]{1,1000}")
_SYMBOL = re.compile(r"[su]\d{1,6}")
_TARGET = re.compile(
    r"torch\.ops\.aten\.(?!from_file)\w+\.\w+"
    r"|_operator\.(getitem|add|sub|mul|floordiv|truediv|mod|neg|eq|ne|lt|le|gt|ge)"
    r"|torch\.sym_(not|max|min|float|int)"
)
_REFUSED_KEYS = {"as_graph", "as_custom_obj", "as_operator", "as_opaque"}
_CONTAINERS = {None, "builtins.tuple", "builtins.list", "builtins.dict"}
_KEPT_METADATA = ("stack_trace", "nn_module_stack")


class Hostile(Exception):  # noqa: N818 # it becomes an error where the file's name is known
    """The file holds what a model does not need, and what could do harm."""


def cleaned_graph(model: dict[str, Any]) -> dict[str, Any]:
    """Return the graph without what is not needed.

    Raises `Hostile`, or what Python raises when the graph is not built as torch builds it.
    """
    module = model["graph_module"]
    for node in module["graph"]["nodes"]:
        if not _TARGET.fullmatch(node["target"]):
            raise Hostile(f"an operation {node['target']!r}, which is not one of torch's own")
        metadata = node["metadata"]
        node["metadata"] = {k: str(metadata[k]) for k in _KEPT_METADATA if k in metadata}
    for entry in module["module_call_graph"]:
        if entry["fqn"]:
            entry["signature"] = None
        else:
            _check_structure(entry["signature"]["in_spec"])
            _check_structure(entry["signature"]["out_spec"])
    for symbol in model["range_constraints"]:
        if not _SYMBOL.fullmatch(symbol):
            raise Hostile(f"a size named {symbol[:100]!r}")
    module["metadata"], module["treespec_namedtuple_fields"] = {}, {}
    model["guards_code"] = []
    _check_values(model)
    return model


def _check_values(root: Any) -> None:
    """Refuse expressions that are more than sizes, and nested programs; put tensors on the CPU."""
    todo = [root]
    while todo:
        found = todo.pop()
        if isinstance(found, list):
            todo += found
        elif isinstance(found, dict):
            for key, value in found.items():
                if key in _REFUSED_KEYS:
                    raise Hostile(f"an argument of the kind {key!r}")
                if key == "expr_str":
                    _check_expression(value)
                if key in ("device", "as_device") and isinstance(value, dict):
                    value.update(type="cpu", index=None)
            todo += found.values()


def _check_expression(text: str) -> None:
    # torch hands this text to sympy, which evaluates it as Python.
    names = re.findall(r"[A-Za-z_]\w*", text)
    safe = all(name in _NAMES or _SYMBOL.fullmatch(name) for name in names)
    long = re.search(r"\d{20}", text)
    if not _EXPRESSION.fullmatch(text) or "**" in text or not safe or long:
        raise Hostile(f"a size written as {text[:100]!r}")


def _check_structure(text: str) -> None:
    """Refuse inputs and outputs in containers other than tuples, lists and dicts."""
    _, root = json.loads(text)
    todo = [root]
    while todo:
        found = todo.pop()
        if found["type"] not in _CONTAINERS or "{" in (found["context"] or ""):
            raise Hostile(f"an input or output of the kind {found['type']!r}")
        todo += found["children_spec"]
