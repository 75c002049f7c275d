"""The layer behind a site, as arrays that a diagnosis can read."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hinge.tracing.provenance import INPUT, Layer
from hinge.units import Counts, Feed

_MATRIX = 2  # a weight has the units and at least one more axis


def feed_of(layer: Layer, n_units: int) -> Feed:
    """Describe a layer whose output has ``n_units`` units; see `hinge.units.Feed`.

    The weights are shared with the model where they can be, not copied.
    """
    weight = _rows(layer, n_units)
    return Feed(
        layer=layer.name,
        weight=weight,
        bias=_bias(layer, n_units),
        inputs=tuple(source for source in layer.sources if source != INPUT),
        input_of=None if weight is None else _input_units(layer, weight.shape[1]),
        nonnegative=layer.nonnegative,
    )


def _rows(layer: Layer, n_units: int) -> npt.NDArray[Any] | None:
    """One row of weights per unit, what follows the layer included."""
    if layer.weight is None or layer.weight.ndim < _MATRIX or layer.weight.shape[0] != n_units:
        return None
    rows = layer.weight.detach().flatten(1)
    if layer.scale is not None:
        rows = rows.double() * layer.scale.detach()[:, None]
    elif rows.dtype not in (torch.float32, torch.float64):
        rows = rows.float()
    found: npt.NDArray[Any] = rows.cpu().numpy()
    return found


def _bias(layer: Layer, n_units: int) -> npt.NDArray[Any] | None:
    """The constant that is added to each unit's weighted sum; None if unknown."""
    if layer.weight is None or layer.weight.shape[0] != n_units:
        return None
    bias = torch.zeros(n_units, dtype=torch.float64, device=layer.weight.device)
    if layer.bias is not None:
        bias = bias + layer.bias.detach().double().flatten()
    if layer.scale is not None and layer.shift is not None:
        bias = bias * layer.scale.detach() + layer.shift.detach()
    found: npt.NDArray[Any] = bias.cpu().numpy()
    return found


def _input_units(layer: Layer, n_columns: int) -> Counts | None:
    """The unit of the one input site that feeds each column, if that is known."""
    place, sources = layer.source_units, layer.sources
    if place is None or len(sources) != 1 or sources[0] == INPUT:
        return None
    length = layer.source_shape[place.axis]
    if n_columns % length:
        return None  # grouped or otherwise shared: a column is no single input
    columns = np.arange(n_columns) // (n_columns // length)
    return (columns // place.inner) % place.size
