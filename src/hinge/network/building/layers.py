"""Layers with weights, and pooling, as steps: dense, convolution, batch norm, windows."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from hinge.layout import Place
from hinge.network.building.arithmetic import reshaped
from hinge.network.building.builder import Builder, Unreadable, Value
from hinge.network.maxima import Adaptive, Windows
from hinge.network.operators.affine import Dense, Scale, Shape
from hinge.network.operators.convolution import AdaptiveAveragePool, AveragePool, Convolution

Sizes = int | Sequence[int]


def dense(build: Builder, x: Value, weight: Tensor, bias: Tensor | None, axis: int = -1) -> Value:
    """Apply a matrix ``(outputs, inputs)`` along an axis."""
    along = x.axis(axis)
    if bias is not None:
        bias = bias.flatten().expand(weight.shape[0])
    if weight.ndim != 2 or weight.shape[1] != x.shape[along - 1]:  # noqa: PLR2004 # a matrix
        raise Unreadable("its weight does not fit the value")
    operator = Dense(input_shape=x.shape, weight=weight, bias=bias, axis=along)
    return build.affine(x, operator)


def product(build: Builder, left: Value | Tensor, right: Value | Tensor) -> Value:
    """Multiply a value by a constant matrix or vector, on either side, as `torch.matmul` does."""
    if isinstance(left, Value) and isinstance(right, Tensor):
        x, constant, axis = left, right, left.rank - 1
        weight = matrix(right).T if right.ndim > 1 else right[None]
    elif isinstance(left, Tensor) and isinstance(right, Value):
        x, constant, axis = right, left, right.rank - 2
        weight = matrix(left) if left.ndim > 1 else left[None]
    else:
        raise Unreadable("it multiplies two values that both depend on the input")
    if constant.ndim > x.rank:
        raise Unreadable("its constant has more axes than the value, which moves the batch")
    result = dense(build, x, weight, None, axis)
    if constant.ndim > 1:
        return result
    return reshaped(build, result, (*x.shape[: axis - 1], *x.shape[axis:]))


def matrix(tensor: Tensor) -> Tensor:
    """Return a tensor of at least two axes as a matrix; refuse one that is a batch of them."""
    if tensor.numel() != tensor.shape[-1] * tensor.shape[-2]:
        raise Unreadable("its constant is a batch of matrices")
    return tensor.reshape(tensor.shape[-2:])


def convolve(
    build: Builder,
    x: Value,
    weight: Tensor,
    bias: Tensor | None,
    *,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    output_padding: Sizes | None = None,
) -> Value:
    """Slide a kernel; transposed if an output padding is given (zeros count)."""
    rank = weight.ndim - 2
    if x.rank != weight.ndim:
        raise Unreadable(f"it needs a batch of {weight.ndim} axes and gets one of {x.rank}")
    transposed = output_padding is not None
    operator = Convolution(
        input_shape=x.shape,
        weight=weight,
        bias=bias,
        stride=sizes(stride, rank),
        padding=sizes(padding, rank),
        dilation=sizes(dilation, rank),
        groups=groups,
        transposed=transposed,
        output_padding=sizes(0 if output_padding is None else output_padding, rank),
    )
    return build.affine(x, operator)


def normalize(
    build: Builder,
    x: Value,
    *,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    epsilon: float,
) -> Value:
    """Batch normalisation with fixed statistics, folded in float64."""
    factor = (variance.double() + epsilon).rsqrt()
    if weight is not None:
        factor = weight.double() * factor
    term = -mean.double() * factor
    if bias is not None:
        term = bias.double() + term
    column = (-1, *[1] * (x.rank - 2))
    operator = Scale(input_shape=x.shape, factor=factor.reshape(column), term=term.reshape(column))
    return build.affine(x, operator, Place(1, x.shape[0]))


def average_windows(
    build: Builder,
    x: Value,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    rank: int,
    ceil: bool,
    count_padding: bool,
    divisor: int | None = None,
) -> Value:
    """Mean over windows of the last ``rank`` axes."""
    window = sizes(kernel, rank)
    operator = AveragePool(
        input_shape=x.shape,
        kernel=window,
        stride=sizes(stride, rank) or window,
        padding=sizes(padding, rank),
        ceil=ceil,
        count_padding=count_padding,
        divisor=divisor,
    )
    return build.affine(x, operator)


def adaptive_average(build: Builder, x: Value, size: Shape) -> Value:
    """Mean over as many windows as ``size`` says."""
    return build.affine(x, AdaptiveAveragePool(input_shape=x.shape, size=size))


def max_windows(
    build: Builder,
    x: Value,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    rank: int,
    ceil: bool,
) -> Value:
    """Maximum over windows of the last ``rank`` axes."""
    window = sizes(kernel, rank)
    rule = Windows(
        kernel=window,
        stride=sizes(stride, rank) or window,
        padding=sizes(padding, rank),
        dilation=sizes(dilation, rank),
        ceil=ceil,
    )
    return build.maximum([x], rule)


def adaptive_max(build: Builder, x: Value, size: Shape) -> Value:
    """Maximum over as many windows as ``size`` says."""
    return build.maximum([x], Adaptive(size=size))


def sizes(given: Sizes, rank: int) -> Shape:
    """Return one size per axis; a single one serves all, none stays none."""
    several = (given,) if isinstance(given, int) else tuple(given)
    return several * rank if len(several) == 1 else several
