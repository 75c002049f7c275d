"""The gated linear units: one half of the axis, times an activation of the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from hinge.activations.arrays import Array, Namespace
from hinge.activations.catalogue import find
from hinge.activations.joint import JointActivation
from hinge.activations.joint_call import Options
from hinge.activations.options import Option
from hinge.activations.parts import Parts
from hinge.activations.record import Activation, Names
from hinge.activations.spellings import Spelling

T = TypeVar("T")

REACH = 10.0
"""Beyond ±10 no value and no slope of a gate changes its sign, and at ±10 none underflows."""


@dataclass(frozen=True)
class Gated:
    """A gate's activation times the linear part.

    A finite linear part meets the gate's limit: silu(−∞)·b is 0. An infinite one passes
    through any gate that is open, however little, and not through one that is shut (ReLU
    below 0). Where no limit exists (0·∞ at a root of the gate, or at its end), the
    result is NaN.
    """

    gate: Activation
    gate_first: bool

    @property
    def formula(self) -> str:
        """The product; a and b are the halves of the axis."""
        return f"{self.gate.name}(a)·b" if self.gate_first else f"a·{self.gate.name}(b)"

    @property
    def partial_formula(self) -> str:
        """The factor that is left, and its derivative."""
        gate, linear = "ab" if self.gate_first else "ba"
        by_gate = f"∂y/∂{gate} = {self.gate.name}′({gate})·{linear}"
        by_linear = f"∂y/∂{linear} = {self.gate.name}({gate})"
        return "; ".join([by_gate, by_linear] if self.gate_first else [by_linear, by_gate])

    @property
    def convention(self) -> str:
        """That of the gate."""
        half = f"the {'first' if self.gate_first else 'second'} half is the gate"
        kinks = self.gate.kinks()
        if not kinks:
            return f"smooth; {half}"
        slopes = (f"{self.gate.derivative(at):g} at {at:g}" for at in kinks)
        return f"{self.gate.name}′ is {', '.join(slopes)}; {half}"

    @property
    def piecewise_linear(self) -> bool:
        """False: a product."""
        return False

    @property
    def continuous(self) -> bool:
        """True."""
        return True

    @property
    def degree(self) -> int | None:
        """2 where the gate is made of rays from the origin."""
        rays = self.gate.is_piecewise_linear and self.gate.kinks() == (0.0,)
        return 2 if rays and self.gate(0.0) == 0 else None

    @property
    def lipschitz(self) -> float:
        """None: each factor is the slope with respect to the other, and unbounded."""
        return np.inf

    def directions(self, inputs: int) -> tuple[tuple[int, ...], ...]:  # noqa: ARG002  always two
        """The linear part is never turned around by a gate that is never negative."""
        return (self._in_order(0, int(self.gate.range()[0] >= 0)),)

    def value(self, xp: Namespace, parts: Parts, options: Options) -> Parts:  # noqa: ARG002  none
        """Gate times linear part."""
        gate, linear = self._in_order(*parts)
        return (self._times(xp, self.gate, gate, linear),)

    def partials(self, xp: Namespace, parts: Parts, options: Options) -> tuple[Parts, ...]:  # noqa: ARG002  none
        """The slope of the gate times the linear part; the gate."""
        gate, linear = self._in_order(*parts)
        by_gate = self._times(xp, self.gate.derivative, gate, linear)
        return (self._in_order(by_gate, self.gate(gate)),)

    def interval(self, lower: Parts, upper: Parts, options: Options) -> tuple[Parts, Parts]:  # noqa: ARG002  none
        """The corners of the two factors' images: the halves are independent."""
        (gate_low, low), (gate_high, high) = self._in_order(*lower), self._in_order(*upper)
        factors = self.gate.interval(gate_low, gate_high)
        signs = self.gate.interval(*(np.clip(at, -REACH, REACH) for at in (gate_low, gate_high)))
        corners = [
            _corner(np.where(np.isinf(linear), sign, factor), linear)
            for factor, sign in zip(factors, signs, strict=True)
            for linear in (low, high)
        ]
        return (np.min(corners, axis=0),), (np.max(corners, axis=0),)

    def second_moment(self, inputs: int, options: Options, size: int | None) -> float:  # noqa: ARG002  always two
        """That of the gate: the linear part is independent of it and has 1."""
        return 1 / self.gate.gain**2

    def _in_order(self, one: T, other: T) -> tuple[T, T]:
        """Turn (first, second) into (gate, linear part), and back."""
        return (one, other) if self.gate_first else (other, one)

    def _times(
        self, xp: Namespace, factor: Callable[[Array], Array], gate: Array, linear: Array
    ) -> Array:
        """factor(gate)·linear, in the limit where the linear part is infinite."""
        infinite = xp.isinf(linear)
        near = xp.where(infinite & xp.isfinite(gate), xp.clip(gate, -REACH, REACH), gate)
        shut = gate < self.gate.fires_above()  # never, for a gate without a kink
        return factor(near) * xp.where(infinite & shut, xp.sign(linear), linear)


def _corner(factor: Array, linear: Array) -> Array:
    """A product of bounds: 0 where one is 0, for an infinite bound is never reached."""
    with np.errstate(all="ignore"):
        return np.where((factor == 0) | (linear == 0), 0.0, factor * linear)


_DIM = (Option("dim", default=-1),)
_SHAZEER = "Shazeer, GLU Variants Improve Transformer, 2020"
_COST = "twice the inputs, and so a third weight matrix, for the same number of outputs"

RECORDS = (
    JointActivation(
        name="glu",
        title="GLU",
        form=Gated(find("sigmoid"), gate_first=False),
        source="Dauphin et al., Language Modeling with Gated Convolutional Networks, 2016",
        inputs=2,
        names=Names(
            torch_module="GLU",
            torch_function="torch.nn.functional.glu",
            jax="jax.nn.glu",
            keras="glu",
            aten=(Spelling("glu", takes={"dim": "dim"}, defaults={"dim": -1}),),
        ),
        options=_DIM,
        width_change="halved",
        advantages=("the linear half passes gradients without a squashing function",),
        drawbacks=(_COST, "the gate saturates on both sides"),
        use="gated convolutions and sequence models",
    ),
    JointActivation(
        name="reglu",
        title="ReGLU",
        form=Gated(find("relu"), gate_first=True),
        source=_SHAZEER,
        inputs=2,
        options=_DIM,
        width_change="halved",
        advantages=("exact zeros: the gate shuts off half of the outputs", "needs no exponential"),
        drawbacks=(_COST, "a gate can die, and its linear half with it"),
        use="feed-forward blocks of transformers where sparsity is wanted",
    ),
    JointActivation(
        name="geglu",
        title="GEGLU",
        form=Gated(find("gelu"), gate_first=True),
        source=_SHAZEER,
        inputs=2,
        options=_DIM,
        width_change="halved",
        advantages=("smooth, and among the best of the gated variants in the paper's figures",),
        drawbacks=(_COST, "the exact gate needs the error function"),
        use="feed-forward blocks of transformers",
    ),
    JointActivation(
        name="swiglu",
        title="SwiGLU",
        form=Gated(find("silu"), gate_first=True),
        source=_SHAZEER,
        inputs=2,
        names=Names(
            onnx=(
                Spelling("SwiGLU", fixed={"alpha": 1}, defaults={"alpha": 1.0}, inputs=("linear",)),
            ),
        ),
        options=_DIM,
        width_change="halved",
        advantages=("smooth, with one exponential",),
        drawbacks=(_COST, "products reach large values, which narrow dtypes feel first"),
        use="feed-forward blocks of transformers; the usual choice in large language models",
    ),
)
