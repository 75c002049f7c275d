"""The smooth versions of max(x, 0), and of min(x, 0)."""

from __future__ import annotations

import math

from hinge.activations.arrays import Array, Namespace
from hinge.activations.form import Side
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.activations.precise import FAR, product, size
from hinge.activations.record import Activation
from hinge.activations.sigmoids import logistic
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling


def _softplus(xp: Namespace, x: Array, beta: float) -> Array:
    """max(x, 0) + ln(1 + exp(−|βx|)) / β: neither overflows nor loses the left tail."""
    exponent, rest = product(xp, -xp.clip(size(xp, x), None, FAR / beta), beta)
    small = xp.exp(exponent) * (1 + rest)
    return xp.clip(x, 0.0, None) + xp.log1p(small) / beta


def _softplus_slope(xp: Namespace, x: Array, beta: float) -> Array:
    return logistic(xp, beta * xp.clip(x, -FAR / beta, FAR / beta))


def _logsigmoid(xp: Namespace, x: Array) -> Array:
    return -_softplus(xp, -x, 1.0)


def _logsigmoid_slope(xp: Namespace, x: Array) -> Array:
    return logistic(xp, -x)


def _squareplus(xp: Namespace, x: Array, b: float) -> Array:
    root, below = _squareplus_parts(xp, x, b)
    return xp.where(x < 0, below, x / 2 + root / 2)


def _squareplus_slope(xp: Namespace, x: Array, b: float) -> Array:
    root, below = _squareplus_parts(xp, x, b)
    return xp.where(x < 0, below / root, 1 - below / root)


def _squareplus_parts(xp: Namespace, x: Array, b: float) -> tuple[Array, Array]:
    """The root r = √(x² + b), and (r − |x|)/2 as b/(2·(r + |x|)), which does not cancel."""
    root = xp.hypot(x, math.sqrt(b) + xp.zeros_like(x))
    return root, b / 4 / (root / 2 + size(xp, x) / 2)


def _sparse_plus(xp: Namespace, x: Array) -> Array:
    return xp.where(x >= 1, x, (xp.clip(x, -1.0, 1.0) + 1) ** 2 / 4)


def _sparse_plus_slope(xp: Namespace, x: Array) -> Array:
    return (xp.clip(x, -1.0, 1.0) + 1) / 2


def _softplus_slope_of_value(xp: Namespace, y: Array, beta: float) -> Array:
    return -xp.expm1(-beta * y)


def _logsigmoid_slope_of_value(xp: Namespace, y: Array) -> Array:
    return -xp.expm1(y)


RECORDS = (
    Activation(
        name="softplus",
        title="Softplus",
        form=Smooth(
            formula="ln(1 + exp(beta·x)) / beta",
            derivative_formula="1 / (1 + exp(−beta·x))",
            f=_softplus,
            df=_softplus_slope,
            df_of_f=_softplus_slope_of_value,
        ),
        source="Dugas et al., Incorporating Second-Order Functional Knowledge for Better Option "
        "Pricing, 2001",
        names=Names(
            torch_module="Softplus",
            torch_function="torch.nn.functional.softplus",
            jax="jax.nn.softplus",
            keras="softplus",
            # torch goes over to x where beta·x exceeds a threshold: at 20 the step is 2e-9 / beta
            aten=(Spelling("softplus", least={"threshold": 20}, takes={"beta": "beta"}),),
            onnx=(Spelling("Softplus"),),
            takes={"jax": {}, "keras": {}},
        ),
        parameters=(Parameter("beta", default=1.0, low=0.0, low_included=False),),
        advantages=("Always positive and smooth: no unit ever loses its gradient altogether.",),
        drawbacks=(
            "ln(2)/beta at zero: outputs are neither sparse nor centred.",
            "An exponential and a logarithm for each input.",
        ),
        use="Outputs that have to be positive: variances, rates, concentrations.",
    ),
    Activation(
        name="squareplus",
        title="Squareplus",
        form=Smooth(
            formula="(x + √(x² + b)) / 2",
            derivative_formula="(1 + x / √(x² + b)) / 2",
            f=_squareplus,
            df=_squareplus_slope,
        ),
        source="Barron, Squareplus: A Softplus-Like Algebraic Rectifier, 2021",
        names=Names(jax="jax.nn.squareplus", keras="squareplus"),
        parameters=(Parameter("b", default=4.0, low=0.0, low_included=False),),
        advantages=("Softplus by algebra alone: one square root, and it cannot overflow early.",),
        drawbacks=("Comes to its asymptotes slowly, as 1/x.",),
        use="As Softplus, where exponentials are slow or numbers narrow.",
    ),
    Activation(
        name="sparse_plus",
        title="Sparse plus",
        form=Smooth(
            formula="0 for x ≤ −1; (x + 1)² / 4 for −1 ≤ x ≤ 1; x for x ≥ 1",
            derivative_formula="0 for x ≤ −1; (x + 1) / 2 for −1 ≤ x ≤ 1; 1 for x ≥ 1",
            f=_sparse_plus,
            df=_sparse_plus_slope,
            breaks_at=(-1.0, 1.0),
            at_break=(Side.LEFT, Side.RIGHT),
        ),
        source="Blondel et al., Learning with Fenchel-Young Losses, 2019",
        names=Names(jax="jax.nn.sparse_plus", keras="sparse_plus"),
        advantages=("Smooth as Softplus, but exactly 0 and exactly x beyond ±1.",),
        drawbacks=("Below −1 the gradient is exactly 0: units can die.",),
        use="The loss of the sparse sigmoid; a rectifier with a rounded kink.",
    ),
    Activation(
        name="logsigmoid",
        title="LogSigmoid",
        form=Smooth(
            formula="−ln(1 + exp(−x))",
            derivative_formula="1 / (1 + exp(x))",
            f=_logsigmoid,
            df=_logsigmoid_slope,
            df_of_f=_logsigmoid_slope_of_value,
        ),
        source="classical",
        names=Names(
            torch_module="LogSigmoid",
            torch_function="torch.nn.functional.logsigmoid",
            jax="jax.nn.log_sigmoid",
            keras="log_sigmoid",
            aten=(Spelling("log_sigmoid_forward"), Spelling("log_sigmoid")),
        ),
        advantages=("The logarithm of a probability without the rounding of two steps.",),
        drawbacks=("Never positive and not bounded below: seldom of use between layers.",),
        use="Losses: binary cross-entropy, preference and contrastive objectives.",
    ),
)
