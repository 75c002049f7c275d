"""ATen operators that move values or change shapes, and how each becomes steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hinge.network.building import forms
from hinge.network.building.arithmetic import expanded, reshaped
from hinge.network.building.builder import Unreadable, Value
from hinge.network.from_torch.aten import Operation, Reader


def _same(op: Operation) -> Value:
    dtype = op.get("dtype")
    if dtype is not None and not dtype.is_floating_point:
        raise Unreadable(f"it converts to {dtype}")
    return op.x


def _dropout(op: Operation) -> Value:
    if op["train"]:
        raise Unreadable("it drops values at random")
    return op.x


def _reshape(op: Operation) -> Value:
    return reshaped(op.build, op.x, op.new_shape)


def _expand(op: Operation) -> Value:
    x, shape = op.x, op.new_shape
    return expanded(
        op.build, reshaped(op.build, x, (*[1] * (len(shape) - len(x.shape)), *x.shape)), shape
    )


def _permute(op: Operation) -> Value:
    return forms.permuted(op.build, op.x, op["dims"])


def _transpose(op: Operation) -> Value:
    return forms.swapped(op.build, op.x, op["dim0"], op["dim1"])


def _slice(op: Operation) -> Value:
    return forms.sliced(op.build, op.x, op["dim"], op["start"], op["end"], step=op["step"])


def _select(op: Operation) -> Value:
    return forms.selected(op.build, op.x, op["dim"], op["index"])


def _narrow(op: Operation) -> Value:
    return forms.sliced(op.build, op.x, op["dim"], op["start"], op["start"] + op["length"])


def _split(op: Operation) -> list[Value]:
    x, axis = op.x, op.x.axis(op["dim"])
    length = x.shape[axis - 1]
    size = op["split_size"] if op.name == "split" else -(-length // op["chunks"])
    return forms.split(op.build, x, axis, [min(size, length - i) for i in range(0, length, size)])


def _split_with_sizes(op: Operation) -> list[Value]:
    return forms.split(op.build, op.x, op["dim"], op["split_sizes"])


def _unbind(op: Operation) -> list[Value]:
    x, axis = op.x, op.x.axis(op["dim"])
    return [forms.selected(op.build, x, axis, i) for i in range(x.shape[axis - 1])]


def _index(op: Operation) -> Value:
    given = [(axis, index) for axis, index in enumerate(op["indices"]) if index is not None]
    if len(given) != 1 or not isinstance(given[0][1], Tensor) or given[0][1].ndim != 1:
        raise Unreadable("it indexes by more than one constant list")
    axis, index = given[0]
    positions = index.nonzero() if index.dtype == torch.bool else index
    return forms.taken(op.build, op.x, axis, positions.long())


def _index_select(op: Operation) -> Value:
    return forms.taken(op.build, op.x, op["dim"], op.constant("index").long())


def _flip(op: Operation) -> Value:
    x = op.x
    for axis in x.axes(op["dims"]):
        x = forms.sliced(op.build, x, axis, None, None, step=-1)
    return x


def _roll(op: Operation) -> Value:
    x = op.x
    if not op["dims"]:
        raise Unreadable("it rolls the whole batch")
    for shift, dim in zip(op["shifts"], op["dims"], strict=True):
        axis = x.axis(dim)
        x = forms.taken(op.build, x, axis, torch.arange(x.shape[axis - 1]).roll(shift))
    return x


def _repeat(op: Operation) -> Value:
    x = op.x
    times = op.get("repeats", op.get("dims"))
    times = [*[1] * (x.rank - len(times)), *times]
    if len(times) != x.rank or times[0] != 1:
        raise Unreadable("it repeats the batch")
    for axis, count in enumerate(times[1:], 1):
        x = forms.taken(op.build, x, axis, torch.arange(x.shape[axis - 1]).repeat(count))
    return x


def _repeat_interleave(op: Operation) -> Value:
    x, repeats = op.x, op.constant("repeats")
    if op["dim"] is None:
        raise Unreadable("it flattens the batch")
    axis = x.axis(op["dim"])
    positions = torch.arange(x.shape[axis - 1]).repeat_interleave(repeats)
    return forms.taken(op.build, x, axis, positions)


def _pad(op: Operation) -> Value:
    pads = op.get("pad", op.get("padding"))
    mode = op.get("mode") or next((m for m in _PAD_MODES if op.name.startswith(m)), "constant")
    return forms.padded(op.build, op.x, pads, _PAD_MODES.get(mode, mode), op.get("value") or 0.0)


_PAD_MODES = {"reflection": "reflect", "replication": "replicate"}


def _concat(op: Operation) -> Value:
    return forms.joined(op.build, op["tensors"], op["dim"])


def _stack(op: Operation) -> Value:
    return forms.stacked(op.build, op["tensors"], op["dim"])


def _pixel_shuffle(op: Operation) -> Value:
    x, factor = op.x, op["upscale_factor"]
    channels, height, width = x.shape
    parts = reshaped(op.build, x, (channels // factor**2, factor, factor, height, width))
    return reshaped(op.build, forms.permuted(op.build, parts, (0, 1, 4, 2, 5, 3)), op.new_shape)


def _channel_shuffle(op: Operation) -> Value:
    x, groups = op.x, op["groups"]
    parts = reshaped(op.build, x, (groups, x.shape[0] // groups, *x.shape[1:]))
    return reshaped(op.build, forms.swapped(op.build, parts, 1, 2), op.new_shape)


def _filled(op: Operation) -> Tensor:
    """Return a constant as large as the batch as it is for one example, whatever the batch."""
    number = op.constant("fill_value") if "fill_value" in op.arguments else int("ones" in op.name)
    return torch.full((1, *op.new_shape), float(number), dtype=torch.float64)


def _get(op: Operation) -> Any:
    several: Any = op["self"]
    return several[op["index"]]


READERS: dict[str, Reader] = {
    **dict.fromkeys(
        ("clone", "contiguous", "alias", "detach", "lift_fresh_copy", "to", "_to_copy", "type_as"),
        _same,
    ),
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout", "native_dropout"), _dropout),
    **dict.fromkeys(
        ("view", "_unsafe_view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze"),
        _reshape,
    ),
    "expand": _expand,
    "permute": _permute,
    "transpose": _transpose,
    "slice": _slice,
    "select": _select,
    "narrow": _narrow,
    **dict.fromkeys(("split", "chunk"), _split),
    "split_with_sizes": _split_with_sizes,
    "unbind": _unbind,
    "index": _index,
    "index_select": _index_select,
    "flip": _flip,
    "roll": _roll,
    **dict.fromkeys(("repeat", "tile"), _repeat),
    "repeat_interleave": _repeat_interleave,
    **dict.fromkeys(("pad", "constant_pad_nd"), _pad),
    **{f"{kind}_pad{size}": _pad for kind in _PAD_MODES for size in ("1d", "2d", "3d")},
    "cat": _concat,
    "stack": _stack,
    "pixel_shuffle": _pixel_shuffle,
    "channel_shuffle": _channel_shuffle,
    **{
        name: _filled
        for kind in ("zeros", "ones", "full")
        for name in (kind, f"{kind}_like", f"new_{kind}")
    },
    "getitem": _get,
}
