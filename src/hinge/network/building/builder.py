"""Collects steps while a model is read: every importer speaks to a `Builder`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import torch
from torch import Tensor

from hinge.activations import Activation
from hinge.errors import HingeError
from hinge.layout import Place
from hinge.network.maxima import Between, Rule
from hinge.network.network import Network
from hinge.network.operators.affine import Constant, Operator, Shape
from hinge.network.operators.shapes import Reshape
from hinge.network.steps import INPUT, Activate, Add, Affine, Concat, Max, Step
from hinge.units import Site

LARGEST_VALUE = 2**28
"""Numbers per example beyond which a value is refused: 1 GiB in float32."""


LARGEST_CONSTANT = 2**28
"""Entries of a constant beyond which it is not computed: 2 GiB in float64."""


class Unreadable(Exception):  # noqa: N818 # it is no error yet: the importer collects them
    """An operation cannot be read; the message is the reason."""


@contextmanager
def fitting() -> Iterator[None]:
    """Take what Python, NumPy and torch raise over arguments that do not fit as `Unreadable`.

    Files may hold any sizes, counts and kinds; each reader relies on some.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as e:
        if isinstance(e, HingeError):
            raise
        lines = str(e).strip().splitlines() or [""]
        raise Unreadable(f"its arguments do not fit: {lines[0][:200]}") from e


def within_limit(count: int) -> None:
    """Refuse a value of so many numbers, before anything of that size is made."""
    if count > LARGEST_VALUE:
        raise Unreadable(f"its result has {count:,} numbers per example, which is too large")


@dataclass(frozen=True)
class Value:
    """A tensor that depends on the input: the step that yields it, and its shape without batch."""

    name: str
    shape: Shape
    place: Place | None = None

    @property
    def rank(self) -> int:
        """The number of axes, the batch included."""
        return len(self.shape) + 1

    def axis(self, axis: int) -> int:
        """Return the axis counted from 0, the batch; refuse the batch itself."""
        found = axis % self.rank if -self.rank <= axis < self.rank else 0
        if found == 0:
            raise Unreadable(f"it works along axis {axis}, which is the batch or does not exist")
        return found

    def axes(self, axes: int | Sequence[int]) -> Shape:
        """Return several axes, each as by `axis`."""
        several = [axes] if isinstance(axes, int) else axes
        return tuple(sorted({self.axis(int(axis)) for axis in several}))


@dataclass(frozen=True)
class Call:
    """Where a step comes from: its name, and the module that calls an activation.

    ``alone`` says that the module is the activation and nothing else.
    """

    label: str
    module: str = ""
    alone: bool = False


