"""The operators whose weights make units: where these lie in the output, and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from hinge.layout import Place
from hinge.tracing.provenance import Known, Layer, Provenance

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class _Product:
    """A matrix product: the names of its factors and of the added bias."""

    left: str
    right: str
    bias: str = ""

    def __call__(self, arguments: Arguments, out: torch.Tensor, seen: Provenance) -> Known:
        left, right = arguments[self.left], arguments[self.right]
        if seen[right].is_data and not seen[left].is_data:
            return self._weight_first(left, right, out, seen)
        layer = _layer(seen, right, arguments.get(self.bias), seen[left], left)
        if right.ndim == 1:  # one unit, whose values are the rows
            units = Place(0, 1, out.shape[0])
            return Known(units=units, examples=seen[left].examples, layer=_one_unit(layer))
        if layer.weight is not None:
            layer = replace(layer, weight=layer.weight.mT)
        units = Place(out.ndim - 1, out.shape[-1])
        examples = seen[left].examples
        kept = examples if examples is not None and examples.axis < left.ndim - 1 else None
        return Known(units=units, examples=kept, layer=layer)

    @staticmethod
    def _weight_first(
        weight: torch.Tensor, x: torch.Tensor, out: torch.Tensor, seen: Provenance
    ) -> Known:
        """``W @ x`` with the examples in the columns: the units are the rows."""
        axis = max(out.ndim - 2, 0)
        examples = seen[x].examples
        kept = examples if examples is not None and examples.axis == x.ndim - 1 else None
        layer = _layer(seen, weight, None, seen[x], x, axis=axis)
        return Known(units=Place(axis, out.shape[axis]), examples=kept, layer=layer)


def _one_unit(layer: Layer) -> Layer:
    return layer if layer.weight is None else replace(layer, weight=layer.weight[None])


def _convolved(arguments: Arguments, out: torch.Tensor, seen: Provenance) -> Known:
    x, weight = arguments["input"], arguments["weight"]
    layer = _layer(seen, weight, arguments.get("bias"), seen[x], x, axis=1)
    if arguments.get("transposed"):
        layer = replace(layer, weight=None)
    examples = seen[x].examples
    kept = examples if examples is not None and examples.axis == 0 else None
    return Known(units=Place(1, out.shape[1]), examples=kept, layer=layer)


def _looked_up(arguments: Arguments, out: torch.Tensor, seen: Provenance) -> Known:
    known = seen[arguments["indices"]]
    layer = Layer(seen[arguments["weight"]].parameter or "embedding", sources=known.sources)
    return Known(units=Place(out.ndim - 1, out.shape[-1]), examples=known.examples, layer=layer)


def _batch_normalised(arguments: Arguments, out: torch.Tensor, seen: Provenance) -> Known:
    """Batch norm in eval mode scales and shifts each unit of the layer before it."""
    known = seen[arguments["input"]]
    units = known.units or Place(1, out.shape[1])
    layer = known.layer or Layer(seen[arguments["weight"]].parameter, sources=known.sources)
    mean, var = arguments.get("running_mean"), arguments.get("running_var")
    if mean is None or var is None or var.numel() != units.size:
        return replace(known, units=units, layer=replace(layer, weight=None, bias=None))
    scale = torch.rsqrt(var.double() + arguments["eps"])
    if arguments.get("weight") is not None:
        scale = scale * arguments["weight"].double()
    shift = -mean.double() * scale
    if arguments.get("bias") is not None:
        shift = shift + arguments["bias"].double()
    return replace(known, units=units, layer=_rescaled(layer, scale, shift), nonnegative=False)


def _rescaled(layer: Layer, scale: torch.Tensor, shift: torch.Tensor) -> Layer:
    """The layer followed by ``scale * y + shift`` per unit."""
    if layer.scale is not None and layer.shift is not None:
        scale, shift = layer.scale * scale, layer.shift * scale + shift
    return replace(layer, scale=scale, shift=shift)


def _recurrent(arguments: Arguments, out: torch.Tensor, seen: Provenance) -> Known:
    known = seen[arguments["input"]]
    layer = Layer("recurrent", sources=known.sources)
    return Known(units=Place(out.ndim - 1, out.shape[-1]), examples=known.examples, layer=layer)


def _layer(
    seen: Provenance,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    known: Known,
    x: torch.Tensor,
    *,
    axis: int = -1,
) -> Layer:
    """The layer of a weight, given the input ``x`` whose features lie along ``axis``."""
    name = seen[weight].parameter.rpartition(".")[0] or seen[weight].parameter
    learned = bool(seen[weight].parameter)
    aligned = known.units is not None and known.units.axis == axis % x.ndim
    return Layer(
        name,
        weight=weight if learned else None,
        bias=bias if bias is not None and seen[bias].parameter else None,
        sources=known.sources,
        source_units=known.units if aligned else None,
        source_shape=tuple(x.shape),
        nonnegative=known.nonnegative,
    )


LAYERS: dict[str, Callable[[Arguments, torch.Tensor, Provenance], Known]] = {
    "mm": _Product("self", "mat2"),
    "addmm": _Product("mat1", "mat2", "self"),
    "bmm": _Product("self", "mat2"),
    "baddbmm": _Product("batch1", "batch2", "self"),
    "mv": _Product("self", "vec"),
    "convolution": _convolved,
    "embedding": _looked_up,
    "native_batch_norm": _batch_normalised,
    "cudnn_batch_norm": _batch_normalised,
    "miopen_batch_norm": _batch_normalised,
    "_native_batch_norm_legit_no_training": _batch_normalised,
    "mkldnn_rnn_layer": _recurrent,
}
"""What is known of the (first) output of each operator with weights, by its name."""


def biased(known: Known, constant: torch.Tensor, sign: float) -> Known:
    """What is known after a constant with one entry per unit was added (or subtracted)."""
    layer, units = known.layer, known.units
    if layer is None or units is None or constant.numel() != units.size:
        return known
    shift = sign * constant.detach().double().flatten()
    return replace(known, layer=_rescaled(layer, torch.ones_like(shift), shift))
