"""Computes the parts of an ONNX graph that do not depend on the input, within limits."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto
from onnx.reference import ReferenceEvaluator

from hinge.network.building.builder import LARGEST_CONSTANT, Unreadable

Array = npt.NDArray[Any]

_PLAIN = (
    *("Constant", "Identity", "Cast", "Shape", "Size", "Not"),
    *("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Split", "Gather"),
    *("Concat", "Neg", "Abs", "Sqrt", "Exp", "Log", "Reciprocal", "Floor", "Ceil"),
    *("ReduceSum", "ReduceProd", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2"),
    *("Relu", "Clip", "Softplus", "Tanh", "Sigmoid"),
)
"""Operators whose result is no larger than their inputs together."""

_BROADCAST = (
    *("Add", "Sub", "Mul", "Div", "Pow", "Mod", "Min", "Max", "Sum", "Where"),
    *("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or"),
)


def folded(node: NodeProto, inputs: Sequence[Array | None], opset: int) -> list[Any]:
    """Return a node's outputs on constant inputs, computed by onnx's reference implementation."""
    if _entries(node.op_type, inputs) > LARGEST_CONSTANT:
        raise Unreadable("it computes a constant that is too large")
    feeds = {name: value for name, value in zip(node.input, inputs, strict=True) if name}
    try:
        with np.errstate(all="ignore"):
            return list(ReferenceEvaluator(node, opsets={"": opset}).run(None, feeds))
    except Exception as error:  # its implementations raise whatever NumPy raises
        raise Unreadable(f"it cannot be computed: {str(error)[:200]}") from error


def _entries(kind: str, inputs: Sequence[Array | None]) -> int:
    """Return how many entries the result has at most."""
    arrays = [a for a in inputs if a is not None]
    held = sum(a.size for a in arrays)
    if kind in _PLAIN:
        return held
    if kind == "Expand":
        return max(held, 1) * prod(max(1, int(n)) for n in arrays[1].ravel())
    if kind in _BROADCAST:
        try:
            return prod(np.broadcast_shapes(*(a.shape for a in arrays)))
        except ValueError as error:
            raise Unreadable("its inputs' shapes do not fit together") from error
    if kind == "MatMul":
        return prod(a.size for a in arrays)
    if kind in ("ConstantOfShape", "Tile"):
        first = 1 if kind == "ConstantOfShape" else arrays[0].size
        return first * prod(max(1, int(n)) for n in arrays[-1].ravel())
    if kind == "Range":
        start, stop, step = (float(a.reshape(-1)[0]) for a in arrays)
        return int(abs((stop - start) / step)) + 1 if step else LARGEST_CONSTANT + 1
    raise Unreadable("it computes a constant in a way that is not supported")
