"""ATen operators of arithmetic and maxima, and how each becomes steps."""

from __future__ import annotations

from typing import Any

from hinge.network.building import arithmetic
from hinge.network.building.builder import Unreadable, Value
from hinge.network.from_torch.aten import LOST, Operation, Reader


def _add(op: Operation) -> Value:
    return arithmetic.add(op.build, op["self"], _times(op, op["other"], op.get("alpha", 1)))


def _subtract(op: Operation) -> Value:
    return arithmetic.subtract(op.build, op["self"], _times(op, op["other"], op.get("alpha", 1)))


def _reverse_subtract(op: Operation) -> Value:
    return arithmetic.subtract(op.build, op["other"], _times(op, op["self"], op.get("alpha", 1)))


def _times(op: Operation, term: Any, factor: float) -> Any:
    if factor == 1:
        return term
    return arithmetic.multiply(op.build, term, factor) if isinstance(term, Value) else term * factor


def _multiply(op: Operation) -> Value:
    return arithmetic.multiply(op.build, op["self"], op["other"])


def _divide(op: Operation) -> Value:
    if op.get("rounding_mode") is not None:
        raise Unreadable("it rounds")
    return arithmetic.divide(op.build, op["self"], op["other"])


def _negate(op: Operation) -> Value:
    return arithmetic.negated(op.build, op.x)


def _maximum(op: Operation) -> Value:
    return arithmetic.maximum(op.build, [op["self"], op["other"]])


def _minimum(op: Operation) -> Value:
    return arithmetic.minimum(op.build, [op["self"], op["other"]])


def _max(op: Operation) -> Any:
    if "other" in op.arguments:
        return _maximum(op)
    return arithmetic.largest(op.build, op.x, _dims(op), keep=op["keepdim"]), LOST


def _min(op: Operation) -> Any:
    if "other" in op.arguments:
        return _minimum(op)
    return arithmetic.smallest(op.build, op.x, _dims(op), keep=op["keepdim"]), LOST


def _amax(op: Operation) -> Value:
    return arithmetic.largest(op.build, op.x, _dims(op), keep=op["keepdim"])


def _amin(op: Operation) -> Value:
    return arithmetic.smallest(op.build, op.x, _dims(op), keep=op["keepdim"])


def _dims(op: Operation) -> list[int]:
    dims = op.get("dim")
    if dims is None or dims == []:
        raise Unreadable("it works over the whole batch")
    return [dims] if isinstance(dims, int) else list(dims)


def _sum(op: Operation) -> Value:
    dims, mean = _dims(op), op.name == "mean"
    return arithmetic.total(op.build, op.x, dims, keep=op["keepdim"], mean=mean)


def _clamp(op: Operation) -> Value:
    x = op.x
    low = op.get("min", op.get("min_val"))
    high = op.get("max", op.get("max_val"))
    if low is not None:
        x = arithmetic.maximum(op.build, [x, low])
    return x if high is None else arithmetic.minimum(op.build, [x, high])


def _absolute(op: Operation) -> Value:
    return arithmetic.maximum(op.build, [op.x, arithmetic.negated(op.build, op.x)])


READERS: dict[str, Reader] = {
    "add": _add,
    **dict.fromkeys(("sub", "subtract"), _subtract),
    "rsub": _reverse_subtract,
    **dict.fromkeys(("mul", "multiply"), _multiply),
    **dict.fromkeys(("div", "divide", "true_divide"), _divide),
    **dict.fromkeys(("neg", "negative"), _negate),
    "maximum": _maximum,
    "minimum": _minimum,
    "max": _max,
    "min": _min,
    "amax": _amax,
    "amin": _amin,
    **dict.fromkeys(("sum", "mean"), _sum),
    **dict.fromkeys(("clamp", "clip", "clamp_min", "clamp_max", "hardtanh"), _clamp),
    **dict.fromkeys(("abs", "absolute"), _absolute),
}
