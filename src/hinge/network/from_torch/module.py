"""Reads a running `torch.nn.Module`, which is left exactly as it was."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.utils._pytree import tree_leaves

from hinge.errors import DataError, ModelError, UnsupportedError
from hinge.network.from_torch.graph import Modules, network_of
from hinge.network.from_torch.node import class_path, clean_path, is_activation
from hinge.network.network import Network

TOLERANCE = 1e-3
"""A network whose output differs by more, relative to the model's largest, was read wrongly."""


def network_from_module(model: nn.Module, example: Any) -> Network:
    """Read a model by tracing it on an example batch, in evaluation mode."""
    while "_orig_mod" in dict(model.named_children()):  # what torch.compile wraps around it
        model = model.get_submodule("_orig_mod")
    batch = _batch(example)
    origin = type(model).__name__
    with _at_rest(model):
        program = _exported(model, batch, origin)
        network = network_of(program, origin, _modules(model))
        _compare(network, program, batch)
    return network


def _batch(example: Any) -> Tensor:
    """Return the example as a batch of at least 2: torch takes a 1 to be a fixed size."""
    if isinstance(example, (tuple, list)) and len(example) == 1:
        example = example[0]
    if isinstance(example, np.ndarray):
        example = torch.from_numpy(example)
    if not isinstance(example, Tensor) or example.ndim == 0 or not len(example):
        shown = f"shape {tuple(example.shape)}" if isinstance(example, Tensor) else repr(example)
        raise DataError(
            "reading a torch module needs an example batch",
            where="the argument example",
            found=shown[:200],
            do="pass a tensor of shape (N, ...) such as the model is called with",
        )
    batch = example.detach()
    return torch.cat([batch, batch]) if len(batch) == 1 else batch


@contextmanager
def _at_rest(model: nn.Module) -> Iterator[None]:
    """Hold the model in evaluation mode; give back each module's mode and the random state."""
    modes = [(module, module.training) for module in model.modules()]
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    before = logger.disabled
    logger.disabled = True  # it prints the failure that becomes an error here
    try:
        for module, _ in modes:
            module.training = False
        with torch.random.fork_rng(), warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before
        for module, mode in modes:
            module.training = mode


def _exported(model: nn.Module, batch: Tensor, origin: str) -> ExportedProgram:
    """Export with a free batch axis; a model that fixes it is read with the example's."""
    error: Exception | None = None
    for size, dims in ((batch, ({0: Dim.AUTO},)), (batch, None), (batch[:1], None)):
        try:
            with torch.compiler.set_stance("force_eager"):
                program = torch.export.export(model, (size,), dynamic_shapes=dims, strict=False)
                functional: ExportedProgram = program.run_decompositions({})
                return functional
        except Exception as failure:  # noqa: BLE001 # the model's own code may raise anything
            error = error or failure
    first = str(error).strip().splitlines() or [""]
    raise UnsupportedError(
        "the model cannot be traced by torch.export",
        where=origin,
        found=f"{type(error).__name__}: {first[0][:300]}",
        do="check that the model runs on the example; code that depends on values cannot be "
        "traced, but hinge.observe and hinge.examine still work on it",
    ) from error


def _modules(model: nn.Module) -> Modules:
    parents, weighted = set(), set()
    for path, module in model.named_modules():
        if next(module.children(), None) is not None:
            parents.add(clean_path(path))
        elif next(module.parameters(), None) is not None and not is_activation(
            class_path(type(module))
        ):
            weighted.add(clean_path(path))
    return Modules(parents, weighted)


def _compare(network: Network, program: ExportedProgram, batch: Tensor) -> None:
    """Refuse a network that does not compute what the model computes on the example."""
    if batch.dtype not in (torch.float32, torch.float64):
        return
    wanted: Tensor = tree_leaves(program.module()(batch))[0]
    got = network(batch)
    scale = wanted.abs().nan_to_num(0, 0, 0).max().item() if wanted.numel() else 0.0
    if torch.allclose(got, wanted.to(got), TOLERANCE, TOLERANCE * max(scale, 1), equal_nan=True):
        return
    raise ModelError(
        "the network that was read does not compute what the model computes",
        where=network.origin,
        found=f"outputs that differ by {(got - wanted).abs().max().item():.3g}",
        do="please report the model; hinge.observe and hinge.examine do not need the network",
    )
