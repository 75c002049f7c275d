"""Sees every activation of a running model, whoever calls it, below the level of modules.

A dispatch mode sees each tensor operator just before it runs: module calls, functions,
methods, in-place ones and the insides of recurrent or scripted modules alike.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from hinge.activations import Activation, find, from_aten, is_aten_name
from hinge.census.follow import moved, resized
from hinge.census.layers import LAYERS, biased
from hinge.census.measure import Arrangement
from hinge.census.modules import RunningModules
from hinge.census.provenance import NOTHING, Known, Layer, Provenance, joined
from hinge.layout import Place

_TRANSPARENT = frozenset(
    (
        *("view", "_unsafe_view", "permute", "transpose", "t", "squeeze", "unsqueeze", "expand"),
        *("clone", "contiguous", "detach", "alias", "_to_copy", "native_dropout"),
        *("select", "slice", "split", "split_with_sizes", "unbind", "cat", "stack"),
        *("mean", "sum", "amax", "avg_pool1d", "avg_pool2d", "avg_pool3d"),
        *("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool2d"),
        *("max_pool2d_with_indices", "max_pool3d_with_indices"),
        *("upsample_nearest1d", "upsample_nearest2d", "upsample_bilinear2d"),
    )
)
"""Operators that hand values on or average them: signs and layers survive them."""
_IMAGE_RANK = 4  # from this rank on, axis 1 holds the channels unless a layer says otherwise
_COPIES = frozenset(("_to_copy", "clone", "detach", "alias"))
_SIGNS = {"add": 1.0, "sub": -1.0}


@dataclass(frozen=True)
class Call:
    """One call of an activation: where, which, on what, and what came out."""

    module: str
    function: str
    call: int
    activation: Activation
    parameters: dict[str, Any]
    z: torch.Tensor
    h: torch.Tensor
    arrangement: Arrangement
    layer: Layer


@dataclass(frozen=True)
class _Operator:
    """What is needed of an operator's schema."""

    name: str
    in_place: bool
    arguments: tuple[str, ...]
    defaults: dict[str, Any]

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by name, defaults filled in."""
        return {**self.defaults, **dict(zip(self.arguments, args, strict=False)), **kwargs}


_Match = tuple[Activation, dict[str, Any], torch.Tensor]
"""An activation, the parameters of one call, and its pre-activation."""


@cache
def _operator(function: Any) -> _Operator:
    schema = function._schema  # noqa: SLF001 - the operator's public face has no schema
    name = schema.name.partition("::")[2]
    in_place = schema.is_mutable and name.endswith("_") and not name.endswith("__")
    return _Operator(
        name.removesuffix("_") if in_place else name,
        in_place,
        tuple(argument.name for argument in schema.arguments),
        {a.name: a.default_value for a in schema.arguments if a.has_default_value()},
    )


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's class is untyped
    """While active, hands every call of a known activation to ``found``."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Torch asks it: wrapping each call against its compiler would cost more than the call."""
        return False

    def __init__(
        self, modules: RunningModules, seen: Provenance, found: Callable[[Call], str]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # likewise
        self._modules = modules
        self._seen = seen
        self._found = found

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run one operator, and see what it is."""
        operator, kwargs = _operator(function), kwargs or {}
        match = self._recognise(operator, args, kwargs)
        if match is None:
            out = function(*args, **kwargs)
            self._learn(operator, args, kwargs, out)
            return out
        activation, parameters, z = match
        known = self._seen[z]
        kept = z.clone() if operator.in_place else z
        out = function(*args, **kwargs)
        name = self._found(self._call((activation, parameters, kept), out, known))
        lowest, _ = activation.range(**parameters)
        self._seen[out] = Known(
            known.units, known.examples, sources=(name,), nonnegative=float(lowest) >= 0
        )
        return out

    def _recognise(self, operator: _Operator, args: Any, kwargs: Any) -> _Match | None:
        """The activation that this operator is, its parameters and its pre-activation."""
        if not args or not isinstance(args[0], torch.Tensor):
            return None
        match = self._match(operator, args, kwargs)
        if match is None:
            return None
        z = match[2]
        return match if z.is_floating_point() and not self._seen[z].parameter else None

    def _match(self, operator: _Operator, args: Any, kwargs: Any) -> _Match | None:
        name, z = operator.name, args[0]
        if name == "glu":
            return find("sigmoid"), {}, self._gate(z, args[1] if len(args) > 1 else -1)
        if name in ("mul", "where"):
            return self._masked(name, args)
        if name == "maximum" and _is_zero(z):
            args = (args[1], z)
        if not is_aten_name(name):
            return None
        arguments = operator.bind(args, kwargs)
        del arguments[operator.arguments[0]]
        found = from_aten(name, arguments)
        return None if found is None else (*found, args[0])

    def _gate(self, x: torch.Tensor, axis: int) -> torch.Tensor:
        """The half of a gated unit's input that goes through the sigmoid."""
        gate: torch.Tensor = x.chunk(2, axis)[1]
        known = self._seen[x]
        units = known.units and resized(known.units, x.shape, gate.shape)
        self._seen[gate] = replace(known, units=units or known.units)
        return gate

    def _masked(self, name: str, args: Any) -> _Match | None:
        """``x * (x > 0)`` and ``where(x > 0, x, 0)`` are ReLUs."""
        pairs: list[tuple[torch.Tensor, Any]]
        if name == "where":
            mask, x, other = args
            pairs = [(x, mask)] if _is_zero(other) else []
        else:
            pairs = [(args[0], args[1]), (args[1], args[0])]
        for x, mask in pairs:
            marked = self._seen[mask].mask_of
            if marked is not None and marked() is x:
                return find("relu"), {}, x
        return None

    def _call(self, match: _Match, h: torch.Tensor, known: Known) -> Call:
        activation, parameters, z = match
        layer = known.layer or Layer("", sources=known.sources, nonnegative=known.nonnegative)
        module, function, call = self._modules.place(activation.name, layer.name)
        if z.ndim == 0:
            z, h = z.reshape(1), h.reshape(1)
        arrangement = _arrangement(z, known)
        return Call(module, function, call, activation, parameters, z, h, arrangement, layer)

    def _learn(self, operator: _Operator, args: Any, kwargs: Any, out: Any) -> None:
        """Remember what is now known of the operator's outputs."""
        inputs = [(x, known) for x in _tensors(args) if (known := self._seen[x]) is not NOTHING]
        outputs = _tensors((out,))
        if not inputs or not outputs:
            return
        data = [(x, known) for x, known in inputs if not known.parameter]
        if not data:
            for y in outputs:
                self._seen[y] = Known(parameter=inputs[0][1].parameter)
            return
        arguments = operator.bind(args, kwargs)
        if operator.name in LAYERS:
            self._seen[outputs[0]] = LAYERS[operator.name](arguments, outputs[0], self._seen)
            return
        for y in outputs:
            self._seen[y] = self._passed_on(operator, data, arguments, y)

    def _passed_on(
        self,
        operator: _Operator,
        data: list[tuple[torch.Tensor, Known]],
        arguments: dict[str, Any],
        y: torch.Tensor,
    ) -> Known:
        """What is known of an output of an operator without weights."""
        x, known = max(data, key=lambda pair: (pair[1].units is not None, pair[0].shape == y.shape))
        units, examples = (
            place and moved(operator.name, place, x.shape, y.shape, arguments)
            for place in (known.units, known.examples)
        )
        if units is None and known.units is not None:
            units = resized(known.units, x.shape, y.shape)
        mask_of = known.mask_of if operator.name in _COPIES else None
        if operator.name in ("gt", "ge") and _is_zero(arguments["other"]):
            mask_of = weakref.ref(x)
        others = [other for tensor, other in data if tensor is not x]
        after = joined(known, others, units=units, examples=examples, mask_of=mask_of)
        return self._with_layer(operator, after, known, len(data), arguments)

    def _with_layer(
        self,
        operator: _Operator,
        after: Known,
        known: Known,
        n_data: int,
        arguments: dict[str, Any],
    ) -> Known:
        """Keep of the layer what still describes the output."""
        if n_data == 1 and operator.name in _TRANSPARENT:
            return after
        constant = arguments.get("other")
        if n_data == 1 and operator.name in _SIGNS and isinstance(constant, torch.Tensor):
            if self._seen[constant].parameter:
                return biased(after, constant, _SIGNS[operator.name])
            return replace(after, nonnegative=False)
        sums = operator.name in _TRANSPARENT or operator.name == "add"
        layer = known.layer and Layer(known.layer.name, sources=known.layer.sources)
        return replace(after, layer=layer, nonnegative=after.nonnegative and sums)


def _arrangement(z: torch.Tensor, known: Known) -> Arrangement:
    """Where units and examples lie; by the usual layouts where the layers did not tell."""
    units = known.units
    if units is None or not units.fits(z.shape):
        axis = 1 if z.ndim >= _IMAGE_RANK else z.ndim - 1
        units = Place(axis, z.shape[axis])
    examples = known.examples
    if examples is None or not examples.fits(z.shape) or examples.axis == units.axis:
        examples = None
    return Arrangement(units, examples)


def _tensors(values: Any) -> list[torch.Tensor]:
    """The tensors among an operator's arguments, lists included."""
    found = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found.extend(x for x in value if isinstance(x, torch.Tensor))
    return found


def _is_zero(value: Any) -> bool:
    """Whether a number or a whole tensor is zero."""
    return not value.any() if isinstance(value, torch.Tensor) else value == 0
