"""The functions that gate their input by the logistic of a multiple of it, and Mish."""

from __future__ import annotations

from hinge.activations.arrays import Array, Namespace
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.activations.precise import FAR, product, size
from hinge.activations.record import Activation
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling

QUICK = 1.702
"""With this factor the logistic comes closest to the normal distribution function."""


def gated(xp: Namespace, x: Array, exponent: Array, rest: Array) -> Array:
    """Gate x by σ(t): t = ``exponent`` + ``rest`` is finite and has the sign of ``x``."""
    root, other = _roots(xp, exponent, rest)
    below = xp.where(exponent <= -FAR, 0.0 * xp.clip(x, -1.0, None), x)
    return xp.where(x < 0, below * root * other, x) / (1 + root * other)


def gated_slope(xp: Namespace, exponent: Array, rest: Array, growth: Array) -> Array:
    """The derivative of x·σ(t): σ(t)·(1 + g·(1 − σ(t))), ``growth`` g = x·dt/dx, all finite."""
    root, other = _roots(xp, exponent, rest)
    below = exponent < 0
    total = 1 + root * other
    lesser = growth * xp.where(below, 1.0, root * other) / total  # g·(1 − σ)
    return xp.where(below, root, 1.0) * (xp.where(below, other, 1.0) * (1 + lesser)) / total


def _roots(xp: Namespace, exponent: Array, rest: Array) -> tuple[Array, Array]:
    """Two factors of exp(−|t|), which may underflow where x times both does not."""
    root = xp.exp(-size(xp, exponent) / 2)
    rest = xp.where(abs(exponent) < FAR, rest, 0.0)  # beyond, it is no longer small
    return root, root * (1 + xp.where(exponent < 0, rest, -rest))


def _silu(xp: Namespace, x: Array, beta: float) -> Array:
    return gated(xp, x, *product(xp, xp.clip(x, -FAR / beta, FAR / beta), beta))


def _silu_slope(xp: Namespace, x: Array, beta: float) -> Array:
    exponent, rest = product(xp, xp.clip(x, -FAR / beta, FAR / beta), beta)
    return gated_slope(xp, exponent, rest, exponent)


def _quick_gelu(xp: Namespace, x: Array) -> Array:
    return _silu(xp, x, QUICK)


def _quick_gelu_slope(xp: Namespace, x: Array) -> Array:
    return _silu_slope(xp, x, QUICK)


def _mish(xp: Namespace, x: Array) -> Array:
    """x·tanh(ln(1 + eˣ)), a quotient of polynomials in e = exp(−|x|)."""
    root = xp.exp(-size(xp, xp.clip(x, -FAR, FAR)) / 2)
    small = root * root
    left = xp.clip(x, -FAR, 0.0) * root * (root * (small + 2)) / (small * (small + 2) + 2)
    right = (1 + 2 * small) / (1 + 2 * small + 2 * small * small)
    return xp.where(x < 0, left, x * right)


def _mish_slope(xp: Namespace, x: Array) -> Array:
    x = xp.clip(x, -FAR, FAR)
    root = xp.exp(-size(xp, x) / 2)
    small = root * root
    total = xp.where(x < 0, small * (small + 2) + 2, 1 + 2 * small + 2 * small * small)
    bend = 4 * x * (1 + small) / total
    left = root * (root * (small + 2 + bend)) / total
    return xp.where(x < 0, left, (1 + 2 * small + small * small * bend) / total)


RECORDS = (
    Activation(
        name="silu",
        title="SiLU (Swish)",
        form=Smooth(
            formula="x / (1 + exp(−beta·x))",
            derivative_formula="s·(1 + beta·x·(1 − s)); s = 1 / (1 + exp(−beta·x))",
            f=_silu,
            df=_silu_slope,
            stationary=(-1.278464542761074,),
            inflections=(-2.399357280515468, 2.399357280515468),
            scale="beta",
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
            onnx=(
                Spelling("Swish", fixed={"alpha": 1}, defaults={"alpha": 1.0}),
                Spelling("Swish", takes={"alpha": "beta"}),
            ),
            takes={"torch": {}, "jax": {}, "keras": {}},
        ),
        parameters=(Parameter("beta", per_channel=True, default=1.0, low=0.0, low_included=False),),
        advantages=(
            "Smooth, and never flat for good: a unit below zero can come back.",
            "Found by a search to be better than ReLU in deep networks.",
        ),
        drawbacks=("Not monotone: two inputs can give the same output, with opposite slopes.",),
        use="Convolutional networks as EfficientNet and detectors; half of SwiGLU.",
    ),
    Activation(
        name="quick_gelu",
        title="Quick GELU",
        form=Smooth(
            formula="x / (1 + exp(−1.702·x))",
            derivative_formula="s·(1 + 1.702·x·(1 − s)); s = 1 / (1 + exp(−1.702·x))",
            f=_quick_gelu,
            df=_quick_gelu_slope,
            stationary=(-1.278464542761074 / QUICK,),
            inflections=(-2.399357280515468 / QUICK, 2.399357280515468 / QUICK),
        ),
        source="Hendrycks & Gimpel, Gaussian Error Linear Units (GELUs), 2016",
        names=Names(onnx=(Spelling("Swish", fixed={"alpha": QUICK}),)),
        advantages=("Close to GELU at the cost of SiLU.",),
        drawbacks=(
            "Up to 0.02 away from GELU: weights trained with one are not exact with the other.",
        ),
        use="CLIP, and models that are derived from it.",
    ),
    Activation(
        name="mish",
        title="Mish",
        form=Smooth(
            formula="x·tanh(ln(1 + exp(x)))",
            derivative_formula="t + x·s·(1 − t²); t = tanh(ln(1 + exp(x))), s = 1 / (1 + exp(−x))",
            f=_mish,
            df=_mish_slope,
            stationary=(-1.1924312145154952,),
            inflections=(-2.2563763963607931, 1.4905711794854285),
        ),
        source="Misra, Mish: A Self Regularized Non-Monotonic Activation Function, 2019",
        names=Names(
            torch_module="Mish",
            torch_function="torch.nn.functional.mish",
            jax="jax.nn.mish",
            keras="mish",
            aten=(Spelling("mish"),),
            onnx=(Spelling("Mish"),),
        ),
        advantages=("Smooth, and never flat for good: a unit below zero can come back.",),
        drawbacks=("Costly by its formula, which has an exponential, a logarithm and a tanh.",),
        use="Object detectors, as YOLOv4.",
    ),
)
