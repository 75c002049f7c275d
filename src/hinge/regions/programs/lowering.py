"""A network and a domain become a program: the few operations that a subdivision follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Protocol

import numpy as np

from hinge.errors import UnsupportedError
from hinge.network import INPUT, Activate, Add, Affine, Concat, Max, Network, Reshape, Step
from hinge.regions.programs.assembly import Assembly
from hinge.regions.programs.matrices import compact, exact
from hinge.regions.programs.maxima import knock_out
from hinge.regions.programs.pieces import bends
from hinge.regions.programs.program import Meaning, Program, Reals

_SHOWN = 10
"""Sites that an error names before it only counts the rest."""


class Domain(Protocol):
    """A set of inputs with coordinates of its own."""

    @property
    def dimension(self) -> int:
        """The number of coordinates."""

    def embedding(self, input_shape: tuple[int, ...]) -> tuple[Reals, Reals]:
        """The matrix and the shift that turn coordinates into inputs, in C order."""


def lower(network: Network, domain: Domain, *, smooth_creases: bool = False) -> Program:
    """Write a network on a domain as a program on the domain's coordinates.

    Every entry of a matrix is a stored weight in float64. With ``smooth_creases`` the
    program of a network with a curved activation ends at the first of them: after a fold
    where its pre-activations are 0, which are then the output.

    Raises `UnsupportedError` for activations that jump and, without ``smooth_creases``,
    for curved ones, naming the sites; `ModelError` for weights that are not finite or too
    many; and what the domain raises where it does not fit the input.
    """
    curved = [step for step in network.activations if not step.activation.is_piecewise_linear]
    if curved and not smooth_creases:
        raise _curved(network, curved)
    walk = _Walk(network, domain)
    for step in network.steps:
        if curved and step is curved[0]:
            return walk.ended_at(curved[0])
        walk.follow(step)
    return walk.assembly.program(walk.at[network.output])


@dataclass
class _Walk:
    """The buffers of the steps so far, by name."""

    network: Network
    domain: Domain
    assembly: Assembly = field(init=False)
    at: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        matrix, origin = self.domain.embedding(self.network.input_shape)
        self.assembly = Assembly([self.domain.dimension])
        self.at[INPUT] = self.assembly.linear(0, compact(matrix), origin + 0.0)

    def follow(self, step: Step) -> None:
        """Add the operations of one step."""
        inputs = [self.at[name] for name in step.inputs]
        if isinstance(step, Affine):
            self.at[step.name] = self._affine(step, inputs[0])
        elif isinstance(step, Activate):
            pieces = bends(step)
            alias = pieces.is_identity
            self.at[step.name] = (
                inputs[0] if alias else self.assembly.bend(inputs[0], pieces, step.name)
            )
        elif isinstance(step, Max):
            shape = self._shape(step.inputs[0])
            self.at[step.name] = knock_out(self.assembly, step, inputs, shape)
        elif isinstance(step, Add):
            self.at[step.name] = self.assembly.total(inputs)
        elif isinstance(step, Concat):
            self.at[step.name] = self._concat(step, inputs)
        else:
            raise UnsupportedError(
                "the step is of a kind that is not known",
                where=f"step {step.name!r}",
                found=step.kind,
                do="hinge.observe and hinge.examine work on the model as it is",
            )

    def ended_at(self, step: Activate) -> Program:
        """Return the program that ends at a curved activation, folded where it is given 0."""
        source = self.at[step.inputs[0]]
        entries = np.arange(self.assembly.widths[source])
        none = np.zeros_like(entries)
        meaning = Meaning(step.name, entries, none, none, np.zeros(0, np.int8))
        self.assembly.fold(source, entries, np.zeros(len(entries)), meaning)
        return self.assembly.program(source, smooth=step.name)

    def _affine(self, step: Affine, source: int) -> int:
        if isinstance(step.operator, Reshape):
            return source
        return self.assembly.linear(source, *exact(step.operator, step.name))

    def _concat(self, step: Concat, inputs: Sequence[int]) -> int:
        """Join the inputs; along a later axis, their values then change places."""
        joined = self.assembly.join(inputs)
        before = step.shape[: step.axis - 1]
        if prod(before) == 1:
            return joined
        numbers, start = [], 0
        for name in step.inputs:
            shape = self._shape(name)
            numbers.append(np.arange(start, start + prod(shape)).reshape(shape))
            start += prod(shape)
        return self.assembly.gather(joined, np.concatenate(numbers, step.axis - 1).reshape(-1))

    def _shape(self, name: str) -> tuple[int, ...]:
        return self.network.input_shape if name == INPUT else self.network.step(name).shape


def _curved(network: Network, steps: Sequence[Activate]) -> UnsupportedError:
    named = [f"{step.name} ({step.activation.name})" for step in steps[:_SHOWN]]
    if len(steps) > _SHOWN:
        named.append(f"and {len(steps) - _SHOWN} more")
    return UnsupportedError(
        "a network with curved activations has no linear regions",
        where=network.origin,
        found=f"{len(steps)} of its {len(network.sites)} sites are curved: {', '.join(named)}",
        do="hinge.observe and hinge.examine work on the model as it is; smooth_creases=True "
        "draws the places z = 0 as far as the first of these sites",
    )
