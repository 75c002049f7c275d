"""ONNX operators with weights or windows, and how each becomes steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from hinge.network.building import arithmetic, forms, layers
from hinge.network.building.builder import Unreadable, Value
from hinge.network.from_onnx.node import Node, Reader
from hinge.network.from_torch.aten import LOST
from hinge.network.operators.affine import Shape
from hinge.network.operators.convolution import AveragePool


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

    def exact(self, sizes: Shape, *, ceil: bool) -> Window:
        """Return the window with pads after which no value is left over.

        With ``ceil``, a last window may reach beyond the pads, but not start in those after.
        """
        after = []
        for axis, size in enumerate(sizes):
            reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1
            room = size + self.before[axis] + self.after[axis] - reach
            steps = -(-room // self.stride[axis]) if ceil else room // self.stride[axis]
            steps -= steps * self.stride[axis] >= size + self.before[axis]
            after.append(steps * self.stride[axis] + reach - size - self.before[axis])
        return replace(self, after=tuple(after))


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
    padding, ceil = slide.before, bool(node.get("ceil_mode", 0))
    if not slide.even:
        pads = slide.exact(x.shape[1:], ceil=ceil).pads
        x, padding, ceil = forms.padded(node.build, x, pads, "constant", -inf), (0,), False
    result = layers.max_windows(
        node.build,
        x,
        kernel=slide.kernel,
        stride=slide.stride,
        padding=padding,
        dilation=slide.dilation,
        rank=len(slide.kernel),
        ceil=ceil,
    )
    return result, LOST


def _average_pool(node: Node) -> Value:
    x = node.x
    slide = window(node, x, tuple(node.get("kernel_shape", ())))
    if any(step != 1 for step in slide.dilation):
        raise Unreadable("it averages over a dilated window")
    ceil, count = bool(node.get("ceil_mode", 0)), bool(node.get("count_include_pad", 0))
    padding, counted = slide.before, None
    if not slide.even:
        exact = slide.exact(x.shape[1:], ceil=ceil)
        counted = _counted(x.shape, slide, exact, padding=count)
        x, padding = forms.padded(node.build, x, exact.pads, "constant", 0.0), (0,)
        ceil, count = False, True
    mean = layers.average_windows(
        node.build,
        x,
        kernel=slide.kernel,
        stride=slide.stride,
        padding=padding,
        rank=len(slide.kernel),
        ceil=ceil,
        count_padding=count,
    )
    return mean if counted is None else arithmetic.divide(node.build, mean, counted)


def _counted(shape: Shape, slide: Window, exact: Window, *, padding: bool) -> Tensor:
    """Return the share of each window that counts: the values, and the node's own pads or not."""
    ones = torch.ones((1, *shape[1:]), dtype=torch.float64)
    inside = functional.pad(ones, slide.pads, value=float(padding))
    beyond = [wide - own for wide, own in zip(exact.pads, slide.pads, strict=True)]
    pool = AveragePool(
        input_shape=shape,
        kernel=slide.kernel,
        stride=slide.stride,
        padding=(0,) * len(slide.kernel),
    )
    return pool.linear(functional.pad(inside, beyond)[None])[0]


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
