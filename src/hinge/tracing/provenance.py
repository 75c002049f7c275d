"""What is known of each tensor while a model runs: where it came from and how it is laid out."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from typing import Any

import torch

from hinge.layout import Place

INPUT = "input"
"""The name of the model's own input among the sources of a layer."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The operator with weights whose output reaches a pre-activation.

    ``weight`` has the units first; ``scale`` and ``shift`` are what came between the
    layer and the activation, per unit (a batch norm, an added constant).
    """

    name: str
    weight: torch.Tensor | None = None
    bias: torch.Tensor | None = None
    scale: torch.Tensor | None = None
    shift: torch.Tensor | None = None
    sources: tuple[str, ...] = ()
    source_units: Place | None = None
    source_shape: tuple[int, ...] = ()
    nonnegative: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one tensor.

    ``units`` and ``examples`` say where these indices lie. ``layer`` is the layer whose
    output it is; ``sources`` are the sites it was computed from since the last layer.
    ``parameter`` names the parameter that it is or is computed from alone.
    ``mask_of`` is the tensor whose entries above ``above`` it marks: above 0 if that is None.
    ``relu_of`` is the tensor that it is the ReLU of.
    """

    units: Place | None = None
    examples: Place | None = None
    layer: Layer | None = None
    sources: tuple[str, ...] = ()
    nonnegative: bool = False
    parameter: str = ""
    mask_of: weakref.ref[torch.Tensor] | None = None
    above: Any = None
    relu_of: weakref.ref[torch.Tensor] | None = None

    @property
    def is_data(self) -> bool:
        """Whether the tensor depends on the model's input, as far as is known."""
        return self is not NOTHING and not self.parameter


NOTHING = Known()


class Provenance:
    """What is known of the tensors that are alive, by their identity."""

    def __init__(self, model: object) -> None:
        self._fixed: dict[int, tuple[torch.Tensor, Known]] = {}
        self._passing: dict[int, tuple[weakref.ref[torch.Tensor], Known]] = {}
        if isinstance(model, torch.nn.Module):
            for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
                self._fixed[id(tensor)] = (tensor, Known(parameter=name))

    def __getitem__(self, tensor: object) -> Known:
        """What is known of an object; nothing if it is no tensor."""
        key = id(tensor)
        if key in self._fixed:
            return self._fixed[key][1]
        entry = self._passing.get(key)
        return entry[1] if entry is not None and entry[0]() is tensor else NOTHING

    def __setitem__(self, tensor: torch.Tensor, known: Known) -> None:
        self._passing[id(tensor)] = (weakref.ref(tensor), known)

    def start(self, inputs: list[torch.Tensor], n_examples: int, axis: int) -> None:
        """Forget the last pass; the examples of the new inputs lie along ``axis``."""
        self._passing.clear()
        for tensor in inputs:
            batched = tensor.ndim > axis and tensor.shape[axis] == n_examples
            examples = Place(axis, n_examples) if batched else None
            self[tensor] = Known(examples=examples, sources=(INPUT,))


def joined(first: Known, others: list[Known], **changed: Any) -> Known:
    """What an operator's main input and its other inputs tell together, but for what changed."""
    sources = dict.fromkeys(first.sources)
    for other in others:
        sources.update(dict.fromkeys(other.sources))
    return replace(
        first,
        sources=tuple(sources),
        nonnegative=first.nonnegative and all(other.nonnegative for other in others),
        **changed,
    )
