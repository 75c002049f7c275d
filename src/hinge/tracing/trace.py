"""Sees every activation of a running model, whoever calls it, below the level of modules.

A dispatch mode sees each tensor operator just before it runs: module calls, functions,
methods, in-place ones and the insides of recurrent or scripted modules alike.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from hinge.activations import Activation, JointActivation, relu
from hinge.layout import Place
from hinge.tracing.arrangement import Arrangement
from hinge.tracing.learning import learn
from hinge.tracing.modules import RunningModules
from hinge.tracing.operators import Operator, operator_of, tensors_among
from hinge.tracing.provenance import Known, Layer, Provenance
from hinge.tracing.recognition import Match, recognise
from hinge.tracing.selection import Selections
from hinge.tracing.wires import Wires
from hinge.units import site_name

_IMAGE_RANK = 4  # from this rank on, axis 1 holds the channels unless a layer says otherwise


@dataclass(frozen=True)
class Call:
    """One call of an activation: where, which, on what, and what came out.

    ``node`` is the number of the autograd node that brings the gradient of ``z``; None if that
    is the node of the operator that makes ``h``.
    """

    module: str
    function: str
    call: int
    activation: Activation | JointActivation
    parameters: dict[str, Any]
    z: torch.Tensor
    h: torch.Tensor
    arrangement: Arrangement
    layer: Layer
    node: int | None = None

    @property
    def site(self) -> str:
        """The name of the site that is called."""
        return site_name(self.module, self.function, self.call)


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's class is untyped
    """While active, hands every call of a known activation to ``found``."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Torch asks it: wrapping each call against its compiler would cost more than the call."""
        return False

    def __init__(
        self,
        modules: RunningModules,
        seen: Provenance,
        found: Callable[[Call], str],
        wires: Wires | None = None,
        guard: AbstractContextManager[Any] = nullcontext(),  # noqa: B008 - it holds nothing
    ) -> None:
        """Also tell ``wires``, if given, of all that runs; ``guard`` is around all but that."""
        super().__init__()  # type: ignore[no-untyped-call] # likewise
        self._wires = wires
        self._guard = guard
        self._modules = modules
        self._seen = seen
        self._found = found
        self._selections = Selections()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run one operator, and see what it is."""
        operator, match, node, kept, kwargs = None, None, None, None, kwargs or {}
        with self._guard:
            operator = operator_of(function)
            match, node = self._match(operator, args, kwargs)
            if match is not None:
                kept = match[2].clone() if operator.in_place and match[2] is args[0] else match[2]
        out = function(*args, **kwargs)
        with self._guard:
            if match is not None and kept is not None:
                self._activated(match, kept, node, args, out)
            elif operator is not None:
                self._selections.chosen(operator, args, kwargs, out)
                learn(operator, args, kwargs, out, self._seen)
                if self._wires is not None:
                    self._wires.ran(operator, args, kwargs, out, self._seen)
        return out

    def _activated(
        self, match: Match, kept: torch.Tensor, node: int | None, args: Any, out: Any
    ) -> None:
        """An activation ran; ``kept`` is its input as it was before."""
        activation, parameters, z = match
        known = self._seen[z]
        h = out if isinstance(out, torch.Tensor) else out[0]  # logsigmoid gives a buffer too
        call = self._call((activation, parameters, kept), h, known)
        name = self._found(replace(call, node=node))
        if self._wires is not None:
            self._wires.activated(name, z, h, tensors_among(args))
        if isinstance(activation, JointActivation):  # it selects: no value is new but zero
            nonnegative = known.nonnegative
        else:
            nonnegative = float(activation.range(**parameters)[0]) >= 0
        self._seen[h] = Known(
            known.units,
            known.examples,
            sources=(name,),
            nonnegative=nonnegative,
            relu_of=weakref.ref(z) if activation is relu and z is not h else None,
        )

    def _match(self, operator: Operator, args: Any, kwargs: Any) -> tuple[Match | None, int | None]:
        """The activation that this operator completes, and where its gradient arrives."""
        match = recognise(operator, args, kwargs, self._seen)
        if match is not None:
            return (None if self._selections.are_values(match[2]) else match), None
        selection = self._selections.match(operator, args, kwargs, self._seen)
        return (None, None) if selection is None else selection

    def _call(self, match: Match, h: torch.Tensor, known: Known) -> Call:
        activation, parameters, z = match
        layer = known.layer or Layer("", sources=known.sources, nonnegative=known.nonnegative)
        module, function, call = self._modules.place(activation.name, layer.name)
        if z.ndim == 0:
            z, h = z.reshape(1), h.reshape(1)
        arrangement = _arrangement(z, known)
        return Call(module, function, call, activation, parameters, z, h, arrangement, layer)


def _mixed(units: Place, examples: Place) -> bool:
    """Whether units and examples share an axis without one example after the other."""
    return units.axis == examples.axis and examples.inner % (units.size * units.inner) != 0


def _arrangement(z: torch.Tensor, known: Known) -> Arrangement:
    """Where units and examples lie; by the usual layouts where the layers did not tell."""
    units = known.units
    if units is None or not units.fits(z.shape):
        axis = 1 if z.ndim >= _IMAGE_RANK else z.ndim - 1
        units = Place(axis, z.shape[axis])
    examples = known.examples
    if examples is None or not examples.fits(z.shape) or _mixed(units, examples):
        examples = None
    return Arrangement(units, examples)
