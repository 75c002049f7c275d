"""The exponential linear units: linear above zero, an exponential below."""

from __future__ import annotations

from hinge.activations.arrays import Array, Namespace
from hinge.activations.form import Side
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.activations.precise import FAR
from hinge.activations.record import Activation
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling

ALPHA = 1.6732632423543772
LAMBDA = 1.0507009873554805


def _elu(xp: Namespace, x: Array, alpha: float) -> Array:
    below = xp.where(x > 0, 0.0, x)  # the branch not taken must not overflow
    return xp.where(x > 0, x, alpha * xp.expm1(below))


def _elu_slope(xp: Namespace, x: Array, alpha: float) -> Array:
    below = xp.where(x > 0, 0.0, x)
    return xp.where(x > 0, 1.0, alpha * xp.exp(below))


def _selu(xp: Namespace, x: Array) -> Array:
    return LAMBDA * _elu(xp, x, ALPHA)


def _selu_slope(xp: Namespace, x: Array) -> Array:
    return LAMBDA * _elu_slope(xp, x, ALPHA)


def _celu(xp: Namespace, x: Array, alpha: float) -> Array:
    below = xp.where(x > 0, 0.0, xp.clip(x, -FAR * alpha, None))
    return xp.where(x > 0, x, alpha * xp.expm1(below / alpha))


def _celu_slope(xp: Namespace, x: Array, alpha: float) -> Array:
    below = xp.where(x > 0, 0.0, xp.clip(x, -FAR * alpha, None))
    return xp.where(x > 0, 1.0, xp.exp(below / alpha))


def _elu_slope_of_value(xp: Namespace, y: Array, alpha: float) -> Array:
    return xp.where(y > 0, 1.0, y + alpha)


def _selu_slope_of_value(xp: Namespace, y: Array) -> Array:
    return xp.where(y > 0, LAMBDA, y + LAMBDA * ALPHA)


def _celu_slope_of_value(xp: Namespace, y: Array, alpha: float) -> Array:
    return xp.where(y > 0, 1.0, y / alpha + 1)


RECORDS = (
    Activation(
        name="elu",
        title="ELU",
        form=Smooth(
            formula="alpha·(exp(x) − 1) for x ≤ 0; x for x ≥ 0",
            derivative_formula="alpha·exp(x) for x ≤ 0; 1 for x > 0",
            f=_elu,
            df=_elu_slope,
            df_of_f=_elu_slope_of_value,
            breaks_at=(0.0,),
            at_break=(Side.LEFT,),
        ),
        source="Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear "
        "Units (ELUs), 2015",
        names=Names(
            torch_module="ELU",
            torch_function="torch.nn.functional.elu",
            jax="jax.nn.elu",
            keras="elu",
            aten=(Spelling("elu", fixed={"scale": 1, "input_scale": 1}, takes={"alpha": "alpha"}),),
            onnx=(Spelling("Elu", takes={"alpha": "alpha"}, defaults={"alpha": 1.0}),),
        ),
        parameters=(Parameter("alpha", default=1.0, low=0.0),),
        advantages=(
            "Negative outputs bring the mean of a layer closer to zero.",
            "Saturates below zero: strongly negative inputs do not vary the output.",
        ),
        drawbacks=(
            "The gradient vanishes far below zero: units can saturate there.",
            "An exponential for each negative input.",
        ),
        use="Networks without normalisation layers, where centred outputs matter.",
    ),
    Activation(
        name="selu",
        title="SELU",
        form=Smooth(
            formula=f"λ·α·(exp(x) − 1) for x ≤ 0; λ·x for x ≥ 0; λ = {LAMBDA}, α = {ALPHA}",
            derivative_formula=f"λ·α·exp(x) for x ≤ 0; λ for x > 0; λ = {LAMBDA}, α = {ALPHA}",
            f=_selu,
            df=_selu_slope,
            df_of_f=_selu_slope_of_value,
            breaks_at=(0.0,),
            at_break=(Side.LEFT,),
        ),
        source="Klambauer et al., Self-Normalizing Neural Networks, 2017",
        names=Names(
            torch_module="SELU",
            torch_function="torch.nn.functional.selu",
            jax="jax.nn.selu",
            keras="selu",
            aten=(
                Spelling("selu"),
                Spelling("elu", fixed={"alpha": ALPHA, "scale": LAMBDA, "input_scale": 1}),
            ),
            onnx=(
                Spelling(
                    "Selu",
                    fixed={"alpha": ALPHA, "gamma": LAMBDA},
                    defaults={"alpha": ALPHA, "gamma": LAMBDA},
                ),
            ),
        ),
        advantages=("Pulls mean and variance of each layer to 0 and 1: it normalises itself.",),
        drawbacks=(
            "The promise needs LeCun-normal weights and alpha dropout.",
            "It does not hold across skip connections.",
        ),
        use="Deep fully connected networks, as on tables of measurements.",
    ),
    Activation(
        name="celu",
        title="CELU",
        form=Smooth(
            formula="alpha·(exp(x / alpha) − 1) for x ≤ 0; x for x ≥ 0",
            derivative_formula="exp(x / alpha) for x ≤ 0; 1 for x ≥ 0",
            f=_celu,
            df=_celu_slope,
            df_of_f=_celu_slope_of_value,
            breaks_at=(0.0,),
            at_break=(Side.LEFT,),
        ),
        source="Barron, Continuously Differentiable Exponential Linear Units, 2017",
        names=Names(
            torch_module="CELU",
            torch_function="torch.nn.functional.celu",
            jax="jax.nn.celu",
            keras="celu",
            aten=(Spelling("celu", takes={"alpha": "alpha"}),),
            onnx=(Spelling("Celu", takes={"alpha": "alpha"}, defaults={"alpha": 1.0}),),
        ),
        parameters=(Parameter("alpha", default=1.0, low=0.0, low_included=False),),
        advantages=(
            "ELU without the kink: the slope is 1 at zero, whatever alpha.",
            "Its slope never exceeds 1; that of ELU does for alpha above 1.",
        ),
        drawbacks=("The gradient vanishes far below zero: units can saturate there.",),
        use="Where ELU is used with an alpha other than 1, or a continuous gradient is needed.",
    ),
)
