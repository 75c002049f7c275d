"""ONNX operators with weights or windows, and how each becomes steps."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor

from hinge.network import arithmetic, forms, layers
from hinge.network.affine import Shape
from hinge.network.aten import LOST
from hinge.network.build import Unreadable, Value
from hinge.network.onnx_node import Node, Reader


@dataclass(frozen=True)
class Window:
    """How a kernel slides: one entry per spatial axis, ``before`` and ``after`` are pads."""

    kernel: Shape
    stride: Shape
    dilation: Shape
    before: Shape
    after: Shape

    @property
    def even(self) -> bool:
        """Whether torch's own padding does: alike on both sides, at most half a kernel."""
        half = all(2 * pad <= size for pad, size in zip(self.before, self.kernel, strict=True))
        return self.before == self.after and half

    @property
    def pads(self) -> list[int]:
        """The pads in torch's order: the last axis first."""
        pairs = zip(reversed(self.before), reversed(self.after), strict=True)
        return [pad for pair in pairs for pad in pair]


def window(node: Node, x: Value, kernel: Shape) -> Window:
    """Return the window that a node's attributes describe."""
    rank = len(kernel)
    if x.rank != rank + 2:
        raise Unreadable(f"it needs a batch of {rank + 2} axes and gets one of {x.rank}")
    stride = tuple(node.get("strides", (1,) * rank))
    dilation = tuple(node.get("dilations", (1,) * rank))
    pads = tuple(node.get("pads", (0,) * 2 * rank))
    auto = node.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        totals = [
            max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            for n, k, s, d in zip(x.shape[1:], kernel, stride, dilation, strict=True)
        ]
        small, large = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
        pads = small + large if auto == "SAME_UPPER" else large + small
    return Window(kernel, stride, dilation, pads[:rank], pads[rank:])


def _convolution(node: Node) -> Value:
    x, weight, bias = node.x, node.weight(1), node.tensor(2)
    slide = window(node, x, tuple(weight.shape[2:]))
    padding = slide.before
    if slide.before != slide.after:
        x, padding = forms.padded(node.build, x, slide.pads, "constant", 0.0), (0,)
    return layers.convolve(
        node.build,
        x,
        weight,
        bias,
        stride=slide.stride,
        padding=padding,
        dilation=slide.dilation,
        groups=node.get("group", 1),
    )


def _transposed_convolution(node: Node) -> Value:
    x, weight, bias = node.x, node.weight(1), node.tensor(2)
    rank = weight.ndim - 2
    if "output_shape" in node.attributes or node.get("auto_pad", "NOTSET") not in (
        "NOTSET",
        "VALID",
    ):
        raise Unreadable("it gives its output's shape instead of pads")
    slide = window(node, x, tuple(weight.shape[2:]))
    alike = slide.before == slide.after
    whole = layers.convolve(
        node.build,
        x,
        weight,
        bias,
        stride=slide.stride,
        padding=slide.before if alike else 0,
        dilation=slide.dilation,
        groups=node.get("group", 1),
        output_padding=tuple(node.get("output_padding", (0,) * rank)),
    )
    if alike:
        return whole
    return forms.padded(node.build, whole, [-pad for pad in slide.pads], "constant", 0.0)


def _gemm(node: Node) -> Value:
    weight, bias = node.weight(1), node.input(2)
    if node.get("transA", 0):
        raise Unreadable("it transposes the batch")
    weight = (weight if node.get("transB", 0) else weight.T) * node.get("alpha", 1.0)
    if isinstance(bias, Value):
        built = layers.dense(node.build, node.x, weight, None)
        scaled = arithmetic.multiply(node.build, bias, node.get("beta", 1.0))
        return arithmetic.add(node.build, built, scaled)
    tensor = node.tensor(2)
    tensor = None if tensor is None else tensor * node.get("beta", 1.0)
    if tensor is not None and tensor.numel() not in (1, weight.shape[0]):
        raise Unreadable("its bias differs between the examples of a batch")
    return layers.dense(node.build, node.x, weight, tensor)


def _matmul(node: Node) -> Value:
    left, right = node.terms()
    return layers.product(node.build, left, right)


def _batch_norm(node: Node) -> Any:
    if node.get("training_mode", 0):
        raise Unreadable("it normalises by the statistics of the batch")
    scale, bias, mean, variance = (node.weight(i) for i in range(1, 5))
    return layers.normalize(
        node.build,
        node.x,
        mean=mean,
        variance=variance,
        weight=scale,
        bias=bias,
        epsilon=node.get("epsilon", 1e-5),
    )


def _max_pool(node: Node) -> Any:
    x = node.x
    slide = window(node, x, tuple(node.get("kernel_shape", ())))
    padding = slide.before
    if not slide.even:
        x, padding = forms.padded(node.build, x, slide.pads, "constant", -inf), (0,)
    result = layers.max_windows(
        node.build,
        x,
        kernel=slide.kernel,
        stride=slide.stride,
        padding=padding,
        dilation=slide.dilation,
        rank=len(slide.kernel),
        ceil=bool(node.get("ceil_mode", 0)),
    )
    return result, LOST


def _average_pool(node: Node) -> Value:
    x = node.x
    slide = window(node, x, tuple(node.get("kernel_shape", ())))
    if any(step != 1 for step in slide.dilation):
        raise Unreadable("it averages over a dilated window")
    ceil, count = bool(node.get("ceil_mode", 0)), bool(node.get("count_include_pad", 0))
    if slide.even:
        return _averaged(node, x, slide, slide.before, ceil=ceil, count=count)
    padded = forms.padded(node.build, x, slide.pads, "constant", 0.0)
    mean = _averaged(node, padded, slide, (0,), ceil=ceil, count=True)
    return mean if count else arithmetic.multiply(node.build, mean, _shares(x, slide, ceil=ceil))


def _averaged(
    node: Node, x: Value, slide: Window, padding: Shape, *, ceil: bool, count: bool
) -> Value:
    return layers.average_windows(
        node.build,
        x,
        kernel=slide.kernel,
        stride=slide.stride,
        padding=padding,
        rank=len(slide.kernel),
        ceil=ceil,
        count_padding=count,
    )


def _shares(x: Value, slide: Window, *, ceil: bool) -> Tensor:
    """Return, for each window, the values it has over those of them that are no padding."""
    rank = len(slide.kernel)
    pool = (
        torch.nn.functional.avg_pool1d,
        torch.nn.functional.avg_pool2d,
        torch.nn.functional.avg_pool3d,
    )[rank - 1]
    ones = torch.ones((1, *x.shape[1:]), dtype=torch.float64)
    inside = torch.nn.functional.pad(ones, slide.pads)[None]
    share: Tensor = pool(inside, slide.kernel, slide.stride, 0, ceil)
    return 1 / share[0]


def _global_average(node: Node) -> Value:
    x = node.x
    return arithmetic.total(node.build, x, range(2, x.rank), keep=True, mean=True)


def _global_max(node: Node) -> Value:
    x = node.x
    return arithmetic.largest(node.build, x, range(2, x.rank), keep=True)


READERS: dict[str, Reader] = {
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "GlobalMaxPool": _global_max,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
}
