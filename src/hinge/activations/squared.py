"""The squared rectifiers: flat below zero, a parabola above."""

from __future__ import annotations

from hinge.activations.arrays import Array, Namespace
from hinge.activations.form import Side
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.activations.precise import scaled
from hinge.activations.record import Activation
from hinge.activations.smooth import Smooth


def _squared(xp: Namespace, x: Array) -> Array:
    above = xp.clip(x, 0.0, None)
    return above * above


def _squared_slope(xp: Namespace, x: Array) -> Array:
    return 2 * xp.clip(x, 0.0, None)


def _star(xp: Namespace, x: Array, scale: Array, bias: Array) -> Array:
    return scaled(xp, _squared(xp, x), scale) + bias


def _star_slope(xp: Namespace, x: Array, scale: Array, bias: Array) -> Array:  # noqa: ARG001
    return scaled(xp, _squared_slope(xp, x), scale)


def _squared_slope_of_value(xp: Namespace, y: Array) -> Array:
    root = xp.sqrt(xp.where(y > 0, y, 1.0))  # at 0 the root has no slope
    return xp.where(y > 0, 2 * root, 0.0)


RECORDS = (
    Activation(
        name="squared_relu",
        title="Squared ReLU (ReLU²)",
        form=Smooth(
            formula="max(x, 0)²",
            derivative_formula="2·max(x, 0)",
            f=_squared,
            df=_squared_slope,
            df_of_f=_squared_slope_of_value,
            breaks_at=(0.0,),
            at_break=(Side.LEFT,),
        ),
        source="So et al., Primer: Searching for Efficient Transformers for Language Modeling, "
        "2021",
        names=Names(),
        advantages=(
            "Found by a search to train language models in fewer steps than ReLU and GELU.",
            "Exact zeros, as with ReLU, and no kink.",
        ),
        drawbacks=(
            "The slope grows without bound: large inputs can blow up gradients.",
            "Near zero the slope is small: units wake up slowly.",
        ),
        use="Feed-forward blocks of transformers for language.",
    ),
    Activation(
        name="star_relu",
        title="StarReLU",
        form=Smooth(
            formula="scale·max(x, 0)² + bias",
            derivative_formula="2·scale·max(x, 0)",
            f=_star,
            df=_star_slope,
            breaks_at=(0.0,),
            at_break=(Side.LEFT,),
        ),
        source="Yu et al., MetaFormer Baselines for Vision, 2022",
        names=Names(),
        # mean 0 and variance 1 for standard normal input: 2/√5 and −1/√5; timm starts at 1 and 0
        parameters=(
            Parameter("scale", default=0.8944271909999159, learned=True, per_channel=True),
            Parameter("bias", default=-0.4472135954999579, learned=True, per_channel=True),
        ),
        advantages=("As Squared ReLU, with outputs of mean 0 and variance 1 for normal inputs.",),
        drawbacks=(
            "The slope grows without bound.",
            "Silent units send the bias instead of zero: outputs are not sparse.",
        ),
        use="Vision networks of the MetaFormer family, as a cheap stand-in for GELU.",
    ),
)
