"""The record of one activation: what follows from its declaration, on arrays and as facts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hinge.activations import bounds, facts
from hinge.activations.arrays import Array, Library, broadcast_to_input, library_of
from hinge.activations.declaration import Declaration
from hinge.activations.form import Form, Parameters, Side
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter

if TYPE_CHECKING:
    from hinge.activations.card import Card

__all__ = ["Activation", "Names", "Parameter"]


@dataclass(frozen=True, eq=False, repr=False)
class Activation(Declaration):
    """One activation function.

    Call it with an array and its parameters by name: ``leaky_relu(x, negative_slope=0.1)``.

    >>> from hinge.activations import relu6
    >>> relu6(7.5), relu6.derivative(7.5), relu6.range()
    (6.0, 0.0, (0.0, 6.0))
    """

    def __call__(self, x: Array, **parameters: Any) -> Array:
        """f(x), elementwise: a NumPy, torch or JAX array, or a float; the same kind comes out.

        ``x`` is float16, bfloat16, float32 or float64 and is never written to; the result
        has its shape and dtype. Raises `DataError` for other inputs and `OptionError` for
        parameters that do not exist or lie outside their range.
        """
        library, given = self._prepared(x, parameters)
        numbers = list(given.values())
        if library.module == "torch":
            if all(isinstance(one, float) for one in numbers):
                return self.on_torch(x, *numbers)
            return self.learned_on_torch(x, numbers)
        given = {name: _widened(library, one, x) for name, one in given.items()}
        value = partial(_evaluate, self.form.value, library, given)
        if any(hasattr(number, "shape") for number in numbers):
            return value(x)  # differentiable in its parameters too
        return library.with_derivative(
            value, partial(_evaluate, self.form.derivative, library, given), x
        )

    def derivative(self, x: Array, **parameters: Any) -> Array:
        """f'(x), elementwise, in the kind, shape and dtype of ``x``; at a kink see `at_kink`."""
        library, given = self._prepared(x, parameters)
        if library.module == "torch" and all(isinstance(n, float) for n in given.values()):
            return self.on_torch.derivative(x, *given.values())
        given = {name: _widened(library, one, x) for name, one in given.items()}
        return _evaluate(self.form.derivative, library, given, x)

    @property
    def learned_on_torch(self) -> Any:
        """How it runs on torch with tensors for parameters; see `on_torch.Learned`."""
        from hinge.activations.on_torch import learned_of  # noqa: PLC0415  as above

        return learned_of(self)

    @property
    def on_torch(self) -> Any:
        """How it runs on torch tensors; see `hinge.activations.on_torch.Operator`."""
        # An import statement, unlike a call that imports, is something that torch.compile knows.
        from hinge.activations.on_torch import operator_of  # noqa: PLC0415

        return operator_of(self)

    @property
    def formula(self) -> str:
        """The function, as text, and what is different while training."""
        return self.form.formula + (f"; while training, {self.training}" if self.training else "")

    @property
    def is_piecewise_linear(self) -> bool:
        """Whether it is linear between its breaks."""
        return self.form.piecewise_linear

    @property
    def at_kink(self) -> tuple[Side, ...]:
        """For each place where one branch follows another, the side whose slope is f' there."""
        return self.form.at_break

    @property
    def conventions(self) -> dict[str, tuple[Side, ...]]:
        """The same for each library that has the function: torch, JAX, Keras. ONNX has no f'."""
        libraries = [one for one in ("torch", "jax", "keras") if self.names.in_library(one)]
        return {one: self.names.at_break.get(one, self.at_kink) for one in libraries}

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
        return 1 / math.sqrt(self._moments[1])

    @property
    def mean(self) -> float:
        """E[f(z)], z standard normal, with its default parameters: 0 for a centred output."""
        return self._moments[0]

    @cached_property
    def _moments(self) -> tuple[float, float]:
        return facts.moments(self.form, self._checked({}))

    def kinks(self, **parameters: Any) -> tuple[float, ...]:
        """Where the slope or the value jumps, ascending."""
        kinks: tuple[float, ...] = self._fact(facts.kinks, parameters)
        return kinks

    def jumps(self, **parameters: Any) -> tuple[float, ...]:
        """Where the value jumps, ascending: the kinks at which it is not continuous."""
        jumps: tuple[float, ...] = self._fact(facts.jumps, parameters)
        return jumps

    def fires_above(self, **parameters: Any) -> float:
        """Where its first branch ends, so that it *fires* above.

        NaN for a function of one branch, which has no kink, and for one that is flat between
        two branches that are not, as a shrinker: no one threshold says when it is on.
        """
        return float(self._fact(facts.fires_above, parameters))

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

    def odd(self, **parameters: Any) -> bool:
        """Whether f(-x) = -f(x): outputs are centred where inputs are symmetric."""
        return bool(self._fact(facts.odd, parameters))

    def even(self, **parameters: Any) -> bool:
        """Whether f(-x) = f(x)."""
        return bool(self._fact(facts.even, parameters))

    def homogeneous(self, **parameters: Any) -> bool:
        """Whether f(c·x) = c·f(x) for every c > 0: weights can be scaled from layer to layer."""
        return bool(self._fact(facts.homogeneous, parameters))

    def saturates(self, **parameters: Any) -> tuple[bool, bool]:
        """Whether it comes to a finite limit at -∞, and at +∞."""
        ends: tuple[bool, bool] = self._fact(facts.saturates, parameters)
        return ends

    def interval(self, lower: Array, upper: Array, /, **parameters: Any) -> tuple[Array, Array]:
        """Find the least and the greatest value on [lower, upper], limits at jumps included.

        Elementwise: NumPy arrays (or floats) of any broadcastable shapes, infinite bounds
        allowed; float64 comes out, rounded to nearest. Raises `DataError` for NaN or lower > upper.
        """
        low, high = bounds.ordered(lower, upper, f"{self.name}.interval", finite=False)
        least, greatest = bounds.interval(self.form, low, high, self._checked(parameters))
        return _plain(least), _plain(greatest)

    def relax(
        self, lower: Array, upper: Array, /, **parameters: Any
    ) -> tuple[bounds.Line, bounds.Line]:
        """Find lines (slope, intercept) below and above f on [lower, upper], elementwise.

        NumPy arrays (or floats) of any broadcastable shapes; float64 comes out, with the
        intercepts rounded outward. Both lines have the slope of the chord; see `bounds.relax`.
        Raises `DataError` for infinite bounds, NaN or lower > upper.
        """
        low, high = bounds.ordered(lower, upper, f"{self.name}.relax", finite=True)
        below, above = bounds.relax(self.form, low, high, self._checked(parameters))
        return (_plain(below[0]), _plain(below[1])), (_plain(above[0]), _plain(above[1]))

    def card(self) -> Card:
        """All there is to know of it: ``print(relu.card())``, ``.page()``, ``.to_json()``."""
        from hinge.activations.card import Card  # noqa: PLC0415  cards are made of records

        return Card(self)

    def _fact(self, fact: Any, parameters: Parameters, *more: float) -> Any:
        """A fact that depends on nothing but numbers is found once."""
        given = self._checked(parameters)
        if all(isinstance(number, float) for number in given.values()):
            return _remembered(fact, self.form, *more, tuple(given.items()))
        return fact(self.form, *more, given)

    def _prepared(self, x: Array, parameters: Parameters) -> tuple[Library, dict[str, Any]]:
        where = f"{self.name}(x)"
        library, given = library_of(x, where), self.filled(parameters)
        for number in given.values():
            if hasattr(number, "shape"):
                broadcast_to_input(number, x, where)
        return library, given


def _evaluate(function: Any, library: Library, parameters: Parameters, x: Array) -> Array:
    """A form's value or derivative in the working precision, then rounded once."""
    with np.errstate(all="ignore"):  # infinities and underflow are results here, as in torch
        return library.narrowed(function(library.xp, library.widened(x, x), parameters), x)


def _widened(library: Library, number: Array, x: Array) -> Array:
    """A parameter that is an array, as one of the library in the working precision."""
    return library.widened(number, x) if hasattr(number, "shape") else number


def _plain(x: Array) -> Array:
    """An array, or the float that an array without axes holds."""
    return x if np.ndim(x) else float(x)


@lru_cache(maxsize=1024)
def _remembered(fact: Any, form: Form, *more: Any) -> Any:
    *others, items = more
    return fact(form, *others, dict(items))
