"""The classical saturating functions."""

from __future__ import annotations

from hinge.activations.arrays import Array, Namespace
from hinge.activations.record import Activation, Names
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling


def _logistic(xp: Namespace, x: Array) -> Array:
    """σ(x) = 1/(1 + exp(-x)), with one exponential that cannot overflow."""
    small = xp.exp(-abs(x))
    return xp.where(x < 0, small, 1.0) / (1 + small)


def _logistic_slope(xp: Namespace, x: Array) -> Array:
    small = xp.exp(-abs(x))
    return small / (1 + small) ** 2


def _tanh(xp: Namespace, x: Array) -> Array:
    return xp.tanh(x)


def _tanh_slope(xp: Namespace, x: Array) -> Array:
    return 4 * _logistic_slope(xp, 2 * x)


RECORDS = (
    Activation(
        name="sigmoid",
        title="Sigmoid",
        form=Smooth(
            formula="1 / (1 + exp(−x))",
            f=_logistic,
            df=_logistic_slope,
            inflections=(0.0,),
        ),
        source="classical",
        names=Names(
            torch_module="Sigmoid",
            torch_function="torch.sigmoid",
            jax="jax.nn.sigmoid",
            keras="sigmoid",
            aten=(Spelling("sigmoid"),),
            onnx=(Spelling("Sigmoid"),),
        ),
        native=True,
    ),
    Activation(
        name="tanh",
        title="Tanh",
        form=Smooth(formula="tanh(x)", f=_tanh, df=_tanh_slope, inflections=(0.0,)),
        source="classical",
        names=Names(
            torch_module="Tanh",
            torch_function="torch.tanh",
            jax="jax.nn.tanh",
            keras="tanh",
            aten=(Spelling("tanh"),),
            onnx=(Spelling("Tanh"),),
        ),
        native=True,
    ),
)
