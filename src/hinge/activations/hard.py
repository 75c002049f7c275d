"""The hard functions: what tanh, sigmoid, SiLU and Mish become when made of pieces."""

from __future__ import annotations

from fractions import Fraction

from hinge.activations.arrays import Array, Namespace
from hinge.activations.form import Side
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.activations.pieces import Pieces
from hinge.activations.record import Activation
from hinge.activations.smooth import Smooth
from hinge.activations.spellings import Spelling

OUTER = (Side.LEFT, Side.RIGHT)
"""Both breaks belong to the flat sides beyond them."""

INNER = (Side.RIGHT, Side.LEFT)


def _hardswish(xp: Namespace, x: Array) -> Array:
    gate = xp.clip(x + 3, 0.0, 6.0) / 6
    return xp.clip(x, -3.0, None) * gate  # further left it would be 0·∞


def _hardswish_slope(xp: Namespace, x: Array) -> Array:
    inside = (xp.clip(x, -3.0, 3.0) + 1.5) / 3
    return xp.where(abs(x) < 3, inside, xp.clip(x, 0.0, 1.0))  # noqa: PLR2004  the breaks


def _hard_mish(xp: Namespace, x: Array) -> Array:
    gate = xp.clip(x + 2, 0.0, 2.0) / 2
    return xp.clip(x, -2.0, None) * gate


def _hard_mish_slope(xp: Namespace, x: Array) -> Array:
    return xp.where(x < -2, 0.0, xp.clip(x, None, 0.0) + 1)  # noqa: PLR2004  the break


RECORDS = (
    Activation(
        name="hardtanh",
        title="Hardtanh",
        form=Pieces(
            breaks_at=("min_val", "max_val"), slopes=(0, 1, 0), at_break=OUTER, height="min_val"
        ),
        source="Collobert, Large Scale Machine Learning, thesis, 2004 (as usually cited)",
        names=Names(
            torch_module="Hardtanh",
            torch_function="torch.nn.functional.hardtanh",
            jax="jax.nn.hard_tanh",
            keras="hard_tanh",
            # Of all clamps only this one: others keep probabilities, scales or pixels in bounds.
            # ONNX has no other name for it than Clip.
            aten=(
                Spelling("hardtanh", takes={"min_val": "min_val", "max_val": "max_val"}),
                Spelling("clamp", fixed={"min": -1, "max": 1}),
            ),
            onnx=(
                Spelling("Clip", takes={"min": "min_val", "max": "max_val"}, inputs=("min", "max")),
            ),
            takes={"jax": {}, "keras": {}},
            at_break={"jax": INNER, "keras": INNER},
        ),
        parameters=(Parameter("min_val", default=-1.0), Parameter("max_val", default=1.0)),
        advantages=("Bounded and centred as tanh, at the cost of two comparisons.",),
        drawbacks=("Beyond its bounds the gradient is exactly 0: units can get stuck there.",),
        use="Quantised and binarised networks; bounded outputs.",
    ),
    Activation(
        name="hardsigmoid",
        title="Hardsigmoid",
        form=Pieces(breaks_at=(-3, 3), slopes=(0, Fraction(1, 6), 0), at_break=OUTER),
        source="Howard et al., Searching for MobileNetV3, 2019; other slopes are older, as in "
        "Courbariaux et al., BinaryConnect, 2015",
        names=Names(
            torch_module="Hardsigmoid",
            torch_function="torch.nn.functional.hardsigmoid",
            jax="jax.nn.hard_sigmoid",
            keras="hard_sigmoid",
            aten=(Spelling("hardsigmoid"),),
            onnx=(
                Spelling(
                    "HardSigmoid",
                    fixed={"alpha": 1 / 6, "beta": 0.5},
                    defaults={"alpha": 0.2, "beta": 0.5},
                ),
            ),
        ),
        advantages=("A gate from 0 to 1 without an exponential, exact in fixed point.",),
        drawbacks=("Beyond ±3 the gradient is exactly 0: gates can get stuck.",),
        use="Gates of networks for mobile devices, as in squeeze-and-excitation.",
    ),
    Activation(
        name="hardswish",
        title="Hardswish",
        form=Smooth(
            formula="0 for x ≤ −3; x·(x + 3) / 6 for −3 ≤ x ≤ 3; x for x ≥ 3",
            derivative_formula="0 for x ≤ −3; (2·x + 3) / 6 for −3 < x < 3; 1 for x ≥ 3",
            f=_hardswish,
            df=_hardswish_slope,
            breaks_at=(-3.0, 3.0),
            at_break=OUTER,
            stationary=(-1.5,),
        ),
        source="Howard et al., Searching for MobileNetV3, 2019",
        names=Names(
            torch_module="Hardswish",
            torch_function="torch.nn.functional.hardswish",
            jax="jax.nn.hard_silu",
            keras="hard_silu",
            aten=(Spelling("hardswish"),),
            onnx=(Spelling("HardSwish"),),
        ),
        advantages=("Close to SiLU without an exponential, exact in fixed point.",),
        drawbacks=(
            "Below −3 the gradient is exactly 0: units can die.",
            "Its slope jumps at −3 and 3, up to 3/2.",
        ),
        use="Networks for mobile devices, as MobileNetV3.",
    ),
    Activation(
        name="hard_mish",
        title="Hard Mish",
        form=Smooth(
            formula="0 for x ≤ −2; x·(x + 2) / 2 for −2 ≤ x ≤ 0; x for x ≥ 0",
            derivative_formula="0 for x < −2; x + 1 for −2 ≤ x ≤ 0; 1 for x ≥ 0",
            f=_hard_mish,
            df=_hard_mish_slope,
            breaks_at=(-2.0, 0.0),
            at_break=(Side.RIGHT, Side.RIGHT),
            stationary=(-1.0,),
        ),
        source="no paper known; in timm, after a repository of its author",
        names=Names(),
        advantages=("Dips below zero as Mish does, without an exponential.",),
        drawbacks=("Below −2 the gradient is exactly 0: units can die.",),
        use="As Mish, where exponentials are too slow; rare.",
    ),
    Activation(
        name="sparse_sigmoid",
        title="Sparse sigmoid",
        form=Pieces(breaks_at=(-1, 1), slopes=(0, Fraction(1, 2), 0), at_break=OUTER),
        source="Blondel et al., Learning with Fenchel-Young Losses, 2019",
        names=Names(
            jax="jax.nn.sparse_sigmoid",
            keras="sparse_sigmoid",
            at_break={"jax": (Side.MEAN, Side.MEAN), "keras": (Side.MEAN, Side.MEAN)},
        ),
        advantages=("Reaches 0 and 1 exactly: probabilities can be sparse.",),
        drawbacks=("Beyond ±1 the gradient is exactly 0.",),
        use="The prediction that belongs to the sparse plus loss, for two classes.",
    ),
)
