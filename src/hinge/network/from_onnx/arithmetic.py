"""ONNX operators of arithmetic and maxima, and how each becomes steps."""

from __future__ import annotations

from hinge.network.building import arithmetic
from hinge.network.building.arithmetic import Term
from hinge.network.building.builder import Unreadable, Value
from hinge.network.from_onnx.node import Node, Reader


def _sum(node: Node) -> Value:
    first, *others = node.terms()
    total: Term = first
    for other in others:
        total = _plus(node, total, other)
    return _as_value(total)


def _plus(node: Node, x: Term, y: Term) -> Term:
    if isinstance(x, Value) or isinstance(y, Value):
        return arithmetic.add(node.build, x, y)
    return x + y


def _as_value(term: Term) -> Value:
    if not isinstance(term, Value):
        raise Unreadable("none of its inputs depends on the input")
    return term


def _subtract(node: Node) -> Value:
    left, right = node.terms()
    return arithmetic.subtract(node.build, left, right)


def _multiply(node: Node) -> Value:
    left, right = node.terms()
    return arithmetic.multiply(node.build, left, right)


def _divide(node: Node) -> Value:
    left, right = node.terms()
    return arithmetic.divide(node.build, left, right)


def _negate(node: Node) -> Value:
    return arithmetic.negated(node.build, node.x)


def _absolute(node: Node) -> Value:
    return arithmetic.maximum(node.build, [node.x, arithmetic.negated(node.build, node.x)])


def _maximum(node: Node) -> Value:
    return arithmetic.maximum(node.build, node.terms())


def _minimum(node: Node) -> Value:
    return arithmetic.minimum(node.build, node.terms())


def _mean(node: Node) -> Value:
    return arithmetic.divide(node.build, _sum(node), len(node.inputs))


def _clip(node: Node) -> Value:
    x = node.x
    low = node.attributes.get("min", node.tensor(1))
    high = node.attributes.get("max", node.tensor(2))
    if low is not None:
        x = arithmetic.maximum(node.build, [x, low])
    return x if high is None else arithmetic.minimum(node.build, [x, high])


def _reduce(node: Node) -> Value:
    x, keep = node.x, bool(node.get("keepdims", 1))
    axes = node.integers("axes", 1)
    if not axes:
        if node.get("noop_with_empty_axes", 0):
            return x
        raise Unreadable("it reduces the whole batch")
    match node.kind:
        case "ReduceMax":
            return arithmetic.largest(node.build, x, axes, keep=keep)
        case "ReduceMin":
            return arithmetic.smallest(node.build, x, axes, keep=keep)
        case _:
            mean = node.kind == "ReduceMean"
            return arithmetic.total(node.build, x, axes, keep=keep, mean=mean)


READERS: dict[str, Reader] = {
    "Abs": _absolute,
    "Add": _sum,
    "Clip": _clip,
    "Div": _divide,
    "Max": _maximum,
    "Mean": _mean,
    "Min": _minimum,
    "Mul": _multiply,
    "Neg": _negate,
    **dict.fromkeys(("ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"), _reduce),
    "Sub": _subtract,
    "Sum": _sum,
}
