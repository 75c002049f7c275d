"""The self-gated functions: the input times a smooth step of the input."""

from __future__ import annotations

import math

from hinge.activations.arrays import Array, Namespace, erfcx
from hinge.activations.record import Activation, Names
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling

FAR = 1000.0
"""From here on both functions equal max(x, 0) in every dtype; going on would give 0·∞."""


def _silu(xp: Namespace, x: Array) -> Array:
    below = xp.clip(x, -FAR, None)
    root = xp.exp(-abs(below) / 2)  # its square may underflow where x·root·root does not
    return xp.where(x < 0, below * root * root, x) / (1 + root * root)


def _silu_slope(xp: Namespace, x: Array) -> Array:
    x = xp.clip(x, -FAR, FAR)
    root = xp.exp(-abs(x) / 2)
    total = 1 + root * root
    gate = xp.where(x < 0, root, 1.0)
    return gate * (gate * (1 + x * xp.where(x < 0, 1.0, root * root) / total)) / total


def _tail(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """Φ(-|x|), the standard normal tail, as a product: exp(-x²/2) is its second factor.

    The exponential is split in two whose arguments are exact, or small, so that no
    rounding error of x² is blown up (Cody, Rational Chebyshev Approximations for the
    Error Function, 1969).
    """
    x = xp.clip(abs(x), 0.0, FAR)
    head = xp.floor(x * 16) / 16
    density = xp.exp(-(head * head) / 2) * xp.exp(-(x - head) * (x + head) / 2)
    return erfcx(xp, x * math.sqrt(0.5)) / 2, density


def _gelu(xp: Namespace, x: Array) -> Array:
    ratio, density = _tail(xp, x)
    below = xp.clip(abs(x), 0.0, FAR) * ratio * density
    return xp.where(x < 0, -below, x - below)


def _gelu_slope(xp: Namespace, x: Array) -> Array:
    x = xp.clip(x, -FAR, FAR)
    ratio, density = _tail(xp, x)
    rise = x / math.sqrt(2 * math.pi)
    return xp.where(x < 0, (ratio + rise) * density, 1 - (ratio - rise) * density)


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
