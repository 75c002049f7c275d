"""The elementwise kernels with some of their parameters, and what they should compute.

Values and slopes are formulas for float64, written so that they lose nothing in the tails; they
are meant for finite arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx

FAR = 1e3
"""From here on no exponential of a float64 argument matters beside a float32 result."""


def exp_of_minus(size):
    return np.exp(-np.minimum(size, FAR))


def logistic(z):
    small = exp_of_minus(abs(z))
    return np.where(z < 0, small, 1) / (1 + small)


def softplus(z):
    return np.maximum(z, 0) + np.log1p(exp_of_minus(abs(z)))


def tanhshrink(x):
    """x - tanh x; next to zero by its series, the sixth term of which is below 1e-16 of it."""
    small = np.clip(x, -0.02, 0.02)
    series = sum(
        coefficient * small ** (2 * k + 3)
        for k, coefficient in enumerate(
            (1 / 3, -2 / 15, 17 / 315, -62 / 2835, 1382 / 155925, -21844 / 6081075)
        )
    )
    return np.where(abs(x) < 0.02, series, x - np.tanh(x))


def squareplus(x, b):
    root = np.hypot(x, math.sqrt(b))
    return np.where(x < 0, b / (root - np.minimum(x, 0)), x + root) / 2


def gated(x, z):
    """x σ(z), for a z that is the further below zero the larger -x is."""
    return np.where(z < 0, np.clip(x, -FAR, FAR), x) * logistic(z)


def gated_slope(z, w):
    """The slope of x σ(z) for x z' = w."""
    return logistic(z) * (1 + np.clip(w, -1e9, 1e9) * logistic(-z))


def cubic(x, factor=1):
    x = np.clip(x, -FAR, FAR)
    return math.sqrt(8 / math.pi) * (x + factor * 0.044715 * x**3)


def normal_tail(a):
    """Φ(-a) for a >= 0."""
    return erfcx(a / math.sqrt(2)) / 2 * exp_of_minus(a * a / 2)


def normal_density(x):
    return exp_of_minus(x * x / 2) / math.sqrt(2 * math.pi)


def gelu(x):
    a = np.minimum(abs(x), FAR)
    return np.where(x < 0, -a * normal_tail(a), x - a * normal_tail(a))


def gelu_slope(x):
    x = np.clip(x, -FAR, FAR)
    tail = normal_tail(abs(x)) - abs(x) * normal_density(x)
    return np.where(x < 0, tail, 1 - tail)


def mish(x):
    e = exp_of_minus(abs(x))
    below = np.clip(x, -FAR, 0) * e * (e + 2) / (e * (e + 2) + 2)
    return np.where(x < 0, below, x * ((1 + 2 * e) / (1 + 2 * e + 2 * e * e)))


def mish_slope(x):
    x = np.clip(x, -FAR, FAR)
    e, gate = exp_of_minus(abs(x)), mish(np.where(x == 0, 1, x)) / np.where(x == 0, 1, x)
    whole = np.where(x < 0, e * e + 2 * e + 2, 1 + 2 * e + 2 * e * e)
    steep = 4 * e * (1 + e) * np.where(x < 0, 1, e) / whole**2
    return np.where(x == 0, 0.6, gate + x * steep)


def exponential(scale=1.0, stretch=1.0, above=1.0):
    return lambda x: np.where(
        x > 0, above * x, scale * np.expm1(np.maximum(np.minimum(x, 0) / stretch, -FAR))
    )


def exponential_slope(scale=1.0, stretch=1.0, above=1.0):
    return lambda x: np.where(
        x > 0, above, scale / stretch * exp_of_minus(np.maximum(-x, 0) / stretch)
    )


def between(low, high):
    return lambda x: ((x > low) & (x < high)) * 1.0


@dataclass(frozen=True)
class Truth:
    """One kernel with values of its parameters; ``root``: where its slope changes sign."""

    name: str
    value: Callable
    slope: Callable
    parameters: tuple[float, ...] = ()
    root: float = math.nan

    def __str__(self):
        return self.name + "".join(f"-{p:g}" for p in self.parameters)


INF = math.inf
LAMBDA, ALPHA = 1.0507009873554805, 1.6732632423543772


def beyond(edge):
    return lambda x: (abs(x) > edge) * 1.0