@dataclass
class Builder:
    """Steps so far, in order. ``call`` is the operation that is being read."""

    input_shape: Shape
    call: Call = field(default_factory=lambda: Call("step"))
    steps: dict[str, Step] = field(default_factory=dict)
    _unnamed: int = 0
    _calls: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def input(self) -> Value:
        """The network's input."""
        return Value(INPUT, self.input_shape)

    def affine(self, x: Value, operator: Operator, place: Place | None = None) -> Value:
        """Apply an operator; ``place`` overrules where it says that the units lie."""
        step = self.steps.get(x.name)
        if isinstance(operator, Reshape):
            if operator.to_shape == x.shape:
                return x
            if isinstance(step, Affine) and isinstance(step.operator, Reshape):
                return self._reshaped_again(step, operator)
        return self._affine(x, operator, place or operator.place(x.place))

    def activate(self, x: Value, activation: Activation, parameters: Mapping[str, Any]) -> Value:
        """Apply an activation: a site."""
        units = x.place or usual_place(x.shape)
        count = units.size
        where = (self.call.module, "" if self.call.alone else activation.name)
        self._calls[where] = self._calls.get(where, 0) + 1
        site = Site(*where, self._calls[where], activation.name, count)
        return self._add(
            Activate(
                name=site.name,
                inputs=(x.name,),
                shape=x.shape,
                place=units,
                activation=activation,
                parameters=dict(parameters),
                site=site,
                units=units,
            )
        )

    def maximum(self, values: Sequence[Value], rule: Rule) -> Value:
        """Take maxima of one value, or of several of one shape."""
        first = values[0]
        ghosts = (torch.empty((1, *v.shape), device="meta") for v in values)
        shape = tuple(rule.apply(*ghosts).shape[1:])
        place = rule.place(first.place, first.rank)
        if isinstance(rule, Between):
            place = next((v.place for v in values if v.place), None)
        return self._add(Max(**self._common(values, shape, place), rule=rule))

    def add(self, values: Sequence[Value]) -> Value:
        """Add values of one shape."""
        place = next((v.place for v in values if v.place), None)
        return self._add(Add(**self._common(values, values[0].shape, place)))

    def concat(self, values: Sequence[Value], axis: int) -> Value:
        """Put values one after the other along ``axis`` (the batch is 0)."""
        first = values[0]
        if any(_without(v.shape, axis - 1) != _without(first.shape, axis - 1) for v in values):
            raise Unreadable("its inputs' shapes do not fit together")
        length = sum(v.shape[axis - 1] for v in values)
        shape = (*first.shape[: axis - 1], length, *first.shape[axis:])
        place = next((v.place for v in values if v.place), None)
        if place is not None and place.axis == axis:
            place = Place(axis, length)
        return self._add(Concat(**self._common(values, shape, place), axis=axis))

    def constant(self, value: Tensor) -> Value:
        """Return a value that is the same for every example."""
        operator = Constant(input_shape=self.input_shape, value=value)
        return self._affine(self.input, operator, None)

    def network(self, output: Value, dtype: torch.dtype, origin: str) -> Network:
        """Return the network, without the steps on which the output does not depend."""
        needed = {output.name}
        for step in reversed(self.steps.values()):
            if step.name in needed:
                needed.update(step.inputs)
        kept = [step for step in self.steps.values() if step.name in needed]
        names = _final_names(kept)
        steps = tuple(
            replace(step, name=names[step.name], inputs=tuple(names[one] for one in step.inputs))
            for step in kept
        )
        return Network(steps, self.input_shape, names[output.name], dtype, origin)

    def _reshaped_again(self, first: Affine, second: Reshape) -> Value:
        source = first.inputs[0]
        before = self.input if source == INPUT else _value(self.steps[source])
        whole = replace(second, input_shape=before.shape)
        return self.affine(before, whole, first.place and second.place(first.place))

    def _affine(self, x: Value, operator: Operator, place: Place | None) -> Value:
        shape = operator.output_shape
        return self._add(Affine(**self._common([x], shape, place), operator=operator))

    def _common(self, values: Sequence[Value], shape: Shape, place: Place | None) -> dict[str, Any]:
        inputs = tuple(value.name for value in values)
        return {"name": self._name(), "inputs": inputs, "shape": shape, "place": place}

    def _name(self) -> str:
        """A name of its own until the sites, whose names are fixed, are all known."""
        label = self.call.label
        self._unnamed += 1
        return f"{label}{_UNNAMED}{self._unnamed}"

    def _add(self, step: Step) -> Value:
        within_limit(prod(step.shape))
        self.steps[step.name] = step
        return _value(step)


_UNNAMED = "\0"
"""Between the label of a step that is no site and its number, until it gets its name."""


def _final_names(steps: Sequence[Step]) -> dict[str, str]:
    """Names for all steps: a site's own; for others their label, numbered where it is taken."""
    names = {INPUT: INPUT, **{step.name: step.name for step in steps if _UNNAMED not in step.name}}
    taken = set(names)
    for step in steps:
        label, unnamed, _ = step.name.partition(_UNNAMED)
        if unnamed:
            choices = (label, *(f"{label}#{number}" for number in range(2, len(steps) + 3)))
            names[step.name] = next(one for one in choices if one not in taken)
            taken.add(names[step.name])
    return names


def usual_place(shape: Shape) -> Place:
    """Where units lie if no layer says: axis 1 of images and volumes, else the last axis."""
    if not shape:
        return Place(0, 1)
    axis = 1 if len(shape) > 2 else len(shape)  # noqa: PLR2004 # (C, H, W) and more
    return Place(axis, shape[axis - 1])


def _value(step: Step) -> Value:
    return Value(step.name, step.shape, step.place)


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], *shape[axis + 1 :])
