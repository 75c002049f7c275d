"""Functions that select among their inputs: the greatest of several, or the k greatest."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from hinge.activations.arrays import Array, Namespace
from hinge.activations.joint import JointActivation
from hinge.activations.joint_call import Options
from hinge.activations.options import Option
from hinge.activations.parts import Parts


@dataclass(frozen=True)
class Greatest:
    """The greatest of its inputs. At a tie, those that are greatest share the gradient equally.

    So does `torch.amax`, and so do the maxima of JAX: the derivative does not depend on
    the order of the inputs.
    """

    formula: str
    partial_formula: str
    convention: str = "at a tie, the greatest share the derivative equally"

    @property
    def piecewise_linear(self) -> bool:
        """True."""
        return True

    @property
    def continuous(self) -> bool:
        """True."""
        return True

    @property
    def degree(self) -> int | None:
        """1."""
        return 1

    @property
    def lipschitz(self) -> float:
        """1: a maximum moves no further than one of its inputs."""
        return 1.0

    def directions(self, inputs: int) -> tuple[tuple[int, ...], ...]:
        """It never falls in any."""
        return ((1,) * inputs,)

    def value(self, xp: Namespace, parts: Parts, options: Options) -> Parts:  # noqa: ARG002  none that matters here
        """The greatest; NaN where one is NaN."""
        first, *others = parts
        return (functools.reduce(xp.maximum, others, first),)

    def partials(self, xp: Namespace, parts: Parts, options: Options) -> tuple[Parts, ...]:
        """An equal share for each that is greatest; NaN where one is NaN."""
        (top,) = self.value(xp, parts, options)
        wins = [xp.where(part == top, xp.ones_like(part), 0.0) for part in parts]
        total = functools.reduce(lambda left, right: left + right, wins)
        return (tuple(win / total for win in wins),)

    def interval(self, lower: Parts, upper: Parts, options: Options) -> tuple[Parts, Parts]:
        """The greatest of the bounds."""
        return self.value(np, lower, options), self.value(np, upper, options)

    def second_moment(self, inputs: int, options: Options, size: int | None) -> float:  # noqa: ARG002  whatever the axis
        """From the density of the greatest of n: n·φ·Φⁿ⁻¹."""
        return _normal_mean(lambda z: z**2 * inputs * _special().ndtr(z) ** (inputs - 1))


@dataclass(frozen=True)
class Largest:
    """The k largest along the axis; zero elsewhere.

    Of equal entries those that come first are kept. NaN counts as larger than all numbers,
    takes a place, and is never replaced by zero.
    """

    @property
    def formula(self) -> str:
        """What is kept."""
        return "x where it is among the k largest, else 0"

    @property
    def partial_formula(self) -> str:
        """The diagonal."""
        return "∂yᵢ/∂xᵢ = 1 where xᵢ is kept, else 0; ∂yᵢ/∂xⱼ = 0"

    @property
    def convention(self) -> str:
        """Who is kept at a tie."""
        return "at a tie, the entries with the lowest index are kept; the others' derivative is 0"

    @property
    def piecewise_linear(self) -> bool:
        """True."""
        return True

    @property
    def continuous(self) -> bool:
        """False: where two entries change places, both outputs jump."""
        return False

    @property
    def degree(self) -> int | None:
        """1."""
        return 1

    @property
    def lipschitz(self) -> float:
        """None: it jumps."""
        return np.inf

    def directions(self, inputs: int) -> tuple[tuple[int, ...], ...]:  # noqa: ARG002  always one
        """A negative entry falls from 0 when it rises among the largest."""
        return ((0,),)

    def value(self, xp: Namespace, parts: Parts, options: Options) -> Parts:
        """The input where it is kept."""
        (x,) = parts
        kept = (_rank(xp, x) < options["k"]) | xp.isnan(x)
        return (xp.where(kept, x, 0.0),)

    def partials(self, xp: Namespace, parts: Parts, options: Options) -> tuple[Parts, ...]:
        """1 where it is kept, NaN at NaN."""
        (x,) = parts
        kept = xp.where(_rank(xp, x) < options["k"], xp.ones_like(x), 0.0)
        return ((xp.where(xp.isnan(x), x, kept),),)

    def interval(self, lower: Parts, upper: Parts, options: Options) -> tuple[Parts, Parts]:
        """An entry is kept from its strongest rival's least value on; else 0."""
        (low,), (high,) = lower, upper
        place = np.arange(low.shape[-1])
        least, first = _rival(low, options["k"])
        most, last = _rival(high, options["k"])
        kept = (high > least) | ((high == least) & (place < first))
        dropped = (low < most) | ((low == most) & (place > last))
        bottom = np.where(kept, np.maximum(low, least), np.inf)
        top = np.where(kept, high, -np.inf)
        return (
            (np.where(dropped, np.minimum(bottom, 0), bottom),),
            (np.where(dropped, np.maximum(top, 0), top),),
        )

    def second_moment(self, inputs: int, options: Options, size: int | None) -> float:  # noqa: ARG002  one part
        """From the chance that fewer than k of the other entries are larger."""
        k, others = options["k"], (size or options["k"]) - 1
        return _normal_mean(lambda z: z**2 * _special().bdtr(k - 1, others, _special().ndtr(-z)))


