"""The activations as functions of tensors: torch's own names and signatures where it has one.

Inputs have any shape and are float16, bfloat16, float32 or float64; results have their shape,
but along the axis of a gated, concatenated or selecting function, and their dtype. The
functions raise `hinge.errors.DataError` for other inputs, and
`hinge.errors.OptionError` for parameters outside their range.
"""

from __future__ import annotations

from torch import Tensor

from hinge import activations
from hinge.activations.on_torch import gated_pair
from hinge.nn.applying import applied, checked, gelu_record, joined, learned, randomized


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.relu`."""
    return applied(activations.relu, input, inplace=inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.leaky_relu`."""
    return applied(activations.leaky_relu, input, negative_slope, inplace=inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.relu6`."""
    return applied(activations.relu6, input, inplace=inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.elu`."""
    return applied(activations.elu, input, alpha, inplace=inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.celu`."""
    return applied(activations.celu, input, alpha, inplace=inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.selu`."""
    return applied(activations.selu, input, inplace=inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """`torch.nn.functional.hardtanh`."""
    return applied(activations.hardtanh, input, min_val, max_val, inplace=inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.hardsigmoid`."""
    return applied(activations.hardsigmoid, input, inplace=inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.hardswish`."""
    return applied(activations.hardswish, input, inplace=inplace)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """`torch.nn.functional.hardshrink`."""
    return applied(activations.hardshrink, input, lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """`torch.nn.functional.softshrink`."""
    return applied(activations.softshrink, input, lambd)


def softsign(input: Tensor) -> Tensor:
    """`torch.nn.functional.softsign`."""
    return applied(activations.softsign, input)


def sigmoid(input: Tensor) -> Tensor:
    """`torch.sigmoid`."""
    return applied(activations.sigmoid, input)


def logsigmoid(input: Tensor) -> Tensor:
    """`torch.nn.functional.logsigmoid`."""
    return applied(activations.logsigmoid, input)


def tanh(input: Tensor) -> Tensor:
    """`torch.tanh`."""
    return applied(activations.tanh, input)


def tanhshrink(input: Tensor) -> Tensor:
    """`torch.nn.functional.tanhshrink`."""
    return applied(activations.tanhshrink, input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.silu`."""
    return applied(activations.silu, input, 1.0, inplace=inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """`torch.nn.functional.mish`."""
    return applied(activations.mish, input, inplace=inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """`torch.nn.functional.softplus`, for every input by its formula: ``threshold`` has no use."""
    del threshold
    return applied(activations.softplus, input, beta)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """`torch.nn.functional.gelu`; ``approximate`` is "none" or "tanh"."""
    return applied(gelu_record(approximate), input)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """`torch.nn.functional.prelu`: one weight, or one for each entry of axis 1."""
    return learned(activations.prelu, input, weight)


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """`torch.nn.functional.rrelu`: slopes from U(lower, upper) while training, else their mean."""
    if not training:
        checked(activations.rrelu, (lower, upper))
        return applied(activations.leaky_relu, input, (lower + upper) / 2, inplace=inplace)
    return randomized(input, lower, upper, inplace=inplace)


def binary_step(input: Tensor, inplace: bool = False) -> Tensor:
    """1 where the input is above 0, else 0; its derivative is 0."""
    return applied(activations.binary_step, input, inplace=inplace)


def abs(input: Tensor, inplace: bool = False) -> Tensor:  # noqa: A001  as torch.abs
    """|input|."""
    return applied(activations.abs, input, inplace=inplace)


def relu_n(input: Tensor, n: float = 1.0, inplace: bool = False) -> Tensor:
    """min(max(input, 0), n)."""
    return applied(activations.relu_n, input, n, inplace=inplace)


def thresholded_relu(input: Tensor, threshold: float = 1.0, inplace: bool = False) -> Tensor:
    """The input where it is above ``threshold``, else 0."""
    return applied(activations.thresholded_relu, input, threshold, inplace=inplace)


def shifted_relu(input: Tensor, shift: float = 1.0, inplace: bool = False) -> Tensor:
    """max(input, -shift)."""
    return applied(activations.shifted_relu, input, shift, inplace=inplace)


def squareplus(input: Tensor, b: float = 4.0, inplace: bool = False) -> Tensor:
    """(input + sqrt(input² + b)) / 2."""
    return applied(activations.squareplus, input, b, inplace=inplace)


def quick_gelu(input: Tensor, inplace: bool = False) -> Tensor:
    """input·σ(1.702·input)."""
    return applied(activations.quick_gelu, input, inplace=inplace)


def squared_relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(input, 0)²."""
    return applied(activations.squared_relu, input, inplace=inplace)


def swish(input: Tensor, beta: Tensor) -> Tensor:
    """input·σ(beta·input): one beta, or one for each entry of axis 1."""
    return learned(activations.silu, input, beta)


def star_relu(input: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """scale·max(input, 0)² + bias: one of each, or one for each entry of axis 1."""
    return learned(activations.star_relu, input, scale, bias)


def srelu(
    input: Tensor,
    left_threshold: Tensor,
    left_slope: Tensor,
    right_threshold: Tensor,
    right_slope: Tensor,
) -> Tensor:
    """Three lines that meet at two thresholds: one of each, or one for each entry of axis 1."""
    return learned(
        activations.srelu, input, left_threshold, left_slope, right_threshold, right_slope
    )


def jump_relu(input: Tensor, threshold: Tensor, bandwidth: float = 0.001) -> Tensor:
    """The input above ``threshold``, else 0; ``bandwidth`` is that of the estimated derivative."""
    return learned(activations.jump_relu, input, threshold, bandwidth=bandwidth)


def frelu(input: Tensor, condition: Tensor) -> Tensor:
    """max(input, condition)."""
    return joined(activations.frelu, input, condition)


def crelu(input: Tensor, dim: int = 1) -> Tensor:
    """[max(input, 0), max(-input, 0)] side by side along ``dim``."""
    return joined(activations.crelu, input, dim=dim)


def maxout(input: Tensor, pieces: int = 2, dim: int = 1) -> Tensor:
    """The largest of each ``pieces`` neighbours along ``dim``."""
    return joined(activations.maxout, input, pieces=pieces, dim=dim)


def topk(input: Tensor, k: int, dim: int = -1) -> Tensor:
    """The ``k`` largest entries along ``dim``, 0 in the place of the others."""
    return joined(activations.topk, input, k=k, dim=dim)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """`torch.nn.functional.glu`: a·σ(b) for the halves a, b of ``dim``."""
    return joined(activations.glu, input, dim=dim)


def reglu(input: Tensor, dim: int = -1) -> Tensor:
    """max(a, 0)·b for the halves a, b of ``dim``."""
    return joined(activations.reglu, input, dim=dim)


def geglu(input: Tensor, dim: int = -1) -> Tensor:
    """gelu(a)·b for the halves a, b of ``dim``."""
    return joined(activations.geglu, input, dim=dim)


def swiglu(input: Tensor, dim: int = -1) -> Tensor:
    """silu(a)·b for the halves a, b of ``dim``."""
    return joined(activations.swiglu, input, dim=dim)


def reglu_pair(a: Tensor, b: Tensor) -> Tensor:
    """max(a, 0)·b for halves that are tensors of their own, as two projections give them."""
    return gated_pair(activations.reglu, a, b)


def geglu_pair(a: Tensor, b: Tensor) -> Tensor:
    """gelu(a)·b for halves that are tensors of their own, as two projections give them."""
    return gated_pair(activations.geglu, a, b)


def swiglu_pair(a: Tensor, b: Tensor) -> Tensor:
    """silu(a)·b for halves that are tensors of their own, as two projections give them."""
    return gated_pair(activations.swiglu, a, b)
