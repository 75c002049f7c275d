"""ATen operators with weights or windows, and how each becomes steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hinge.network.building import arithmetic, layers
from hinge.network.building.builder import Unreadable, Value
from hinge.network.building.forms import padded, resampled
from hinge.network.from_torch.aten import LOST, Operation, Reader


def _linear(op: Operation) -> Value:
    return layers.dense(op.build, op.x, op.constant("weight"), op.constant("bias"))


def _matmul(op: Operation) -> Value:
    left, right = (op[name] for name in list(op.arguments)[:2])
    return layers.product(op.build, left, right)


def _addmm(op: Operation) -> Value:
    built = layers.product(op.build, op["mat1"], op["mat2"])
    scaled = arithmetic.multiply(op.build, built, op["alpha"]) if op["alpha"] != 1 else built
    term = op["self"]
    if op["beta"] != 1:
        term = (
            term * op["beta"]
            if isinstance(term, Tensor)
            else arithmetic.multiply(op.build, term, op["beta"])
        )
    return arithmetic.add(op.build, scaled, term)


def _convolution(op: Operation) -> Value:
    padding = op["padding"]
    x, weight = op.x, op.constant("weight")
    if padding == "same":
        x, padding = _padded_same(op, x, weight), 0
    transposed = op.get("transposed", op.name.startswith("conv_transpose"))
    return layers.convolve(
        op.build,
        x,
        weight,
        op.constant("bias"),
        stride=op["stride"],
        padding=0 if padding == "valid" else padding,
        dilation=op["dilation"],
        groups=op["groups"],
        output_padding=op["output_padding"] if transposed else None,
    )


def _padded_same(op: Operation, x: Value, weight: Tensor) -> Value:
    kernel = weight.shape[2:]
    dilation = layers.sizes(op["dilation"], len(kernel))
    pads: list[int] = []
    for size, step in zip(reversed(kernel), reversed(dilation), strict=True):
        whole = step * (size - 1)
        pads += [whole // 2, whole - whole // 2]
    return padded(op.build, x, pads, "constant", 0.0)


def _batch_norm(op: Operation) -> Any:
    mean, variance = op.constant("running_mean"), op.constant("running_var")
    if op.get("training", False) or mean is None or variance is None:
        raise Unreadable("it normalises by the statistics of the batch")
    normal = layers.normalize(
        op.build,
        op.x,
        mean=mean,
        variance=variance,
        weight=op.constant("weight"),
        bias=op.constant("bias"),
        epsilon=op["eps"],
    )
    return normal if op.name == "batch_norm" else (normal, LOST, LOST)


def _average_pool(op: Operation) -> Value:
    return layers.average_windows(
        op.build,
        op.x,
        kernel=op["kernel_size"],
        stride=op["stride"],
        padding=op["padding"],
        rank=_rank(op),
        ceil=op["ceil_mode"],
        count_padding=op["count_include_pad"],
        divisor=op.get("divisor_override"),
    )


def _adaptive_average(op: Operation) -> Value:
    return layers.adaptive_average(op.build, op.x, tuple(op["output_size"]))


def _max_pool(op: Operation) -> Any:
    result = layers.max_windows(
        op.build,
        op.x,
        kernel=op["kernel_size"],
        stride=op["stride"],
        padding=op["padding"],
        dilation=op["dilation"],
        rank=_rank(op),
        ceil=op["ceil_mode"],
    )
    return (result, LOST) if op.name.endswith("indices") else result


def _adaptive_max(op: Operation) -> Any:
    return layers.adaptive_max(op.build, op.x, tuple(op["output_size"])), LOST


def _rank(op: Operation) -> int:
    return int(op.name.removesuffix("_with_indices")[-2])


def _upsample(op: Operation) -> Value:
    x, shape = op.x, op.new_shape
    rank = _rank(op)
    factors = op.get("scale_factors") or [op.get(f"scales_{a}") for a in "dhw"[3 - rank :]]
    if rank == 1:
        factors = op.get("scale_factors") or [op.get("scales")]
    indices = []
    for old, new, factor in zip(x.shape[-rank:], shape[-rank:], factors, strict=True):
        ramp = torch.arange(old, dtype=torch.float32).reshape(1, 1, old)
        # torch rounds in its own way: let it tell which position it takes.
        nearest = torch.ops.aten.upsample_nearest1d.default(ramp, [new], factor)
        indices.append(nearest.flatten().long().tolist())
    return resampled(op.build, x, indices)


_SIZES = ("1d", "2d", "3d")

READERS: dict[str, Reader] = {
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv"), _matmul),
    "addmm": _addmm,
    "convolution": _convolution,
    **{f"conv{size}": _convolution for size in _SIZES},
    **{f"conv_transpose{size}": _convolution for size in _SIZES},
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    **{f"avg_pool{size}": _average_pool for size in _SIZES},
    **{f"adaptive_avg_pool{size}": _adaptive_average for size in _SIZES},
    **{f"_adaptive_avg_pool{size}": _adaptive_average for size in _SIZES},
    **{f"max_pool{size}": _max_pool for size in _SIZES},
    **{f"max_pool{size}_with_indices": _max_pool for size in _SIZES},
    **{f"adaptive_max_pool{size}": _adaptive_max for size in _SIZES},
    **{f"upsample_nearest{size}": _upsample for size in _SIZES},
}
