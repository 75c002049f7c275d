"""The record of one activation: declared once, in one place; everything else follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from hinge.activations import facts
from hinge.activations.arrays import Array, Library, broadcast_to_input, library_of, to_numpy
from hinge.activations.form import Form, Parameters, Side
from hinge.activations.spellings import Spelling
from hinge.errors import OptionError


@dataclass(frozen=True)
class Parameter:
    """A number that shapes an activation: its default and the values allowed, both ends included.

    ``learned``: trained with the network. ``per_channel``: an array that broadcasts
    against the input may take the place of the number.
    """

    name: str
    default: float
    low: float = -math.inf
    high: float = math.inf
    learned: bool = False
    per_channel: bool = False

    def checked(self, given: Any, where: str) -> Any:
        """Turn ``given`` into a float in the allowed range, or leave it an array."""
        if isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool):
            number = float(given)
            if math.isfinite(number) and self.low <= number <= self.high:
                return number
        elif self.per_channel and hasattr(given, "shape"):
            return given
        elif hasattr(given, "shape") and math.prod(given.shape) == 1:
            return self.checked(given.item(), where)
        raise OptionError(
            f"the parameter {self.name} has no such value",
            where=where,
            found=f"{self.name}={given!r}",
            do=f"pass a finite number from {self.low:g} to {self.high:g}"
            + (", or an array with one per channel" if self.per_channel else ""),
        )


@dataclass(frozen=True)
class Names:
    """What others call it; "" where a library has none.

    ``torch_module`` is a class of `torch.nn`; ``torch_function`` and ``jax`` are full
    paths; ``keras`` is a name in `keras.activations`. ``aten`` and ``onnx`` are the calls
    that a reader recognises, the usual one first.
    """

    torch_module: str = ""
    torch_function: str = ""
    jax: str = ""
    keras: str = ""
    aten: tuple[Spelling, ...] = ()
    onnx: tuple[Spelling, ...] = ()


@dataclass(frozen=True, eq=False)
class Activation:
    """One activation function.

    Call it with an array and its parameters by name: ``leaky_relu(x, negative_slope=0.1)``.
    ``native`` says that torch's own function is right for every input while no parameter
    is 0 (0 times infinity is NaN in torch), so that it serves torch tensors.

    >>> from hinge.activations import relu6
    >>> relu6(7.5), relu6.derivative(7.5), relu6.range()
    (6.0, 0.0, (0.0, 6.0))
    """

    name: str
    title: str
    form: Form
    source: str
    names: Names = field(default_factory=Names)
    parameters: tuple[Parameter, ...] = ()
    native: bool = False

    def __call__(self, x: Array, **parameters: Any) -> Array:
        """f(x), elementwise: a NumPy, torch or JAX array, or a float; the same kind comes out.

        ``x`` is float16, bfloat16, float32 or float64 and is never written to; the result
        has its shape and dtype. Raises `DataError` for other inputs and `OptionError` for
        parameters that do not exist or lie outside their range.
        """
        library, given = self._prepared(x, parameters)
        if self.native and library.module == "torch" and all(given.values()):
            return _torch_function(self.names.torch_function)(x, **given)
        value = partial(_evaluate, self.form.value, library, given)
        if any(hasattr(number, "shape") for number in given.values()):
            return value(x)  # differentiable in its parameters too
        return library.with_derivative(
            value, partial(_evaluate, self.form.derivative, library, given), x
        )

    def derivative(self, x: Array, **parameters: Any) -> Array:
        """f'(x), elementwise, in the kind, shape and dtype of ``x``; at a kink see `at_kink`."""
        library, given = self._prepared(x, parameters)
        return _evaluate(self.form.derivative, library, given, x)

    @property
    def formula(self) -> str:
        """The function, as text."""
        return self.form.formula

    @property
    def is_piecewise_linear(self) -> bool:
        """Whether it is linear between its kinks."""
        return self.form.piecewise_linear

    @property
    def at_kink(self) -> tuple[Side, ...]:
        """For each place where one branch follows another, the side whose slope is f' there."""
        return self.form.at_break

    @property
    def monotone(self) -> bool:
        """Whether it never decreases, with its default parameters."""
        return facts.monotone(self.form, self._checked({}))

    @cached_property
    def gain(self) -> float:
        """Kaiming gain 1/√E[f(z)²], z standard normal, with its default parameters.

        A layer whose weights have variance gain²/fan_in keeps the second moment of unit
        normal pre-activations (He et al., Delving Deep into Rectifiers, 2015, eq. 7 to 10).
        """
        return facts.gain(self.form, self._checked({}))

    def kinks(self, **parameters: Any) -> tuple[float, ...]:
        """Where the slope jumps, ascending."""
        kinks: tuple[float, ...] = self._fact(facts.kinks, parameters)
        return kinks

    def fires_above(self, **parameters: Any) -> float:
        """Where its first branch ends; NaN for a function of one branch, which has no kink."""
        return min(self.form.breaks(self._checked(parameters)), default=math.nan)

    def live(self, epsilon: float, **parameters: Any) -> tuple[float, float]:
        """Find the open interval of pre-activations outside which the derivative vanishes.

        Piecewise linear: it is exactly 0 there, whatever ``epsilon``. Smooth: its magnitude
        is below ``epsilon``. (0, 0) where it vanishes everywhere.
        """
        smallest = facts.TINY if self.is_piecewise_linear else max(epsilon, facts.TINY)
        interval: tuple[float, float] = self._fact(facts.live, parameters, smallest)
        return interval

    def range(self, **parameters: Any) -> tuple[float, float]:
        """Find the smallest interval that holds all values, limits included."""
        image: tuple[float, float] = self._fact(facts.image, parameters)
        return image

    def bounded(self, **parameters: Any) -> bool:
        """Whether its values are bounded on both sides."""
        return all(map(math.isfinite, self.range(**parameters)))

    def convex(self, **parameters: Any) -> bool:
        """Whether it is convex."""
        return bool(self._fact(facts.convex, parameters))

    def lipschitz(self, **parameters: Any) -> float:
        """Find the least L with |f(x) - f(y)| ≤ L |x - y|."""
        return float(self._fact(facts.lipschitz, parameters))

    def interval(self, lower: Array, upper: Array, **parameters: Any) -> tuple[Array, Array]:
        """Find the least and the greatest value on [lower, upper], elementwise.

        NumPy arrays (or floats) of any broadcastable shapes, infinite bounds allowed; float64
        comes out, rounded to nearest. Raises `DataError` for NaN or lower > upper.
        """
        low, high = facts.ordered(lower, upper, f"{self.name}.interval", finite=False)
        least, greatest = facts.interval(self.form, low, high, self._checked(parameters))
        return _plain(least), _plain(greatest)

    def relax(self, lower: Array, upper: Array, **parameters: Any) -> tuple[facts.Line, facts.Line]:
        """Find lines (slope, intercept) below and above f on [lower, upper], elementwise.

        NumPy arrays (or floats) of any broadcastable shapes; float64 comes out, with the
        intercepts rounded outward. Both lines have the slope of the chord; see `facts.relax`.
        Raises `DataError` for infinite bounds, NaN or lower > upper.
        """
        low, high = facts.ordered(lower, upper, f"{self.name}.relax", finite=True)
        below, above = facts.relax(self.form, low, high, self._checked(parameters))
        return (_plain(below[0]), _plain(below[1])), (_plain(above[0]), _plain(above[1]))

    def torch_module(self, **parameters: Any) -> Any:
        """Build torch's own module for it, a `torch.nn.Module`.

        A learned parameter becomes the module's parameter: a number, or an array with one
        value for each index of the input's axis 1. Raises `UnsupportedError` for others.
        """
        given = self._filled(parameters)
        learned = {one.name: given.pop(one.name) for one in self.parameters if one.learned}
        modules = import_module("hinge.activations.modules")
        return modules.build(self.names.torch_module, given, learned)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activation) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"hinge.activations.{self.name}"

    def _fact(self, fact: Any, parameters: Parameters, *more: float) -> Any:
        """A fact that depends on nothing but numbers is found once."""
        given = self._checked(parameters)
        if all(isinstance(number, float) for number in given.values()):
            return _remembered(fact, self.form, *more, tuple(given.items()))
        return fact(self.form, *more, given)

    def _prepared(self, x: Array, parameters: Parameters) -> tuple[Library, dict[str, Any]]:
        where = f"{self.name}(x)"
        library, given = library_of(x, where), self._filled(parameters)
        for name, number in given.items():
            if hasattr(number, "shape"):
                broadcast_to_input(number, x, where)
                given[name] = library.widened(number, x)
        return library, given

    def _checked(self, parameters: Parameters) -> dict[str, Any]:
        """Every parameter's value, arrays in NumPy, for the facts."""
        given = self._filled(parameters)
        return {
            name: to_numpy(number) if hasattr(number, "shape") else number
            for name, number in given.items()
        }

    def _filled(self, parameters: Parameters) -> dict[str, Any]:
        where = f"{self.name}(...)"
        known = [parameter.name for parameter in self.parameters]
        unknown = [name for name in parameters if name not in known]
        if unknown:
            raise OptionError(
                f"{self.title} has no such parameter",
                where=where,
                found=", ".join(unknown),
                do=f"pass {', '.join(known)}" if known else "pass no parameter; it has none",
            )
        return {
            parameter.name: parameter.checked(
                parameters.get(parameter.name, parameter.default), where
            )
            for parameter in self.parameters
        }


def _evaluate(function: Any, library: Library, parameters: Parameters, x: Array) -> Array:
    """A form's value or derivative in the working precision, then rounded once."""
    with np.errstate(all="ignore"):  # infinities and underflow are results here, as in torch
        return library.narrowed(function(library.xp, library.widened(x, x), parameters), x)


def _plain(x: Array) -> Array:
    """An array, or the float that an array without axes holds."""
    return x if np.ndim(x) else float(x)


@lru_cache(maxsize=1024)
def _remembered(fact: Any, form: Form, *more: Any) -> Any:
    *others, items = more
    return fact(form, *others, dict(items))


@cache
def _torch_function(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
