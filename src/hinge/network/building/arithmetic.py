"""Sums, differences, products, quotients and maxima of values and constants, as steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from hinge.network.building.builder import Builder, Unreadable, Value
from hinge.network.maxima import Between, Over
from hinge.network.operators.affine import Scale, Shape
from hinge.network.operators.shapes import Expand, Reshape, Sum

Number = int | float
Term = Value | Tensor | Number


def add(build: Builder, x: Term, y: Term) -> Value:
    """``x + y``."""
    if isinstance(x, Value) and isinstance(y, Value):
        return build.add(aligned(build, [x, y]))
    value, constant = _sorted(x, y)
    return scaled(build, value, term=constant)


def subtract(build: Builder, x: Term, y: Term) -> Value:
    """``x - y``."""
    if isinstance(y, Value):
        return (
            add(build, x, negated(build, y))
            if isinstance(x, Value)
            else scaled(build, y, factor=-1, term=x)
        )
    return add(build, x, -y)


def multiply(build: Builder, x: Term, y: Term) -> Value:
    """``x * y``, one of them a constant."""
    if isinstance(x, Value) and isinstance(y, Value):
        raise Unreadable("it multiplies two values that both depend on the input")
    value, constant = _sorted(x, y)
    return scaled(build, value, factor=constant)


def divide(build: Builder, x: Term, y: Term) -> Value:
    """``x / y``, ``y`` a constant."""
    if isinstance(y, Value):
        raise Unreadable("it divides by a value that depends on the input")
    return multiply(build, x, 1 / as_tensor(y).double())


def negated(build: Builder, x: Value) -> Value:
    """``-x``."""
    return scaled(build, x, factor=-1)


def scaled(
    build: Builder,
    x: Value,
    factor: Tensor | Number | None = None,
    term: Tensor | Number | None = None,
) -> Value:
    """``factor * x + term``; constants may broadcast ``x`` to a larger shape."""
    held = [_per_example(c, x) if c is not None else None for c in (factor, term)]
    shape = np.broadcast_shapes(x.shape, *(c.shape for c in held if c is not None))
    x = expanded(build, x, tuple(shape))
    return build.affine(x, Scale(input_shape=x.shape, factor=held[0], term=held[1]))


def maximum(build: Builder, terms: Sequence[Term]) -> Value:
    """Return the largest of the terms, value by value."""
    return build.maximum(_all_values(build, terms), Between())


def minimum(build: Builder, terms: Sequence[Term]) -> Value:
    """Return the smallest of the terms: ``-max(-x)``."""
    values = [negated(build, value) for value in _all_values(build, terms)]
    return negated(build, build.maximum(values, Between()))


def largest(build: Builder, x: Value, axes: Sequence[int], *, keep: bool) -> Value:
    """Return the largest value over axes."""
    return build.maximum([x], Over(axes=x.axes(axes), keep=keep))


def smallest(build: Builder, x: Value, axes: Sequence[int], *, keep: bool) -> Value:
    """Return the smallest value over axes."""
    return negated(build, largest(build, negated(build, x), axes, keep=keep))


def total(build: Builder, x: Value, axes: Sequence[int], *, keep: bool, mean: bool) -> Value:
    """Return the sum or the mean over axes."""
    found = x.axes(axes)
    divisor = 1
    for axis in found if mean else ():
        divisor *= x.shape[axis - 1]
    return build.affine(x, Sum(input_shape=x.shape, axes=found, keep=keep, divisor=divisor))


def expanded(build: Builder, x: Value, shape: Shape) -> Value:
    """Broadcast ``x`` to the shape (without batch)."""
    if len(shape) > len(x.shape):
        raise Unreadable("it broadcasts to more axes, which moves the batch from the first one")
    if x.shape == shape:
        return x
    return build.affine(x, Expand(input_shape=x.shape, to_shape=shape))


def aligned(build: Builder, values: Sequence[Value]) -> list[Value]:
    """Broadcast values to one shape."""
    if len({len(value.shape) for value in values}) > 1:
        raise Unreadable("it broadcasts values of different rank, which mixes up their batches")
    try:
        shape = tuple(np.broadcast_shapes(*(value.shape for value in values)))
    except ValueError as error:
        raise Unreadable("its inputs' shapes do not fit together") from error
    return [expanded(build, value, shape) for value in values]


def as_tensor(constant: Tensor | Number) -> Tensor:
    """Return the constant as a floating-point tensor; a plain number in float64."""
    if isinstance(constant, Tensor):
        return constant if constant.is_floating_point() else constant.double()
    return torch.tensor(constant, dtype=torch.float64)


def _per_example(constant: Tensor | Number, x: Value) -> Tensor:
    """Return the constant as one example sees it: without a batch axis."""
    tensor = as_tensor(constant)
    if tensor.ndim > x.rank:
        raise Unreadable("a constant has more axes than the value, which moves the batch")
    if tensor.ndim == x.rank:
        if tensor.shape[0] != 1:
            raise Unreadable("a constant differs between the examples of a batch")
        tensor = tensor[0]
    return tensor


def _all_values(build: Builder, terms: Sequence[Term]) -> list[Value]:
    values = [term for term in terms if isinstance(term, Value)]
    like = values[0]
    found: list[Value] = []
    for term in terms:
        if isinstance(term, Value):
            found.append(term)
            continue
        constant = _per_example(term, like)
        found.append(build.constant(constant.reshape(_padded(constant.shape, like.shape))))
    return aligned(build, found)


def _padded(shape: Sequence[int], like: Shape) -> Shape:
    return (*[1] * (len(like) - len(shape)), *shape)


def _sorted(x: Term, y: Term) -> tuple[Value, Tensor | Number]:
    if isinstance(x, Value) and not isinstance(y, Value):
        return x, y
    if isinstance(y, Value) and not isinstance(x, Value):
        return y, x
    raise Unreadable("exactly one of its inputs must depend on the input")


def reshaped(build: Builder, x: Value, shape: Shape) -> Value:
    """Return the same values in this shape (without batch)."""
    return build.affine(x, Reshape(input_shape=x.shape, to_shape=shape))
