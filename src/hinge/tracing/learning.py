"""What becomes known of an operator's outputs from what is known of its inputs."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from hinge.tracing.follow import moved, resized
from hinge.tracing.layers import LAYERS, biased
from hinge.tracing.operators import Operator, is_zero, tensors_among
from hinge.tracing.provenance import NOTHING, Known, Layer, Provenance, joined

TRANSPARENT = frozenset(
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
_COPIES = frozenset(("_to_copy", "clone", "detach", "alias"))
_ABOVE = {"gt": ("self", "other"), "lt": ("other", "self")}
_SIGNS = {"add": 1.0, "sub": -1.0}


def learn(operator: Operator, args: Any, kwargs: Any, out: Any, seen: Provenance) -> None:
    """Remember what is now known of the operator's outputs."""
    inputs = [(x, known) for x in tensors_among(args) if (known := seen[x]) is not NOTHING]
    outputs = tensors_among((out,))
    if not inputs or not outputs:
        return
    data = [(x, known) for x, known in inputs if not known.parameter]
    if not data:
        for y in outputs:
            seen[y] = Known(parameter=inputs[0][1].parameter)
        return
    arguments = operator.bind(args, kwargs)
    if operator.name in LAYERS:
        seen[outputs[0]] = LAYERS[operator.name](arguments, outputs[0], seen)
        return
    for y in outputs:
        after = _passed_on(operator, data, arguments, y)
        seen[y] = _with_layer(operator, after, arguments, seen, alone=len(data) == 1)


def _passed_on(
    operator: Operator,
    data: list[tuple[torch.Tensor, Known]],
    arguments: dict[str, Any],
    y: torch.Tensor,
) -> Known:
    """What is known of an output of an operator without weights, as if the layer survived."""
    x, known = max(data, key=lambda pair: (pair[1].units is not None, pair[0].shape == y.shape))
    units, examples = (
        place and moved(operator.name, place, x.shape, y.shape, arguments)
        for place in (known.units, known.examples)
    )
    if units is None and known.units is not None:
        units = resized(known.units, x.shape, y.shape)
    mask_of, above = (known.mask_of, known.above) if operator.name in _COPIES else (None, None)
    if operator.name in ("gt", "ge") and is_zero(arguments["other"]):
        mask_of = weakref.ref(x)
    elif len(data) == 1 and (bar := _threshold(operator.name, arguments, x)) is not None:
        mask_of, above = weakref.ref(x), bar
    others = [other for tensor, other in data if tensor is not x]
    return joined(
        known,
        others,
        units=units,
        examples=examples,
        mask_of=mask_of,
        above=above,
        relu_of=known.relu_of if operator.name in _COPIES else None,
    )


def _threshold(name: str, arguments: Mapping[str, Any], x: torch.Tensor) -> Any:
    """What x is compared with, if it can be JumpReLU's threshold; else None.

    That is not negative, and one number or one for each unit of the last axis. Python turns
    ``x > parameter`` into ``parameter < x``, as a parameter is of a subclass.
    """
    if name not in _ABOVE or arguments[_ABOVE[name][0]] is not x:
        return None
    bar = arguments[_ABOVE[name][1]]
    if not isinstance(bar, torch.Tensor):
        return bar if bar > 0 else None
    per_unit = bar.numel() == 1 or tuple(bar.shape[-1:]) == (bar.numel(),) == x.shape[-1:]
    return bar if per_unit and bool((bar >= 0).all()) else None


def _with_layer(
    operator: Operator,
    after: Known,
    arguments: dict[str, Any],
    seen: Provenance,
    *,
    alone: bool,
) -> Known:
    """Keep of the layer what still describes the output; ``alone``: no other data came in."""
    if alone and operator.name in TRANSPARENT:
        return after
    constant = arguments.get("other")
    if alone and operator.name in _SIGNS and isinstance(constant, torch.Tensor):
        if seen[constant].parameter:
            return biased(after, constant, _SIGNS[operator.name])
        return replace(after, nonnegative=False)
    sums = operator.name in TRANSPARENT or operator.name == "add"
    layer = after.layer and Layer(after.layer.name, sources=after.layer.sources)
    return replace(after, layer=layer, nonnegative=after.nonnegative and sums)
