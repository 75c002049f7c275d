"""The layer behind each site: its weight rows, its bias, and what it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hinge.layout import Place
from hinge.network.maxima import Between
from hinge.network.operators.affine import Constant, Dense, Operator, Scale
from hinge.network.operators.convolution import AdaptiveAveragePool, AveragePool, Convolution
from hinge.network.operators.shapes import Expand, Pad, Permute, Reshape, Sum, Take
from hinge.network.steps import INPUT, Activate, Affine, Max, Step
from hinge.units import Counts, Feed

_MOVES = (Reshape, Permute)
_KEEPS_UNITS = (*_MOVES, Scale, Pad, Take, Expand, AveragePool, AdaptiveAveragePool, Sum)
_KEEPS_SIGN = (*_MOVES, Take, Expand, AveragePool, AdaptiveAveragePool, Sum)


@dataclass(frozen=True)
class Known:
    """What is known of a step's result.

    ``sites`` are those whose activation values it is made of, none for the network's
    input; ``carrier`` is the one site whose units still lie at the step's place;
    ``nonnegative`` says that it cannot be negative.
    """

    sites: tuple[str, ...] = ()
    carrier: str | None = None
    nonnegative: bool = False


def feeds(steps: Sequence[Step]) -> dict[str, Feed]:
    """Return the feed of each site, by its name."""
    by_name = {step.name: step for step in steps}
    known = {INPUT: Known()}
    for step in steps:
        known[step.name] = _known(step, [known[name] for name in step.inputs], by_name)
    trail = _Trail(by_name, known)
    return {step.name: trail.feed(step) for step in steps if isinstance(step, Activate)}


def _known(step: Step, reads: list[Known], by_name: dict[str, Step]) -> Known:
    if isinstance(step, Activate):
        low, _ = step.activation.range(**step.parameters)
        return Known((step.name,), step.name, nonnegative=low >= 0)
    sites = tuple(dict.fromkeys(name for read in reads for name in read.sites))
    return Known(sites, _carrier(step, reads, by_name), _nonnegative(step, reads))


def _carrier(step: Step, reads: list[Known], by_name: dict[str, Step]) -> str | None:
    carrier = reads[0].carrier
    keeps = (isinstance(step, Affine) and isinstance(step.operator, _KEEPS_UNITS)) or (
        isinstance(step, Max) and not isinstance(step.rule, Between)
    )
    if carrier is None or step.place is None or not keeps:
        return None
    before = by_name[step.inputs[0]].place
    if isinstance(step, Affine) and isinstance(step.operator, Take) and before is not None:
        keeps = step.operator.axis != before.axis
    return carrier if keeps and before is not None and step.place.size == before.size else None


def _nonnegative(step: Step, reads: list[Known]) -> bool:
    if isinstance(step, Max) and isinstance(step.rule, Between):
        return any(read.nonnegative for read in reads)
    inputs = all(read.nonnegative for read in reads)
    return inputs and _keeps_sign(step.operator) if isinstance(step, Affine) else inputs


def _keeps_sign(operator: Operator) -> bool:
    match operator:
        case Pad():
            return operator.value >= 0
        case Scale():
            held = (t for t in (operator.factor, operator.term) if t is not None)
            return all(bool((tensor >= 0).all()) for tensor in held)
        case Constant():
            return bool((operator.value >= 0).all())
        case _:
            return isinstance(operator, _KEEPS_SIGN)


@dataclass(frozen=True)
class _Trail:
    """The steps and what is known of them, to be walked backwards."""

    steps: dict[str, Step]
    known: dict[str, Known]

    def feed(self, site: Activate) -> Feed:
        """Walk back to the layer; z = ``scale`` * y + ``term`` at every result y on the way."""
        name, changed = site.inputs[0], False
        scale = torch.ones(site.site.n_units, dtype=torch.float64)
        term = torch.zeros_like(scale)
        while isinstance(step := self.steps.get(name), Affine):
            operator = step.operator
            if isinstance(operator, (Dense, Convolution)):
                return self._layer(step, operator, scale, term)
            if isinstance(operator, Scale):
                factor = _per_unit(operator.factor, 1.0, step, scale)
                added = _per_unit(operator.term, 0.0, step, scale)
                if factor is None or added is None:
                    break
                scale, term, changed = scale * factor, term + scale * added, True
            elif not isinstance(operator, _MOVES):
                break
            name = step.inputs[0]
        return Feed(name, bias=term.numpy() if changed else None, inputs=self.known[name].sites)

    def _layer(self, step: Affine, layer: Dense | Convolution, scale: Tensor, term: Tensor) -> Feed:
        before = self.known[step.inputs[0]]
        rows, columns = _rows(layer)
        if len(rows) != len(scale):
            return Feed(step.name, inputs=before.sites, nonnegative=before.nonnegative)
        bias = torch.zeros_like(scale) if layer.bias is None else layer.bias.double()
        carrying = self.steps[step.inputs[0]].place if before.carrier else None
        axis = layer.axis if isinstance(layer, Dense) else 1
        return Feed(
            step.name,
            weight=(scale[:, None] * rows.double()).numpy(),
            bias=(scale * bias + term).numpy(),
            inputs=before.sites,
            input_of=_units_of(columns, carrying, axis),
            nonnegative=before.nonnegative,
        )


def _rows(layer: Dense | Convolution) -> tuple[Tensor, npt.NDArray[Any] | None]:
    """Return one row per unit, and the position along the input's axis that each column reads."""
    weight = layer.weight
    if isinstance(layer, Dense):
        return weight, np.arange(weight.shape[1])
    if layer.transposed:
        grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])
        weight = grouped.transpose(1, 2).flatten(0, 1)
    taps = weight[0, 0].numel()
    columns = np.arange(weight.shape[1]).repeat(taps) if layer.groups == 1 else None
    return weight.flatten(1), columns


def _units_of(positions: npt.NDArray[Any] | None, place: Place | None, axis: int) -> Counts | None:
    if positions is None or place is None or place.axis != axis:
        return None
    return ((positions // place.inner) % place.size).astype(np.int64)


def _per_unit(tensor: Tensor | None, neutral: float, step: Affine, like: Tensor) -> Tensor | None:
    """Return one number per unit, if the tensor has the same one at all positions of each unit."""
    place, shape = step.place, step.shape
    if tensor is None:
        return torch.full_like(like, neutral)
    if place is None or place.size != len(like):
        return None
    axis = place.axis - 1
    split = (*shape[:axis], *place.split((1, *shape)), *shape[axis + 1 :])
    rows = tensor.double().broadcast_to(shape).reshape(split).movedim(axis + 1, 0).flatten(1)
    return rows[:, 0] if bool((rows == rows[:, :1]).all()) else None