def _rank(xp: Namespace, x: Array) -> Array:
    """Count what comes before each entry of the last axis: NaN, larger, equal on its left."""
    backward = xp.flip(x, (-1,))
    places = xp.argsort(xp.argsort(backward, axis=-1, stable=True), axis=-1)
    return x.shape[-1] - 1 - xp.flip(places, (-1,))


def _rival(bounds: Array, k: int) -> tuple[Array, Array]:
    """The k-th largest of the others' bounds, and its place; −∞ where there are too few others."""
    if bounds.shape[-1] <= k:
        return np.full_like(bounds, -np.inf), np.full(bounds.shape, bounds.shape[-1])
    rank = _rank(np, bounds)
    nth = np.where(rank < k, k, k - 1)
    place = np.take_along_axis(np.argsort(rank, axis=-1), nth, axis=-1)
    return np.take_along_axis(bounds, place, axis=-1), place


def _special() -> Any:
    """`scipy.special`, which nothing but a gain needs."""
    return import_module("scipy.special")


def _normal_mean(function: Callable[[Array], Array]) -> float:
    """E[function(z)] for standard normal z, by Gauss-Legendre quadrature on short panels."""
    edges = np.linspace(-12, 12, 2001)  # the normal density beyond is below 1e-32
    nodes, weights = np.polynomial.legendre.leggauss(8)
    half = (edges[1] - edges[0]) / 2
    z = (edges[:-1] + half)[:, None] + half * nodes
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.sum(function(z) * density * weights) * half)


RECORDS = (
    JointActivation(
        name="maxout",
        title="Maxout",
        form=Greatest(
            formula="max(x₁, …, xₙ), n pieces that lie side by side",
            partial_formula="∂y/∂xᵢ = 1 where xᵢ is the greatest, else 0",
        ),
        source="Goodfellow et al., Maxout Networks, 2013",
        inputs="pieces",
        neighbours=True,
        options=(Option("pieces", default=2, low=1), Option("dim", default=1)),
        width_change="divided by pieces",
        advantages=(
            "learns its own convex activation",
            "no unit dies: one of its pieces always has the gradient",
        ),
        drawbacks=("as many weights and products per output as pieces",),
        use="small dense networks with dropout, for which it was made",
    ),
    JointActivation(
        name="topk",
        title="TopK",
        form=Largest(),
        source="Makhzani & Frey, k-Sparse Autoencoders, 2013; Gao et al., Scaling and evaluating "
        "sparse autoencoders, 2024",
        options=(Option("k", low=1, counts_axis=True), Option("dim", default=-1)),
        advantages=("the number of active units is given, not hoped for", "no penalty to tune"),
        drawbacks=(
            "jumps where two entries change places",
            "units that are never among the largest get no gradient and die",
        ),
        use="sparse autoencoders",
    ),
)
