"""What a node of an exported graph tells of itself: operator, arguments, module, source line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch._ops import OpOverload
from torch.fx import Node
from torch.fx.node import map_arg


def meta(node: Node) -> Any:
    """Return what stands for the node's result: a tensor without values, a symbolic size."""
    return node.meta.get("val")


def schema_of(target: OpOverload) -> Any:
    """Return an operator's schema: its name and its arguments."""
    return target._schema  # noqa: SLF001 # torch shows it nowhere else


def operator_name(node: Node) -> str:
    """Return the operator's name without ``aten::``, overload and in-place underscore."""
    target = node.target
    if isinstance(target, OpOverload):
        return str(schema_of(target).name).removeprefix("aten::").rstrip("_")
    return getattr(target, "__name__", str(target))


def full_name(node: Node) -> str:
    """Return the operator's name as torch writes it."""
    return str(node.target) if isinstance(node.target, OpOverload) else operator_name(node)


def bound_arguments(node: Node, value_of: Callable[[Node], Any]) -> dict[str, Any]:
    """Return the call's arguments by their names in the schema, defaults included."""
    positional: Any = map_arg(node.args, value_of)
    named: Any = map_arg(node.kwargs, value_of)
    if not isinstance(node.target, OpOverload):
        names = ("self", "index") if operator_name(node) == "getitem" else map(str, range(9))
        return dict(zip(names, positional, strict=False))
    found: dict[str, Any] = {}
    for position, slot in enumerate(schema_of(node.target).arguments):
        if position < len(positional):
            found[slot.name] = positional[position]
        else:
            default = slot.default_value if slot.has_default_value() else None
            found[slot.name] = named.get(slot.name, default)
    return found


def module_stack(node: Node) -> Iterator[tuple[str, str]]:
    """Return the modules that were running, outermost first: their paths and their classes."""
    for path, kind in (node.meta.get("nn_module_stack") or {}).values():
        yield clean_path(path), kind if isinstance(kind, str) else class_path(kind)


def module_path(node: Node) -> str:
    """Return the path of the module that called the operator; empty for the model itself."""
    return ["", *(path for path, _ in module_stack(node))][-1]


def source_line(node: Node) -> str:
    """Return ``file:line`` of the innermost call outside torch; empty if there is none."""
    calls = re.findall(r'File "(.+?)", line (\d+)', node.meta.get("stack_trace") or "")
    own = [call for call in calls if "/torch/" not in call[0]]
    return f"{own[-1][0]}:{own[-1][1]}" if own else ""


def class_path(kind: type) -> str:
    """Return the full name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def is_activation(class_name: str) -> bool:
    """Whether a full name is that of one of torch's own activations."""
    package, _, name = class_name.rpartition(".")
    return package == torch.nn.modules.activation.__name__ and name != "MultiheadAttention"


def clean_path(path: str) -> str:
    """Return a module's path without the call numbers and wrappers that torch puts into it."""
    parts = re.sub(r"@\d+", "", path).split(".")
    return ".".join(part for part in parts if part and part != "_orig_mod")
