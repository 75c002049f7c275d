"""Reads a program of `torch.export`: walks its graph and turns each ATen call into steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node
from torch.utils import _pytree as pytree

from hinge.activations import from_aten, is_aten_name
from hinge.errors import UnsupportedError
from hinge.network.building.builder import Builder, Call, Unreadable, Value, fitting, within_limit
from hinge.network.building.unreadable import UNKNOWN, Obstacle, unsupported
from hinge.network.from_torch import arithmetic, forms, layers
from hinge.network.from_torch.aten import LOST, Lost, Operation, Reader
from hinge.network.from_torch.constants import folded, stored
from hinge.network.from_torch.node import (
    bound_arguments,
    full_name,
    meta,
    module_path,
    operator_name,
    source_line,
)
from hinge.network.network import Network
from hinge.network.operators.affine import Shape

READERS: dict[str, Reader] = {
    **layers.READERS,
    **forms.READERS,
    **arithmetic.READERS,
}

_SAME_AS = {"clip": "clamp", "max": "maximum"}
"""Names of operators that torch runs by way of others, under which an activation is known."""

_SKIPPED = object()
"""Stands for the result of an operation that could not be read, or needed one that could not."""


@dataclass(frozen=True)
class Modules:
    """What names need to know of a model's modules.

    The paths of those with children, and of those without children but with parameters,
    torch's own activations left out.
    """

    parents: Collection[str]
    weighted: Collection[str]


def network_of(program: ExportedProgram, origin: str, modules: Modules) -> Network:
    """Turn a program into a network.

    Raises `UnsupportedError`, naming every operation that cannot be read.
    """
    return _Walk(program, origin, modules).network()


@dataclass
class _Walk:
    program: ExportedProgram
    origin: str
    modules: Modules
    known: dict[Node, Any] = field(default_factory=dict)
    obstacles: list[Obstacle] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = self._only_input()
        shape = self.source.meta["val"].shape
        if not len(shape):
            raise self._refused("the model's input is a single number", "a scalar")
        self.batch = shape[0]
        self.build = Builder(tuple(map(int, shape[1:])))

    def network(self) -> Network:
        output = self._only_output()
        wanted = _behind(output)
        for node in self.program.graph.nodes:
            if node in wanted:
                self.known[node] = self._read(node)
        if self.obstacles:
            raise unsupported(self.origin, self.obstacles)
        result = self.known[output]
        if isinstance(result, Tensor):
            raise self._refused("the output does not depend on the input", "a constant")
        if not isinstance(result, Value):
            raise self._refused("the model's output is not a tensor", type(result).__name__)
        return self.build.network(result, self._dtype(), self.origin)

    def _read(self, node: Node) -> Any:
        if node.op == "placeholder":
            return self._placeholder(node)
        if node.op == "get_attr":
            return stored(getattr(self.program.graph_module, str(node.target)))
        given = [self.known[argument] for argument in node.all_input_nodes]
        if any(value is _SKIPPED for value in given):
            name = operator_name(node)
            if name not in READERS and not is_aten_name(name):
                self._refuse(node, UNKNOWN)
            return _SKIPPED
        try:
            with fitting():
                return self._called(node)
        except Unreadable as reason:
            self._refuse(node, str(reason))
            return _SKIPPED

    def _refuse(self, node: Node, reason: str) -> None:
        self.obstacles.append(Obstacle(full_name(node), self._place(node), reason))

    def _placeholder(self, node: Node) -> Any:
        if node is self.source:
            return self.build.input
        tensor = self._held().get(node.name)
        if not isinstance(tensor, Tensor):
            raise self._refused("the model holds something that is no tensor", node.name)
        return stored(tensor)

    def _called(self, node: Node) -> Any:
        arguments = bound_arguments(node, self.known.__getitem__)
        leaves = pytree.tree_leaves(list(arguments.values()))
        if isinstance(meta(node), (torch.SymInt, torch.SymFloat, torch.SymBool)):
            return LOST
        if not any(isinstance(leaf, (Value, Lost)) for leaf in leaves):
            return folded(node, arguments)
        name = operator_name(node)
        self._enter(node, name)
        activation = self._activation(name, arguments)
        if activation is not None:
            return activation
        if name not in READERS:
            raise Unreadable(UNKNOWN)
        return READERS[name](Operation(self.build, name, arguments, self._shape(node)))

    def _activation(self, name: str, arguments: Mapping[str, Any]) -> Value | None:
        leaves = pytree.tree_leaves(list(arguments.values()))
        values = [(key, v) for key, v in arguments.items() if isinstance(v, Value)]
        if len(values) != 1 or sum(isinstance(leaf, (Value, Lost)) for leaf in leaves) != 1:
            return None
        key, x = values[0]
        rest = {k: v for k, v in arguments.items() if k != key}
        if key != next(iter(arguments)):  # maximum(0, x) is maximum(x, 0)
            rest = {key: rest.pop("self"), **rest} if "self" in rest else rest
        found = from_aten(name, rest) or from_aten(_SAME_AS.get(name, name), rest)
        if found is None:
            return None
        activation, parameters = found
        return self.build.activate(x, activation, _per_channel(parameters, x))

    def _enter(self, node: Node, name: str) -> None:
        path = module_path(node)
        single = bool(path) and path not in self.modules.parents
        label = path if single else ".".join(part for part in (path, name) if part)
        self.build.call = Call(label, path, alone=single and path not in self.modules.weighted)

    def _shape(self, node: Node) -> Shape | None:
        shape = getattr(meta(node), "shape", None)
        if shape is None or not len(shape) or str(shape[0]) != str(self.batch):
            return None
        rest = shape[1:]
        if not all(isinstance(n, int) for n in rest):
            return None
        within_limit(prod(rest))
        return tuple(rest)

    def _held(self) -> dict[str, Any]:
        """Parameters, buffers and constants, by the names of their placeholders."""
        program = self.program
        store = {**program.constants, **program.state_dict}
        return {
            spec.arg.name: store.get(spec.target)
            for spec in program.graph_signature.input_specs
            if spec.target is not None
        }

    def _dtype(self) -> torch.dtype:
        dtypes = [t.dtype for t in self.program.parameters() if t.is_floating_point()]
        found = dtypes[0] if dtypes else self.source.meta["val"].dtype
        return torch.float64 if found == torch.float64 else torch.float32

    def _only_input(self) -> Node:
        nodes: dict[str, Node] = {
            node.name: node for node in self.program.graph.nodes if node.op == "placeholder"
        }
        names = [
            spec.arg.name
            for spec in self.program.graph_signature.input_specs
            if spec.kind is InputKind.USER_INPUT and spec.arg.name in nodes
        ]
        found = [nodes[name] for name in names if isinstance(meta(nodes[name]), Tensor)]
        if len(found) != 1 or not found[0].meta["val"].is_floating_point():
            raise self._refused(
                "a network is read from a model with one floating-point input",
                f"{len(names)} inputs: {', '.join(names)}",
            )
        return found[0]

    def _only_output(self) -> Node:
        names = [
            getattr(spec.arg, "name", "")
            for spec in self.program.graph_signature.output_specs
            if spec.kind is OutputKind.USER_OUTPUT
        ]
        found: list[Node] = [node for node in self.program.graph.nodes if node.name in names]
        if len(found) != 1 or len(names) != 1:
            raise self._refused(
                "a network is read from a model with one output", f"{len(names)} outputs"
            )
        return found[0]

    def _refused(self, what: str, found: str) -> UnsupportedError:
        return UnsupportedError(
            what,
            where=self.origin,
            found=found,
            do="wrap the model in one that takes one tensor and returns one tensor; "
            "hinge.observe and hinge.examine work on the model as it is",
        )

    def _place(self, node: Node) -> str:
        path = module_path(node) or "the model itself"
        line = source_line(node)
        return f"{path} ({line})" if line else path


def _behind(output: Node) -> set[Node]:
    """Return the node and all that it depends on."""
    found, todo = {output}, [output]
    while todo:
        for node in todo.pop().all_input_nodes:
            if node not in found:
                found.add(node)
                todo.append(node)
    return found


def _per_channel(parameters: Mapping[str, Any], x: Value) -> dict[str, Any]:
    """Return parameters so that one with an entry per channel broadcasts along axis 1."""
    column = (-1, *[1] * (x.rank - 2))
    return {
        name: value.reshape(column) if isinstance(value, Tensor) and value.numel() > 1 else value
        for name, value in parameters.items()
    }
