"""One call of a function of several numbers: split, compute, differentiate, join, round once."""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from hinge.activations.arrays import Array, Library, Namespace
from hinge.activations.parts import Parts, join, split

Options = Mapping[str, int]
"""A value for every option of a call but its axis."""


class JointForm(Protocol):
    """A function of several numbers, and what follows from it.

    It takes one number from each of its input parts and gives one to each of its output
    parts. An axis along which all entries meet is the last one of a single part. Values
    and partial derivatives are right in the limits ±inf, where there is a limit.
    """

    def __hash__(self) -> int:
        """Forms are values."""

    @property
    def formula(self) -> str:
        """The function, as text."""

    @property
    def partial_formula(self) -> str:
        """Its partial derivatives, as text."""

    @property
    def convention(self) -> str:
        """Where the derivative jumps, and what it is there."""

    @property
    def piecewise_linear(self) -> bool:
        """Whether it is linear wherever its derivative exists and does not change."""

    @property
    def continuous(self) -> bool:
        """Whether it never jumps."""

    @property
    def degree(self) -> int | None:
        """The d with f(t·x) = tᵈ·f(x) for all t > 0; None if there is none."""

    @property
    def lipschitz(self) -> float:
        """The least L with ‖f(x) − f(y)‖ ≤ L·‖x − y‖ in the 2-norm, or infinity."""

    def directions(self, inputs: int) -> tuple[tuple[int, ...], ...]:
        """For each output, each input: 1 it never falls, -1 it never rises, 0 it does both."""

    def value(self, xp: Namespace, parts: Parts, options: Options) -> Parts:
        """The output parts."""

    def partials(self, xp: Namespace, parts: Parts, options: Options) -> tuple[Parts, ...]:
        """For each output part a row: its derivative with respect to each input part."""

    def interval(self, lower: Parts, upper: Parts, options: Options) -> tuple[Parts, Parts]:
        """The least and the greatest value of each output on a box, in NumPy."""

    def second_moment(self, inputs: int, options: Options, size: int | None) -> float:
        """The mean of the squared outputs for independent standard normal inputs."""


@dataclass(frozen=True)
class JointCall:
    """One call. ``axis`` is None where each part is an array of its own.

    ``inputs`` and ``neighbours`` say how the axis holds the input parts; the ``outputs``
    parts are blocks of the axis of the result.
    """

    form: JointForm
    library: Library
    options: Options
    axis: int | None
    inputs: int
    outputs: int
    neighbours: bool

    def value(self, *arrays: Array) -> Array:
        """Compute the values, in the kind and dtype of the first array."""
        with self._quiet():
            found = self.form.value(self._xp, self._parts(arrays), self.options)
            return self._rounded(self._together(found), arrays[0])

    def partials(self, *arrays: Array) -> tuple[Parts, ...]:
        """Compute the partial derivatives: a row for each output part."""
        with self._quiet():
            rows = self.form.partials(self._xp, self._parts(arrays), self.options)
            return tuple(
                tuple(self._rounded(self._together((entry,)), arrays[0]) for entry in row)
                for row in rows
            )

    def pullback(self, gradient: Array, *arrays: Array) -> Parts:
        """Find the gradient with respect to each array: gradient times the Jacobian."""
        with self._quiet():
            rows = self.form.partials(self._xp, self._parts(arrays), self.options)
            along = self._results(self._widened(gradient, arrays[0]))
            found = tuple(_product(along, column) for column in zip(*rows, strict=True))
            if self.axis is not None:
                found = (join(found, self._xp, self.axis, neighbours=self.neighbours),)
            pairs = zip(found, arrays, strict=True)
            return tuple(self._rounded(one, array) for one, array in pairs)

    def pushforward(self, tangents: Parts, *arrays: Array) -> Array:
        """Find the tangent of the result: the Jacobian times the tangents."""
        with self._quiet():
            rows = self.form.partials(self._xp, self._parts(arrays), self.options)
            along = self._parts(tangents)
            found = tuple(_product(row, along) for row in rows)
            return self._rounded(self._together(found), arrays[0])

    def differentiable(self, *arrays: Array) -> Array:
        """Compute the values, for which JAX uses `partials`; NumPy does not differentiate."""
        if self.library.module == "jax.numpy":
            function = sys.modules["jax"].custom_jvp(self.value)
            function.defjvp(lambda at, along: (function(*at), self.pushforward(along, *at)))
            return function(*arrays)
        return self.value(*arrays)

    def _quiet(self) -> AbstractContextManager[Any]:
        """Infinities and underflow are results here, of which NumPy would warn."""
        return nullcontext() if self.library.module == "torch" else np.errstate(all="ignore")

    @property
    def _xp(self) -> Namespace:
        return self.library.xp

    def _widened(self, x: Array, like: Array) -> Array:
        """``x`` in the working precision; what selects among tensors rounds nothing without."""
        exact = self.form.piecewise_linear and self.library.module == "torch"
        return x if exact else self.library.widened(x, like)

    def _rounded(self, y: Array, like: Array) -> Array:
        return self.library.narrowed(y, like)

    def _parts(self, arrays: Iterable[Array]) -> Parts:
        wide = tuple(self._widened(array, array) for array in arrays)
        if self.axis is None:
            return wide
        (x,) = wide
        return split(x, self._xp, self.axis, self.inputs, neighbours=self.neighbours)

    def _results(self, y: Array) -> Parts:
        if self.axis is None:
            return (y,)
        return split(y, self._xp, self.axis, self.outputs, neighbours=False)

    def _together(self, results: Parts) -> Array:
        if self.axis is None:
            return results[0]
        return join(results, self._xp, self.axis, neighbours=False)


def _product(one: Parts, other: Parts) -> Array:
    return functools.reduce(operator.add, map(operator.mul, one, other))
