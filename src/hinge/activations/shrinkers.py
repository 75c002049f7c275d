"""The shrinkage functions: small inputs become zero, or nearly, on both sides of it."""

from __future__ import annotations

import math

from hinge.activations.arrays import Array, Namespace
from hinge.activations.entries import negative
from hinge.activations.form import Side
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.activations.pieces import Pieces
from hinge.activations.record import Activation
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling

TERMS = 10
"""Of the series of x·cosh x − sinh x; enough for |x| ≤ 1 in float64."""


def _tanhshrink(xp: Namespace, x: Array) -> Array:
    """Near zero x − tanh x as (x·cosh x − sinh x) / cosh x, of which no digit cancels."""
    near = xp.clip(x, -1.0, 1.0)
    square, series = near * near, xp.zeros_like(near)
    for k in range(TERMS, 0, -1):
        series = series * square + 2 * k / math.factorial(2 * k + 1)
    return xp.where(abs(x) < 1, near * square * series / xp.cosh(near), x - xp.tanh(x))


def _tanhshrink_slope(xp: Namespace, x: Array) -> Array:
    return xp.tanh(x) ** 2


BOTH = (negative("lambd"), "lambd")
INNER = (Side.RIGHT, Side.LEFT)
"""Both breaks belong to the flat stretch between them."""

RECORDS = (
    Activation(
        name="hardshrink",
        title="Hardshrink",
        form=Pieces(
            breaks_at=BOTH,
            slopes=(1, 0, 1),
            at_break=INNER,
            height=negative("lambd"),
            steps=("lambd", "lambd"),
        ),
        source="Donoho & Johnstone, Ideal spatial adaptation by wavelet shrinkage, 1994 (hard "
        "thresholding)",
        names=Names(
            torch_module="Hardshrink",
            torch_function="torch.nn.functional.hardshrink",
            keras="hard_shrink",
            aten=(Spelling("hardshrink", takes={"lambd": "lambd"}),),
            onnx=(
                Spelling(
                    "Shrink",
                    fixed={"bias": 0},
                    takes={"lambd": "lambd"},
                    defaults={"lambd": 0.5, "bias": 0.0},
                ),
            ),
            takes={"keras": {"threshold": "lambd"}},
        ),
        parameters=(Parameter("lambd", default=0.5, low=0.0, low_included=False),),
        advantages=("Removes small values and keeps large ones as they are.",),
        drawbacks=(
            "It jumps at both thresholds.",
            "A unit that stays between the thresholds gets no gradient.",
        ),
        use="Denoising and sparse coding; rarely between the layers of a network.",
    ),
    Activation(
        name="softshrink",
        title="Softshrink",
        form=Pieces(breaks_at=BOTH, slopes=(1, 0, 1), at_break=INNER),
        source="Donoho & Johnstone, Ideal spatial adaptation by wavelet shrinkage, 1994 (soft "
        "thresholding)",
        names=Names(
            torch_module="Softshrink",
            torch_function="torch.nn.functional.softshrink",
            keras="soft_shrink",
            aten=(Spelling("softshrink", takes={"lambd": "lambd"}),),
            onnx=(
                Spelling(
                    "Shrink",
                    takes={"lambd": "lambd", "bias": "lambd"},
                    defaults={"lambd": 0.5, "bias": 0.0},
                ),
            ),
            takes={"keras": {"threshold": "lambd"}},
        ),
        parameters=(Parameter("lambd", default=0.5, low=0.0, low_included=False),),
        advantages=("The proximal step of the L1 norm: it solves sparse coding step by step.",),
        drawbacks=(
            "Large values come out too small by the threshold.",
            "A unit that stays between the thresholds gets no gradient.",
        ),
        use="Unrolled iterative shrinkage (LISTA), denoising, sparse coding.",
    ),
    Activation(
        name="tanhshrink",
        title="Tanhshrink",
        form=Smooth(
            formula="x − tanh(x)",
            derivative_formula="tanh(x)²",
            f=_tanhshrink,
            df=_tanhshrink_slope,
            inflections=(0.0,),
        ),
        source="none known",
        # torch runs it as a tanh and a subtraction, so that a reader sees the tanh
        names=Names(
            torch_module="Tanhshrink",
            torch_function="torch.nn.functional.tanhshrink",
            keras="tanh_shrink",
        ),
        advantages=("Shrinks small values smoothly: there is no threshold to choose.",),
        drawbacks=("Flat at zero: small inputs get hardly any gradient.",),
        use="Sparse coding, as a smooth stand-in for the other shrinkers; rare.",
    ),
)
