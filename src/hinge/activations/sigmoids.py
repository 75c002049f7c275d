"""The smooth functions that saturate on both sides."""

from __future__ import annotations

from hinge.activations.arrays import Array, Namespace
from hinge.activations.names import Names
from hinge.activations.precise import size
from hinge.activations.record import Activation
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling


def logistic(xp: Namespace, x: Array) -> Array:
    """σ(x) = 1/(1 + exp(-x)), with one exponential that cannot overflow."""
    small = xp.exp(-size(xp, x))
    return xp.where(x < 0, small, 1.0) / (1 + small)


def _logistic_slope(xp: Namespace, x: Array) -> Array:
    small = xp.exp(-size(xp, x))
    return small / (1 + small) ** 2


def _tanh(xp: Namespace, x: Array) -> Array:
    return xp.tanh(x)


def _tanh_slope(xp: Namespace, x: Array) -> Array:
    return 4 * _logistic_slope(xp, 2 * x)


def _softsign(xp: Namespace, x: Array) -> Array:
    largest = float(xp.finfo(x.dtype).max)
    x = xp.clip(x, -largest, largest)  # infinity over infinity is no number
    return x / (1 + size(xp, x))


def _softsign_slope(xp: Namespace, x: Array) -> Array:
    return (1 / (1 + size(xp, x))) ** 2


def _logistic_slope_of_value(_: Namespace, y: Array) -> Array:
    return y * (1 - y)


def _tanh_slope_of_value(_: Namespace, y: Array) -> Array:
    return (1 - y) * (1 + y)


RECORDS = (
    Activation(
        name="sigmoid",
        title="Sigmoid",
        form=Smooth(
            formula="1 / (1 + exp(−x))",
            derivative_formula="s·(1 − s); s = 1 / (1 + exp(−x))",
            f=logistic,
            df=_logistic_slope,
            df_of_f=_logistic_slope_of_value,
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
        advantages=("Its output is a probability, or the opening of a gate.",),
        drawbacks=(
            "Its slope is at most 1/4: gradients shrink from layer to layer.",
            "Outputs are all positive, and saturated units hardly learn.",
        ),
        use="Gates, attention over channels, and outputs that are probabilities.",
    ),
    Activation(
        name="tanh",
        title="Tanh",
        form=Smooth(
            formula="tanh(x)",
            derivative_formula="1 − tanh(x)²",
            f=_tanh,
            df=_tanh_slope,
            df_of_f=_tanh_slope_of_value,
            inflections=(0.0,),
        ),
        source="classical",
        names=Names(
            torch_module="Tanh",
            torch_function="torch.tanh",
            jax="jax.nn.tanh",
            keras="tanh",
            aten=(Spelling("tanh"),),
            onnx=(Spelling("Tanh"),),
        ),
        advantages=("Centred, with slope 1 at zero, and bounded.",),
        drawbacks=("Saturated units hardly learn; in deep networks gradients vanish.",),
        use="Recurrent networks, policies and physics-informed networks; bounded outputs.",
    ),
    Activation(
        name="softsign",
        title="Softsign",
        form=Smooth(
            formula="x / (1 + |x|)",
            derivative_formula="1 / (1 + |x|)²",
            f=_softsign,
            df=_softsign_slope,
            inflections=(0.0,),
        ),
        source="Turian et al., Quadratic Features and Deep Architectures for Chunking, 2009; "
        "Bergstra et al., Quadratic Polynomials Learn Better Image Features, 2009",
        # torch runs it as abs, add and divide, which are not read as an activation
        names=Names(
            torch_module="Softsign",
            torch_function="torch.nn.functional.softsign",
            jax="jax.nn.soft_sign",
            keras="softsign",
            onnx=(Spelling("Softsign"),),
        ),
        advantages=("Comes to its limits slowly, as 1/x: it saturates less than tanh.",),
        drawbacks=("Its second derivative jumps at zero.",),
        use="As tanh, where neither an exponential nor early saturation is wanted.",
    ),
)
