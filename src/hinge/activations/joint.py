"""The record of one function of several numbers: gated, concatenated, selecting, or a funnel."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hinge.activations import bounds
from hinge.activations.arrays import Array, dtype_name, library_of
from hinge.activations.joint_call import JointCall, JointForm
from hinge.activations.options import Option, filled, fit
from hinge.activations.parts import Parts, axis_of, divides, join, split
from hinge.activations.record import Names
from hinge.errors import DataError

if TYPE_CHECKING:
    from hinge.activations.joint_card import JointCard


@dataclass(frozen=True, eq=False)
class JointActivation:
    """One function whose outputs each depend on several inputs, or whose width changes.

    Call it with an array and its options by name: ``swiglu(x, dim=-1)``. Along the axis
    ``dim`` it takes ``inputs`` numbers for every ``outputs`` numbers that it gives; ``inputs``
    may be the name of an option. The inputs lie in blocks of the axis, or are
    ``neighbours``; the outputs lie in blocks. A function without ``dim`` takes an array
    for each of its ``arguments``.

    >>> import numpy as np
    >>> from hinge.activations import crelu, swiglu
    >>> crelu(np.array([[-1.5, 2.0]]))
    array([[0. , 2. , 1.5, 0. ]])
    >>> swiglu.formula
    'silu(a)·b'
    """

    name: str
    title: str
    form: JointForm
    source: str
    inputs: int | str = 1
    outputs: int = 1
    neighbours: bool = False
    arguments: tuple[str, ...] = ("x",)
    names: Names = field(default_factory=Names)
    options: tuple[Option, ...] = ()
    width_change: str = "kept"
    advantages: tuple[str, ...] = ()
    drawbacks: tuple[str, ...] = ()
    use: str = ""

    def __call__(self, *arrays: Array, **options: Any) -> Array:
        """f(x): a NumPy, torch or JAX array; the same kind and dtype comes out.

        The array is float16, bfloat16, float32 or float64 and is never written to. The
        result has its shape, but for the axis ``dim``, whose size is `width` of the
        input's. Infinite inputs give the limit where there is one, else NaN. Raises
        `DataError` for other inputs and for an axis that does not divide,
        `OptionError` for options that do not exist or have no such value here.
        """
        call = self.call(arrays, options)
        if call.library.module == "torch":
            return self.on_torch(call, *arrays)
        return call.differentiable(*arrays)

    @property
    def on_torch(self) -> Any:
        """How it runs on torch tensors; see `hinge.activations.on_torch`."""
        # An import statement, unlike a call that imports, is something that torch.compile knows.
        from hinge.activations.on_torch import operator_of  # noqa: PLC0415

        return operator_of(self)

    def card(self) -> JointCard:
        """All there is to know of it: ``print(swiglu.card())``, ``.page()``, ``.to_json()``."""
        from hinge.activations.joint_card import JointCard  # noqa: PLC0415  made of records

        return JointCard(self)

    def pullback(self, gradient: Array, *arrays: Array, **options: Any) -> Any:
        """Find the gradient with respect to the input from the one with respect to the result.

        Both are arrays of one kind, ``gradient`` in the shape of the result. A function of
        two arrays gives a tuple of two. Raises as the call does, and `DataError` for
        a gradient of another kind or shape.
        """
        where = f"{self.name}.pullback(gradient, {', '.join(self.arguments)})"
        call = self.call(arrays, options, where)
        wanted = list(np.shape(arrays[0]))
        if call.axis is not None:
            wanted[call.axis] = wanted[call.axis] // call.inputs * call.outputs
        if library_of(gradient, where) is not call.library or np.shape(gradient) != tuple(wanted):
            raise DataError(
                "the gradient does not match the result",
                where=where,
                found=f"{type(gradient).__qualname__} of shape {tuple(np.shape(gradient))}",
                do=f"pass {type(arrays[0]).__qualname__} of shape {tuple(wanted)}",
            )
        found = call.pullback(gradient, *arrays)
        return found if len(self.arguments) > 1 else found[0]

    def partials(self, *arrays: Array, **options: Any) -> tuple[Parts, ...]:
        """Find the partial derivatives: a row for each output, an entry for each input.

        Each entry has the shape of one part; at a tie or a kink see `convention`. Where
        all entries of an axis meet (TopK), the derivatives of each output with respect to
        the other places are zero and the entry is the diagonal.
        """
        return self.call(arrays, options).partials(*arrays)

    @property
    def formula(self) -> str:
        """The function, as text."""
        return self.form.formula

    @property
    def partial_formula(self) -> str:
        """Its partial derivatives, as text."""
        return self.form.partial_formula

    @property
    def convention(self) -> str:
        """Where its derivative jumps, and what it is there."""
        return self.form.convention

    @property
    def is_piecewise_linear(self) -> bool:
        """Whether it is linear between the places where its derivative jumps."""
        return self.form.piecewise_linear

    @property
    def is_continuous(self) -> bool:
        """Whether it never jumps."""
        return self.form.continuous

    @property
    def degree(self) -> int | None:
        """The d with f(t·x) = tᵈ·f(x) for all t > 0, that of positive homogeneity; or None."""
        return self.form.degree

    @property
    def monotone(self) -> bool:
        """Whether no output ever decreases when an input grows."""
        return all(way == 1 for row in self.directions() for way in row)

    def directions(self, **options: Any) -> tuple[tuple[int, ...], ...]:
        """For each output, each input: 1 it never falls, -1 it never rises, 0 it does both."""
        return self.form.directions(self._counted(self._typical(options)))

    def range(self, **options: Any) -> tuple[float, float]:
        """Find the smallest interval that holds all values, limits included."""
        values = self._typical(options)
        lowest = (np.array([-math.inf]),) * self._counted(values)
        lower, upper = self.form.interval(lowest, tuple(-one for one in lowest), values)
        return float(np.min(lower)), float(np.max(upper))

    def bounded(self, **options: Any) -> bool:
        """Whether its values are bounded on both sides."""
        return all(map(math.isfinite, self.range(**options)))

    def lipschitz(self) -> float:
        """Find the least L with ‖f(x) − f(y)‖ ≤ L·‖x − y‖ in the 2-norm, for any size; or ∞."""
        return self.form.lipschitz

    def width(self, size: int, **options: Any) -> int:
        """Find the size of the result's axis from that of the input's.

        Raises `DataError` where the axis does not divide into the inputs.
        """
        if len(self.arguments) > 1:
            return size
        inputs = self._counted(self._typical(options))
        divides(size, inputs, f"{self.name}.width({size})", "the axis")
        return size // inputs * self.outputs

    def gain(self, size: int | None = None, **options: Any) -> float:
        """Kaiming gain 1/√E[f(z)²], the mean over all outputs, z independent standard normal.

        A layer whose weights have variance gain²/fan_in, fan_in counted after this
        function, keeps the second moment (He et al., Delving Deep into Rectifiers, 2015,
        eq. 7 to 10). ``size`` is that of the axis; only functions of a whole axis need it.
        """
        where = f"{self.name}.gain(size={size})"
        values = self._filled(options, where)
        if any(option.counts_axis for option in self.options):
            fit(self.options, values, size or 0, where, "the axis, on which the gain depends")
        return 1 / math.sqrt(self.form.second_moment(self._counted(values), values, size))

    def interval(self, lower: Any, upper: Any, **options: Any) -> tuple[Array, Array]:
        """Find the least and the greatest value of each output on a box.

        ``lower`` and ``upper`` bound the input, a NumPy array each, or a tuple of arrays for
        a function of two; infinite bounds are allowed. The results have the shape of
        the output, in float64, rounded to nearest; no smaller intervals hold all values.
        Raises `DataError` for NaN or lower > upper, and as the call does.
        """
        where = f"{self.name}.interval"
        sides = [one if isinstance(one, tuple) else (one,) for one in (lower, upper)]
        for side in sides:
            self._counts(side, where)
        boxes = [
            bounds.ordered(low, high, where, finite=False) for low, high in zip(*sides, strict=True)
        ]
        lows, highs = (tuple(side) for side in zip(*boxes, strict=True))
        call = self.call(lows, options, where)
        if call.axis is None:
            least, greatest = self.form.interval(lows, highs, call.options)
            return least[0], greatest[0]
        ends = [
            split(side, np, call.axis, call.inputs, neighbours=call.neighbours)
            for side in (lows[0], highs[0])
        ]
        least, greatest = self.form.interval(ends[0], ends[1], call.options)
        return (
            join(least, np, call.axis, neighbours=False),
            join(greatest, np, call.axis, neighbours=False),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JointActivation) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"hinge.activations.{self.name}"

    def call(self, arrays: Parts, options: dict[str, Any], where: str = "") -> JointCall:
        """Check a call's arrays and options; ``where`` names it in the messages."""
        where = where or f"{self.name}({', '.join(self.arguments)})"
        first = self._matched(arrays, where)
        values = self._filled(options, where)
        axis, inputs = None, self._counted(values)
        if "dim" in values:
            shape, dim = tuple(np.shape(first)), values.pop("dim")
            axis = axis_of(shape, dim, where)
            place = f"dim={dim} of an input of shape {shape}"
            divides(shape[axis], inputs, where, place)
            fit(self.options, values, shape[axis], where, place)
        return JointCall(
            form=self.form,
            library=library_of(first, where),
            options=values,
            axis=axis,
            inputs=inputs,
            outputs=self.outputs,
            neighbours=self.neighbours,
        )

    def _matched(self, arrays: Parts, where: str) -> Array:
        """Check that the arrays are as many as the arguments, and alike; give the first."""
        self._counts(arrays, where)
        first, *others = arrays
        kind = library_of(first, where), _kind(first)
        for other in others:
            if (library_of(other, where), _kind(other)) != kind:
                raise DataError(
                    f"{' and '.join(self.arguments)} are arrays of one kind, dtype and shape",
                    where=where,
                    found=" and ".join(map(_described, arrays)),
                    do="convert or broadcast one of them first",
                )
        return first

    def _counts(self, arrays: Parts, where: str) -> None:
        if len(arrays) != len(self.arguments):
            raise DataError(
                f"{self.title} is a function of {' and '.join(self.arguments)}",
                where=where,
                found=f"{len(arrays)} arrays",
                do=f"pass {len(self.arguments)}, and options by name",
            )

    def _counted(self, values: dict[str, int]) -> int:
        """How many input parts there are."""
        return values[self.inputs] if isinstance(self.inputs, str) else self.inputs

    def _typical(self, options: dict[str, Any]) -> dict[str, int]:
        """The options, with the least value for one that has no default."""
        least = {one.name: one.low for one in self.options if one.default is None}
        return self._filled({**least, **options}, f"{self.name}(...)")

    def _filled(self, given: dict[str, Any], where: str) -> dict[str, int]:
        return filled(self.options, given, self.title, where)


def _kind(x: Array) -> tuple[str, tuple[int, ...]]:
    return ("", ()) if isinstance(x, float) else (dtype_name(x), tuple(np.shape(x)))


def _described(x: Array) -> str:
    if isinstance(x, float):
        return "a float"
    dtype, shape = _kind(x)
    return f"{type(x).__qualname__} of {dtype} in shape {shape}"
