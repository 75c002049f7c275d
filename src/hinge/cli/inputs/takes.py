"""What a model takes, as far as it can be told before it runs: a shape, names of arguments."""

from __future__ import annotations

import inspect
from functools import cached_property
from pathlib import Path

import onnx

from hinge.cli.inputs.models import Model
from hinge.network import Network

Shape = tuple[int, ...]


class Takes:
    """What a model takes. ``source`` is how the command line names it."""

    def __init__(self, model: Model, source: str) -> None:
        self._model = model
        self._source = source

    @property
    def shape(self) -> Shape | None:
        """The shape of one example; None for a module, which tells only when it runs."""
        return self._model.input_shape if isinstance(self._model, Network) else None

    @cached_property
    def names(self) -> dict[str, bool]:
        """The names of its arguments, and whether it needs them; empty if it has none."""
        if not isinstance(self._model, Network):
            parameters = inspect.signature(self._model.forward).parameters.values()
            named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
            return {p.name: p.default is p.empty for p in parameters if p.kind in named}
        if Path(self._source).suffix.lower() != ".onnx":
            return {}
        graph = onnx.load(self._source, load_external_data=False).graph
        constants = {tensor.name for tensor in graph.initializer}
        return {value.name: True for value in graph.input if value.name not in constants}
