"""The concatenated rectifier: what is above zero, and beside it what is below."""

from __future__ import annotations

from dataclasses import dataclass

from hinge.activations.arrays import Namespace
from hinge.activations.catalogue import find
from hinge.activations.joint import JointActivation
from hinge.activations.joint_call import Options
from hinge.activations.options import Option
from hinge.activations.parts import Parts
from hinge.activations.record import Activation


@dataclass(frozen=True)
class Mirrored:
    """A rectifier of x and the same rectifier of −x: ReLU, which is 0 on one side of 0."""

    half: Activation

    @property
    def formula(self) -> str:
        """Both halves."""
        return f"[{self.half.name}(x), {self.half.name}(−x)]"

    @property
    def partial_formula(self) -> str:
        """One derivative for each half."""
        return f"∂y₁/∂x = {self.half.name}′(x); ∂y₂/∂x = −{self.half.name}′(−x)"

    @property
    def convention(self) -> str:
        """That of the rectifier."""
        return f"x = 0: the derivative of both halves is {self.half.derivative(0.0):g}"

    @property
    def piecewise_linear(self) -> bool:
        """As the rectifier."""
        return self.half.is_piecewise_linear

    @property
    def continuous(self) -> bool:
        """True."""
        return True

    @property
    def degree(self) -> int | None:
        """1: rays from the origin."""
        return 1

    @property
    def lipschitz(self) -> float:
        """That of the rectifier: of the two halves one stands still."""
        return self.half.lipschitz()

    def directions(self, inputs: int) -> tuple[tuple[int, ...], ...]:  # noqa: ARG002  always one
        """The first half never falls, the second never rises."""
        return ((1,), (-1,))

    def value(self, xp: Namespace, parts: Parts, options: Options) -> Parts:  # noqa: ARG002  none
        """The rectifier of x and of −x."""
        (x,) = parts
        return self.half(x), self.half(-x)

    def partials(self, xp: Namespace, parts: Parts, options: Options) -> tuple[Parts, ...]:  # noqa: ARG002  none
        """The slopes of the halves."""
        (x,) = parts
        return (self.half.derivative(x),), (-self.half.derivative(-x),)

    def interval(self, lower: Parts, upper: Parts, options: Options) -> tuple[Parts, Parts]:  # noqa: ARG002  none
        """The image of each half."""
        (low,), (high,) = lower, upper
        images = self.half.interval(low, high), self.half.interval(-high, -low)
        return (images[0][0], images[1][0]), (images[0][1], images[1][1])

    def second_moment(self, inputs: int, options: Options, size: int | None) -> float:  # noqa: ARG002  always one
        """That of the rectifier: the normal distribution is symmetric."""
        return 1 / self.half.gain**2


RECORDS = (
    JointActivation(
        name="crelu",
        title="CReLU",
        form=Mirrored(find("relu")),
        source="Shang et al., Understanding and Improving Convolutional Neural Networks via "
        "Concatenated Rectified Linear Units, 2016",
        outputs=2,
        options=(Option("dim", default=1),),
        width_change="doubled",
        advantages=(
            "loses nothing: x is the difference of the halves",
            "no unit dies, for one half is active wherever x is not 0",
        ),
        drawbacks=("the next layer has twice the inputs", "half of its output is zero"),
        use="early convolutions, whose filters otherwise come in pairs of opposite phase",
    ),
)
