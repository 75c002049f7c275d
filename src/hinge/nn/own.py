"""The elementwise activations that torch has no module for; each takes ``inplace=True``.

Each applies one record of `hinge.activations` to a tensor of any shape and of float16,
bfloat16, float32 or float64; the result has its shape and dtype. Calls raise
`hinge.errors.DataError` for other dtypes and `hinge.errors.OptionError` for parameters
outside their range.
"""

from __future__ import annotations

from hinge import activations
from hinge.nn.elementwise import Elementwise


class Own(Elementwise):
    """A module that is known by its record alone."""

    record = activations.identity

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The parameters, as the constructor takes them."""
        shown = [f"{name}={getattr(self, name):g}" for name in self._names]
        return ", ".join(shown + (["inplace=True"] if self.inplace else []))


class BinaryStep(Own):
    """1 above 0 and 0 elsewhere; its derivative is 0."""

    record = activations.binary_step


class Abs(Own):
    """The magnitude |x|."""

    record = activations.abs


class ReLUN(Own):
    """ReLU that stops at ``n``: min(max(x, 0), n)."""

    record = activations.relu_n

    def __init__(self, n: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.n = n


class ThresholdedReLU(Own):
    """x above ``threshold`` and 0 elsewhere (Konda et al., 2014)."""

    record = activations.thresholded_relu

    def __init__(self, threshold: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold


class ShiftedReLU(Own):
    """max(x, −``shift``): ReLU whose kink lies on the diagonal (Clevert et al., 2015)."""

    record = activations.shifted_relu

    def __init__(self, shift: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.shift = shift


class Squareplus(Own):
    """(x + √(x² + ``b``)) / 2 (Barron, 2021)."""

    record = activations.squareplus

    def __init__(self, b: float = 4.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.b = b


class QuickGELU(Own):
    """x·σ(1.702·x), a quick stand-in for GELU (Hendrycks & Gimpel, 2016)."""

    record = activations.quick_gelu


class SquaredReLU(Own):
    """max(x, 0)² (So et al., Primer, 2021)."""

    record = activations.squared_relu
