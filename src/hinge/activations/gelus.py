"""The Gaussian error linear unit, exact and in its approximation by tanh."""

from __future__ import annotations

import math

from hinge.activations.arrays import Array, Namespace, erfcx
from hinge.activations.names import Names
from hinge.activations.precise import FAR, Constant, cubic, size
from hinge.activations.record import Activation
from hinge.activations.self_gated import gated, gated_slope
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling

FIRST = Constant(1.5957691216057308, -9.96930880911092e-17)
THIRD = Constant(0.07135481627260025, -6.175149918155315e-19)
"""½·(1 + tanh u) is σ(2u), and 2u = FIRST·x + THIRD·x³: √(8/π), and 0.044715 times that."""


def _tail(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """Φ(-|x|), the standard normal tail, as a product: exp(-x²/2) is its second factor.

    The exponential is split in two whose arguments are exact, or small, so that no
    rounding error of x² is blown up (Cody, Rational Chebyshev Approximations for the
    Error Function, 1969).
    """
    x = xp.clip(size(xp, x), 0.0, FAR)
    head = xp.floor(x * 16) / 16
    density = xp.exp(-(head * head) / 2) * xp.exp(-(x - head) * (x + head) / 2)
    return erfcx(xp, x * math.sqrt(0.5)) / 2, density


def _gelu(xp: Namespace, x: Array) -> Array:
    ratio, density = _tail(xp, x)
    below = xp.clip(size(xp, x), 0.0, FAR) * ratio * density
    return xp.where(x < 0, -below, x - below)


def _gelu_slope(xp: Namespace, x: Array) -> Array:
    x = xp.clip(x, -FAR, FAR)
    ratio, density = _tail(xp, x)
    rise = x / math.sqrt(2 * math.pi)
    return xp.where(x < 0, (ratio + rise) * density, 1 - (ratio - rise) * density)


def _gelu_tanh(xp: Namespace, x: Array) -> Array:
    return gated(xp, x, *cubic(xp, xp.clip(x, -FAR, FAR), FIRST, THIRD))


def _gelu_tanh_slope(xp: Namespace, x: Array) -> Array:
    x = xp.clip(x, -FAR, FAR)
    exponent, rest = cubic(xp, x, FIRST, THIRD)
    return gated_slope(xp, exponent, rest, exponent + 2 * THIRD.nearest * x * x * x)


RECORDS = (
    Activation(
        name="gelu",
        title="GELU",
        form=Smooth(
            formula="x·Φ(x), Φ the standard normal distribution function",
            derivative_formula="Φ(x) + x·φ(x), φ the standard normal density",
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
            fixed={
                "torch": {"approximate": "none"},
                "jax": {"approximate": False},
                "keras": {"approximate": False},
            },
        ),
        advantages=("Smooth, and the usual choice: most transformers were tuned with it.",),
        drawbacks=(
            "Libraries differ: JAX means the approximation by tanh unless told otherwise.",
            "Its left tail vanishes faster than an exponential: units can fall silent there.",
        ),
        use="Transformers for language and vision.",
    ),
    Activation(
        name="gelu_tanh",
        title="GELU (tanh approximation)",
        form=Smooth(
            formula="x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))",
            derivative_formula="(1 + t) / 2 + x/2·(1 − t²)·√(2/π)·(1 + 0.134145·x²); "
            "t = tanh(√(2/π)·(x + 0.044715·x³))",
            f=_gelu_tanh,
            df=_gelu_tanh_slope,
            stationary=(-0.7524614220710163,),
            inflections=(-1.4185040087908284, 1.4185040087908284),
        ),
        source="Hendrycks & Gimpel, Gaussian Error Linear Units (GELUs), 2016",
        names=Names(
            torch_module="GELU",
            torch_function="torch.nn.functional.gelu",
            jax="jax.nn.gelu",
            keras="gelu",
            aten=(Spelling("gelu", fixed={"approximate": "tanh"}),),
            onnx=(Spelling("Gelu", fixed={"approximate": "tanh"}),),
            fixed={
                "torch": {"approximate": "tanh"},
                "jax": {"approximate": True},
                "keras": {"approximate": True},
            },
        ),
        advantages=("What GPT-2, BERT and their kin were trained with.",),
        drawbacks=("Up to 0.0005 away from GELU, and no cheaper where erf is fast.",),
        use="Models that were trained with it; for a new one GELU itself will do.",
    ),
)
