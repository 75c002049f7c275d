"""Which activation a tensor operator is, however it is spelt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from hinge.activations import (
    Activation,
    JointActivation,
    from_aten,
    is_aten_name,
    jump_relu,
    relu,
    sigmoid,
)
from hinge.tracing.follow import resized
from hinge.tracing.operators import Operator, is_zero
from hinge.tracing.provenance import Provenance

Match = tuple[Activation | JointActivation, dict[str, Any], torch.Tensor]
"""An activation, the parameters of one call, and its pre-activation."""


def recognise(operator: Operator, args: Any, kwargs: Any, seen: Provenance) -> Match | None:
    """The activation that this operator is, its parameters and its pre-activation."""
    if not args or not isinstance(args[0], torch.Tensor):
        return None
    match = _matched(operator, args, kwargs, seen)
    if match is None:
        return None
    z = match[2]
    return match if z.is_floating_point() and not seen[z].parameter else None


def _matched(operator: Operator, args: Any, kwargs: Any, seen: Provenance) -> Match | None:
    name, z = operator.name, args[0]
    if name == "glu":
        return sigmoid, {}, _gate(z, args[1] if len(args) > 1 else -1, seen)
    if name in ("mul", "where"):
        return _masked(name, args, seen)
    if name == "maximum" and is_zero(z):
        args = (args[1], z)
    if not is_aten_name(name):
        return None
    arguments = operator.bind(args, kwargs)
    del arguments[operator.arguments[0]]
    found = from_aten(name, arguments)
    return None if found is None else (*found, args[0])


def _gate(x: torch.Tensor, axis: int, seen: Provenance) -> torch.Tensor:
    """The half of a gated unit's input that goes through the sigmoid."""
    gate: torch.Tensor = x.chunk(2, axis)[1]
    known = seen[x]
    units = known.units and resized(known.units, x.shape, gate.shape)
    seen[gate] = replace(known, units=units or known.units)
    return gate


def _masked(name: str, args: Any, seen: Provenance) -> Match | None:
    """``x * (x > 0)`` and ``where(x > 0, x, 0)`` are ReLUs; above a threshold, JumpReLUs.

    So is ``relu(x) * (x > threshold)``, as sparse autoencoders spell it.
    """
    pairs: list[tuple[torch.Tensor, Any]]
    if name == "where":
        mask, x, other = args
        pairs = [(x, mask)] if is_zero(other) else []
    else:
        pairs = [(args[0], args[1]), (args[1], args[0])]
    for x, mask in pairs:
        known, rectified = seen[mask], seen[x].relu_of
        z = known.mask_of() if known.mask_of is not None else None
        if z is None:
            continue
        if known.above is not None and (z is x or (rectified is not None and rectified() is z)):
            return jump_relu, {"threshold": known.above}, z
        if z is x and known.above is None:
            return relu, {}, x
    return None
