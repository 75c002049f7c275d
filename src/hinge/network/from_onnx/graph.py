"""Reads an ONNX file: walks its graph and turns each node into steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from hinge.activations import all_activations, from_onnx
from hinge.errors import ModelError, UnsupportedError
from hinge.network.building.builder import LARGEST_VALUE, Builder, Call, Unreadable, Value, fitting
from hinge.network.building.unreadable import UNKNOWN, Obstacle, unsupported
from hinge.network.from_onnx import arithmetic, forms, layers
from hinge.network.from_onnx.constants import folded
from hinge.network.from_onnx.file import load_onnx, opset_of
from hinge.network.from_onnx.node import BATCH, Array, Node, Reader, tensor_of
from hinge.network.from_torch.aten import LOST
from hinge.network.network import Network
from hinge.network.operators.affine import Shape

READERS: dict[str, Reader] = {
    **layers.READERS,
    **forms.READERS,
    **arithmetic.READERS,
}

_ACTIVATIONS = {call.operator for record in all_activations() for call in record.names.onnx}

_SKIPPED = object()
"""Stands for the result of a node that could not be read, or needed one that could not."""


def network_from_onnx(path: Path, example_shape: Shape | None) -> Network:
    """Read a file; ``example_shape`` fills in sizes that the file leaves open."""
    model = load_onnx(path)
    opset = opset_of(model, path)
    return _Walk(model.graph, opset, str(path), example_shape).network()


@dataclass
class _Walk:
    graph: GraphProto
    opset: int
    origin: str
    example_shape: Shape | None
    known: dict[str, Any] = field(default_factory=dict)
    obstacles: list[Obstacle] = field(default_factory=list)

    def __post_init__(self) -> None:
        for tensor in self.graph.initializer:
            self.known[tensor.name] = self._array(tensor)
        source = self._only_input()
        self.double = source.type.tensor_type.elem_type == TensorProto.DOUBLE
        self.batch, shape = self._sizes(source)
        self.build = Builder(shape)
        self.known[source.name] = self.build.input

    def network(self) -> Network:
        output = self._only_output()
        needed = self._behind(output)
        for node in self.graph.node:
            if needed.intersection(node.output):
                self._read(node)
        if self.obstacles:
            raise unsupported(self.origin, self.obstacles)
        result = self.known.get(output)
        if not isinstance(result, Value):
            raise self._refused("the output does not depend on the input", output)
        dtype = torch.float64 if self.double else torch.float32
        return self.build.network(result, dtype, self.origin)

    def _read(self, node: NodeProto) -> None:
        inputs = [self.known.get(name) if name else None for name in node.input]
        if any(value is _SKIPPED for value in inputs):
            results: Sequence[Any] = [_SKIPPED] * len(node.output)
            if node.op_type not in READERS and node.op_type not in _ACTIVATIONS:
                self.obstacles.append(Obstacle(node.op_type, _place(node), UNKNOWN))
        else:
            try:
                with fitting():
                    results = self._results(node, inputs)
            except Unreadable as reason:
                results = [_SKIPPED] * len(node.output)
                self.obstacles.append(Obstacle(node.op_type, _place(node), str(reason)))
        results = [*results, *[LOST] * (len(node.output) - len(results))]
        self.known.update(zip(node.output, results, strict=False))

    def _results(self, node: NodeProto, inputs: list[Any]) -> Sequence[Any]:
        label = node.name or next(iter(node.output))
        self.build.call = Call(label, label, alone=True)
        if node.domain not in ("", "ai.onnx"):
            raise Unreadable(f"it is an operator of {node.domain!r}")
        if node.op_type == "Shape" and isinstance(inputs[0], Value):
            return [self._shape(node, inputs[0])]
        if not any(isinstance(value, Value) or value is LOST for value in inputs):
            return folded(node, inputs, self.opset)
        attributes = {a.name: _attribute(a) for a in node.attribute}
        activation = self._activation(node.op_type, attributes, inputs)
        if activation is not None:
            return [activation]
        if node.op_type not in READERS:
            raise Unreadable(UNKNOWN)
        result = READERS[node.op_type](
            Node(
                self.build,
                node.op_type,
                inputs,
                attributes,
                self.opset,
                self.batch,
                len(node.output),
            )
        )
        return result if isinstance(result, (list, tuple)) else [result]

    def _activation(
        self, kind: str, attributes: Mapping[str, Any], inputs: Sequence[Any]
    ) -> Value | None:
        values = [value for value in inputs if isinstance(value, Value)]
        if (
            len(values) != 1
            or any(v is LOST for v in inputs)
            or (inputs[0] is not values[0] and kind != "Max")
        ):
            return None
        constants = [value for value in inputs if value is not values[0]]
        found = from_onnx(kind, attributes, constants)
        if found is None:
            return None
        activation, parameters = found
        held = {k: tensor_of(v) if isinstance(v, np.ndarray) else v for k, v in parameters.items()}
        return self.build.activate(values[0], activation, held)

    def _shape(self, node: NodeProto, x: Value) -> Array:
        attributes = {a.name: _attribute(a) for a in node.attribute}
        sizes = (BATCH, *x.shape)[attributes.get("start", 0) : attributes.get("end")]
        return np.asarray(sizes, dtype=np.int64)

    def _array(self, tensor: TensorProto) -> Array:
        try:
            return numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
            raise self._refused(
                f"the tensor {tensor.name!r} is damaged", str(error)[:200]
            ) from error

    def _only_input(self) -> ValueInfoProto:
        found = [entry for entry in self.graph.input if entry.name not in self.known]
        floats = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
        if len(found) != 1 or found[0].type.tensor_type.elem_type not in floats:
            names = ", ".join(entry.name for entry in found)
            raise self._unfit(
                "a network is read from a model with one floating-point input",
                f"{len(found)} inputs: {names}",
            )
        source: ValueInfoProto = found[0]
        return source

    def _only_output(self) -> str:
        names: list[str] = [entry.name for entry in self.graph.output]
        if len(names) != 1:
            raise self._unfit(
                "a network is read from a model with one output",
                f"{len(names)} outputs: {', '.join(names)}",
            )
        return names[0]

    def _sizes(self, source: ValueInfoProto) -> tuple[int, Shape]:
        dims = source.type.tensor_type.shape.dim
        sizes = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in dims]
        if self.example_shape is not None and len(self.example_shape) == len(sizes):
            sizes[1:] = self.example_shape[1:]
        shape = tuple(sizes[1:])
        if not sizes or min(shape, default=1) < 1 or np.prod(shape, dtype=float) > LARGEST_VALUE:
            raise ModelError(
                "the model does not say how large its input is",
                where=self.origin,
                found=f"the input {source.name!r} of shape {sizes or 'unknown'} (0: left open)",
                do="pass an example batch: read(path, example)",
            )
        return sizes[0] or BATCH, shape

    def _behind(self, output: str) -> set[str]:
        needed = {output}
        for node in reversed(self.graph.node):
            if needed.intersection(node.output):
                needed.update(node.input)
        return needed

    def _unfit(self, what: str, found: str) -> UnsupportedError:
        return UnsupportedError(
            what,
            where=self.origin,
            found=found,
            do="export the part of the model between one input and one output; "
            "hinge.observe and hinge.examine work on the torch module as it is",
        )

    def _refused(self, what: str, found: str) -> ModelError:
        return ModelError(what, where=self.origin, found=found, do="export the model again")


def _attribute(attribute: Any) -> Any:
    value = helper.get_attribute_value(attribute)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _place(node: NodeProto) -> str:
    return f"the node {node.name!r}" if node.name else f"the node that yields {node.output[0]!r}"
