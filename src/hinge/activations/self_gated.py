"""The self-gated functions: the input times a smooth step of the input."""

from __future__ import annotations

import math

from hinge.activations.arrays import Array, Namespace, erfcx
from hinge.activations.record import Activation, Names
from hinge.activations.sigmoids import logistic
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling

FAR = 2000.0
"""Beyond, both functions equal max(x, 0) in every dtype; 0·∞ is avoided by not going there."""


def _silu(xp: Namespace, x: Array) -> Array:
    below = xp.clip(x, -FAR, None)
    root = xp.exp(-abs(below) / 2)  # x·root·root is a normal number longer than root² is
    gate = xp.where(x < 0, below * root * root, x)
    return gate / (1 + root * root)


def _silu_slope(xp: Namespace, x: Array) -> Array:
    x = xp.clip(x, -FAR, FAR)
    return logistic(xp, x) * (1 + x * logistic(xp, -x))


def _normal_tail(xp: Namespace, x: Array) -> Array:
    """Φ(-|x|), the standard normal tail, accurate however small it is.

    exp(-x²/2) is the product of two exponentials whose arguments are exact, or small
    (Cody, Rational Chebyshev Approximations for the Error Function, 1969).
    """
    x = xp.clip(abs(x), 0.0, 50.0)
    head = xp.floor(x * 16) / 16
    density = xp.exp(-(head * head) / 2) * xp.exp(-(x - head) * (x + head) / 2)
    return erfcx(xp, x * math.sqrt(0.5)) * density / 2


def _gelu(xp: Namespace, x: Array) -> Array:
    tail = xp.clip(abs(x), None, FAR) * _normal_tail(xp, x)
    return xp.where(x < 0, -tail, xp.where(x == 0, x, x - tail))


def _gelu_slope(xp: Namespace, x: Array) -> Array:
    x = xp.clip(x, -FAR, FAR)
    tail = _normal_tail(xp, x)
    density = xp.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return xp.where(x < 0, tail, 1 - tail) + x * density


RECORDS = (
    Activation(
        name="silu",
        title="SiLU",
        form=Smooth(
            formula="x / (1 + exp(−x))",
            f=_silu,
            df=_silu_slope,
            stationary=(-1.278464542761074,),
            inflections=(-2.399357280520548, 2.399357280520548),
        ),
        source="Hendrycks & Gimpel, Gaussian Error Linear Units (GELUs), 2016; Elfwing et al., "
        "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in "
        "Reinforcement Learning, 2017; Ramachandran et al., Searching for Activation "
        "Functions, 2017 (Swish)",
        names=Names(
            torch_module="SiLU",
            torch_function="torch.nn.functional.silu",
            jax="jax.nn.silu",
            keras="silu",
            aten=(Spelling("silu"),),
            onnx=(Spelling("Swish", fixed={"alpha": 1}, defaults={"alpha": 1.0}),),
        ),
    ),
    Activation(
        name="gelu",
        title="GELU",
        form=Smooth(
            formula="x·Φ(x), Φ the standard normal distribution function",
            f=_gelu,
            df=_gelu_slope,
            stationary=(-0.7517915246935645,),
            inflections=(-math.sqrt(2), math.sqrt(2)),
        ),
        source="Hendrycks & Gimpel, Gaussian Error Linear Units (GELUs), 2016",
        names=Names(
            torch_module="GELU",
            torch_function="torch.nn.functional.gelu",
            jax="jax.nn.gelu",
            keras="gelu",
            aten=(Spelling("gelu", fixed={"approximate": "none"}),),
            onnx=(
                Spelling("Gelu", fixed={"approximate": "none"}, defaults={"approximate": "none"}),
            ),
        ),
    ),
)
