"""The exponential linear units: linear above zero, an exponential below."""

from __future__ import annotations

from hinge.activations.arrays import Array, Namespace
from hinge.activations.form import Side
from hinge.activations.record import Activation, Names, Parameter
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


RECORDS = (
    Activation(
        name="elu",
        title="ELU",
        form=Smooth(
            formula="alpha·(exp(x) − 1) for x ≤ 0; x for x ≥ 0",
            f=_elu,
            df=_elu_slope,
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
        native=True,
    ),
    Activation(
        name="selu",
        title="SELU",
        form=Smooth(
            formula=f"λ·α·(exp(x) − 1) for x ≤ 0; λ·x for x ≥ 0; λ = {LAMBDA}, α = {ALPHA}",
            f=_selu,
            df=_selu_slope,
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
        native=True,
    ),
)
