"""A program run on points in float64."""

from __future__ import annotations

from typing import assert_never

import numpy as np

from hinge.regions.programs.program import (
    Bend,
    Fold,
    Join,
    Larger,
    Linear,
    Operation,
    Program,
    Reals,
    Total,
)

_TOGETHER = 4096
"""Points whose buffers fit into the processor's cache, roughly."""


def program_values(program: Program, points: Reals) -> list[Reals]:
    """Return all buffers at ``points`` ``(n, d)``: for buffer i an array ``(n, widths[i])``."""
    buffers = [np.asarray(points, np.float64)]
    for operation in program.operations:
        if not isinstance(operation, Fold):
            buffers.append(_value(operation, buffers))
    return buffers


def output_values(program: Program, points: Reals) -> Reals:
    """Return the output at ``points`` ``(n, d)``, a few at a time: ``(n, widths[output])``."""
    parts = [
        program_values(program, points[first : first + _TOGETHER])[program.output]
        for first in range(0, max(len(points), 1), _TOGETHER)
    ]
    return np.concatenate(parts)


def _value(operation: Operation, buffers: list[Reals]) -> Reals:
    match operation:
        case Linear(source, _, matrix, bias):
            product: Reals = np.asarray(matrix @ buffers[source].T).T
            return product + bias
        case Total(several, _):
            total: Reals = np.sum([buffers[one] for one in several], axis=0)
            return total
        case Join(several, _):
            return np.concatenate([buffers[one] for one in several], axis=1)
        case Larger(source, _, first, second):
            return np.maximum(buffers[source][:, first], buffers[source][:, second])
        case Bend():
            return _bent(operation, buffers[operation.source])
        case Fold(source):
            return buffers[source]
        case _:
            assert_never(operation)


def _bent(bend: Bend, x: Reals) -> Reals:
    if _rectifies(bend):  # what nearly all of them do, in one pass
        return np.maximum(x, 0.0)
    at, height = bend.breaks[:, 0], bend.heights
    result = height + bend.slopes[:, 0] * (np.minimum(x, at) - at)
    for i in range(bend.breaks.shape[1]):
        left = bend.breaks[:, i]
        right = bend.breaks[:, i + 1] if i + 1 < bend.breaks.shape[1] else np.inf
        result = result + bend.slopes[:, i + 1] * (np.clip(x, left, right) - left)
    return result


def _rectifies(bend: Bend) -> bool:
    """Whether it is max(0, x), value by value."""
    return (
        bend.breaks.shape[1] == 1
        and not (bend.breaks.any() or bend.heights.any() or bend.slopes[:, 0].any())
        and bool((bend.slopes[:, 1] == 1).all())
    )