TRUTHS = [
    Truth("relu", lambda x: np.maximum(x, 0), between(0, INF)),
    *(
        Truth(
            "leaky_relu",
            lambda x, a=a: np.where(x > 0, x, a * x),
            lambda x, a=a: np.where(x > 0, 1, a),
            (a,),
        )
        for a in (0.01, 0.0, 1.7)
    ),
    Truth("relu6", lambda x: np.clip(x, 0, 6), between(0, 6)),
    Truth("relu_n", lambda x: np.clip(x, 0, 1.5), between(0, 1.5), (1.5,)),
    Truth("hardtanh", lambda x: np.clip(x, -1, 2), between(-1, 2), (-1.0, 2.0)),
    Truth("hardsigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, lambda x: between(-3, 3)(x) / 6),
    Truth(
        "hardswish",
        lambda x: np.maximum(x, -3) * (np.clip(x + 3, 0, 6) / 6),
        lambda x: np.where(x <= -3, 0, np.where(x >= 3, 1, x / 3 + 0.5)),
        root=-1.5,
    ),
    Truth("thresholded_relu", lambda x: np.where(x > 1, x, 0), between(1, INF), (1.0,)),
    Truth("shifted_relu", lambda x: np.maximum(x, -1), between(-1, INF), (1.0,)),
    Truth("abs", abs, np.sign),
    Truth("hardshrink", lambda x: np.where(abs(x) > 0.5, x, 0), beyond(0.5), (0.5,)),
    Truth("softshrink", lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0), beyond(0.5), (0.5,)),
    Truth("squared_relu", lambda x: np.maximum(x, 0) ** 2, lambda x: 2 * np.maximum(x, 0)),
    *(Truth("elu", exponential(a), exponential_slope(a), (a,)) for a in (1.0, 0.3)),
    *(Truth("celu", exponential(a, a), exponential_slope(a, a), (a,)) for a in (1.0, 0.3, 1.7)),
    Truth(
        "selu", exponential(LAMBDA * ALPHA, 1, LAMBDA), exponential_slope(LAMBDA * ALPHA, 1, LAMBDA)
    ),
    *(
        Truth(
            "softplus",
            lambda x, b=b: np.maximum(x, 0) + softplus(-abs(b * x)) / b,
            lambda x, b=b: logistic(b * x),
            (b,),
        )
        for b in (1.0, 0.3, 1.7)
    ),
    *(
        Truth(
            "squareplus",
            lambda x, b=b: squareplus(x, b),
            lambda x, b=b: squareplus(x, b) / np.hypot(x, math.sqrt(b)),
            (b,),
        )
        for b in (4.0, 0.3)
    ),
    Truth("sigmoid", logistic, lambda x: logistic(x) * logistic(-x)),
    Truth("logsigmoid", lambda x: -softplus(-x), lambda x: logistic(-x)),
    Truth("tanh", np.tanh, lambda x: 4 * logistic(2 * x) * logistic(-2 * x)),
    Truth("tanhshrink", tanhshrink, lambda x: np.tanh(x) ** 2),
    Truth("softsign", lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
    *(
        Truth(
            "silu",
            lambda x, b=b: gated(x, b * x),
            lambda x, b=b: gated_slope(b * x, b * x),
            (b,),
            root=-1.278464542761074 / b if b else math.nan,
        )
        for b in (1.0, 0.3, 1.7, 0.0, -1.0)
    ),
    Truth(
        "quick_gelu",
        lambda x: gated(x, 1.702 * x),
        lambda x: gated_slope(1.702 * x, 1.702 * x),
        root=-0.7511542554,
    ),
    Truth("gelu", gelu, gelu_slope, root=-0.7517915246935645),
    Truth(
        "gelu_tanh",
        lambda x: gated(x, cubic(x)),
        lambda x: gated_slope(cubic(x), cubic(x, 3)),
        root=-0.7524614221,
    ),
    Truth("mish", mish, mish_slope, root=-1.192431215),
]


def spacing(truth, dtype_eps, smallest):
    """A unit in the last place of a float of that precision, at each of the truths."""
    _, exponent = np.frexp(truth)
    return np.maximum(np.ldexp(dtype_eps, exponent - 1), smallest)
