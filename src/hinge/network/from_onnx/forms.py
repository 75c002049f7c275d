"""ONNX operators that move values or change shapes, and how each becomes steps."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, prod
from typing import Any

import numpy as np
import torch
from onnx import TensorProto

from hinge.network.building import forms
from hinge.network.building.arithmetic import expanded, reshaped
from hinge.network.building.builder import Unreadable, Value, within_limit
from hinge.network.from_onnx.node import BATCH, Node, Reader, tensor_of
from hinge.network.from_torch.aten import LOST
from hinge.network.operators.affine import Shape

_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)


def _same(node: Node) -> Value:
    return node.x


def _dropout(node: Node) -> Any:
    training = node.constant(2)
    if training is not None and training.any():
        raise Unreadable("it drops values at random")
    return node.x, LOST


def _cast(node: Node) -> Value:
    if node.get("to", 0) not in _FLOATS:
        raise Unreadable("it converts to integers")
    return node.x


def _flatten(node: Node) -> Value:
    x = node.x
    axis = node.get("axis", 1)
    axis = axis + x.rank if axis < 0 else axis
    if axis < 1 or prod(x.shape[: axis - 1]) != 1:
        raise Unreadable("it merges the batch with other axes")
    return reshaped(node.build, x, (prod(x.shape),))


def _reshape(node: Node) -> Value:
    x, target = node.x, node.integers("shape", 1) or []
    if not target:
        raise Unreadable("it merges the batch with other axes")
    old = (node.batch, *x.shape)
    copies = not node.get("allowzero", 0)
    wanted = [old[i] if n == 0 and copies and i < len(old) else n for i, n in enumerate(target)]
    first, rest = wanted[0], tuple(wanted[1:])
    if rest.count(-1) == 1 and first != -1:
        known = prod(n for n in rest if n != -1)
        free = prod(x.shape) // known if known else 0
        rest = tuple(free if n == -1 else n for n in rest)
    if (
        first not in (-1, node.batch, BATCH)
        or prod(rest) != prod(x.shape)
        or min(rest, default=1) < 0
    ):
        raise Unreadable(f"it reshapes to {target}, which merges the batch with other axes")
    return reshaped(node.build, x, rest)


def _transpose(node: Node) -> Value:
    x = node.x
    return forms.permuted(node.build, x, node.get("perm", range(x.rank)[::-1]))


def _squeeze(node: Node) -> Value:
    return forms.squeezed(node.build, node.x, node.integers("axes", 1))


def _unsqueeze(node: Node) -> Value:
    return forms.unsqueezed(node.build, node.x, node.integers("axes", 1) or [])


def _concat(node: Node) -> Value:
    return forms.joined(node.build, node.terms(), node.get("axis", 1))


def _pad(node: Node) -> Value:
    x, pads = node.x, node.integers("pads", 1) or []
    given = node.integers("axes", 3) if node.opset >= 18 else None  # noqa: PLR2004 # opset 18
    axes = range(x.rank) if given is None else [axis % x.rank for axis in given]
    if len(pads) != 2 * len(axes):
        raise Unreadable("its pads do not fit its axes")
    both = {axis: (pads[i], pads[i + len(axes)]) for i, axis in enumerate(axes)}
    flat = [pad for axis in reversed(range(x.rank)) for pad in both.get(axis, (0, 0))]
    value = node.constant(2)
    number = node.get("value", 0.0) if value is None else float(value.reshape(-1)[0])
    return forms.padded(node.build, x, flat, node.get("mode", "constant"), number)


def _slice(node: Node) -> Value:
    x = node.x
    starts, stops = node.integers("starts", 1) or [], node.integers("ends", 2) or []
    axes = node.integers("axes", 3) or list(range(len(starts)))
    steps = node.integers("steps", 4) or [1] * len(starts)
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True):
        # A stop far below zero means "past the first", which Python writes as None.
        past = step < 0 and stop < -max((0, *x.shape))
        x = forms.sliced(node.build, x, axis, start, None if past else stop, step=step)
    return x


def _split(node: Node) -> list[Value]:
    x = node.x
    axis = x.axis(node.get("axis", 0))
    length = x.shape[axis - 1]
    size = -(-length // node.n_outputs)
    equal = [min(size, length - start) for start in range(0, length, size)]
    return forms.split(node.build, x, axis, node.integers("split", 1) or equal)


def _gather(node: Node) -> Value:
    x, index = node.x, node.constant(1)
    axis = x.axis(node.get("axis", 0))
    if index is None or index.ndim > 1:
        raise Unreadable("it takes values by a table of positions")
    if index.ndim == 0:
        return forms.selected(node.build, x, axis, int(index))
    return forms.taken(node.build, x, axis, tensor_of(index))


def _expand(node: Node) -> Value:
    x, target = node.x, node.integers("shape", 1) or []
    target = [1] * (x.rank - len(target)) + target
    if len(target) != x.rank or target[0] not in (1, node.batch, BATCH):
        raise Unreadable("it expands the batch")
    sizes = zip(x.shape, target[1:], strict=True)
    return expanded(node.build, x, tuple(max(old, new) for old, new in sizes))


def _tile(node: Node) -> Value:
    x, times = node.x, node.integers("repeats", 1) or []
    if len(times) != x.rank or times[0] != 1:
        raise Unreadable("it repeats the batch")
    within_limit(prod(times) * prod(x.shape))
    for axis, count in enumerate(times[1:], 1):
        x = forms.taken(node.build, x, axis, torch.arange(x.shape[axis - 1]).repeat(count))
    return x


def _depth_to_space(node: Node) -> Value:
    x, size = node.x, node.get("blocksize", 1)
    channels, height, width = x.shape
    deep = channels // size**2
    by_row = node.get("mode", "DCR") == "CRD"
    parts = (deep, size, size, height, width) if by_row else (size, size, deep, height, width)
    order = (0, 1, 4, 2, 5, 3) if by_row else (0, 3, 4, 1, 5, 2)
    moved = forms.permuted(node.build, reshaped(node.build, x, parts), order)
    return reshaped(node.build, moved, (deep, height * size, width * size))


def _resize(node: Node) -> Value:
    x = node.x
    if node.get("mode", "nearest") != "nearest":
        raise Unreadable(f"it interpolates in the mode {node.get('mode', '')!r}")
    factors, sizes = _factors(node, x)
    within_limit(prod(sizes))
    indices = [
        _nearest(node, old, new, factor)
        for old, new, factor in zip(x.shape, sizes[1:], factors[1:], strict=True)
    ]
    return forms.resampled(node.build, x, indices)


def _factors(node: Node, x: Value) -> tuple[list[float], Shape]:
    """Return the factor and the new size of every axis, the batch included."""
    old_style = node.kind == "Upsample" or node.opset < 11  # noqa: PLR2004 # opset 11 added roi
    factors = node.constant(1 if old_style else 2)
    if factors is None and "scales" in node.attributes:
        factors = np.asarray(node.attributes["scales"])
    old = (1, *x.shape)
    if factors is not None and factors.size == x.rank:
        given = [float(f) for f in factors]
        sizes = tuple(floor(n * f) for n, f in zip(old, given, strict=True))
    else:
        target = node.integers("sizes", 3) or []
        if len(target) != x.rank or target[0] not in (node.batch, BATCH):
            raise Unreadable("it resizes the batch, or some axes only")
        sizes = (1, *target[1:])
        given = [1.0, *(n / o for n, o in zip(target[1:], x.shape, strict=True))]
    if given[0] != 1 or sizes[0] != 1 or min(sizes) < 1:
        raise Unreadable("it resizes the batch, or to nothing")
    return given, sizes


def _nearest(node: Node, old: int, new: int, factor: float) -> list[int]:
    """Return the old position of each new one (ONNX operator Resize)."""
    plain = node.kind == "Upsample" or node.opset < 11  # noqa: PLR2004 # opset 11 chose a mode
    mode = "asymmetric" if plain else node.get("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if plain else node.get("nearest_mode", "round_prefer_floor")
    half = np.float32(0.5)  # in float32, like the programs that wrote and run such files
    ratio, last = np.float32(factor), np.float32(old - 1) / np.float32(max(new - 1, 1))
    places: dict[str, Callable[[np.float32], np.float32]] = {
        "asymmetric": lambda i: i / ratio,
        "half_pixel": lambda i: (i + half) / ratio - half,
        "pytorch_half_pixel": lambda i: (i + half) / ratio - half if new > 1 else i,
        "align_corners": lambda i: i * last,
    }
    roundings: dict[str, Callable[[np.float32], int]] = {
        "floor": floor,
        "ceil": ceil,
        "round_prefer_floor": lambda p: ceil(p - half),
        "round_prefer_ceil": lambda p: floor(p + half),
    }
    if mode not in places or rounding not in roundings:
        raise Unreadable(f"it resizes in the mode {mode!r} with {rounding!r}")
    positions = [roundings[rounding](places[mode](np.float32(i))) for i in range(new)]
    return [min(max(position, 0), old - 1) for position in positions]


READERS: dict[str, Reader] = {
    "Cast": _cast,
    "Concat": _concat,
    "DepthToSpace": _depth_to_space,
    "Dropout": _dropout,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": _same,
    "Pad": _pad,
    "Reshape": _reshape,
    "Resize": _resize,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Upsample": _resize,
}
