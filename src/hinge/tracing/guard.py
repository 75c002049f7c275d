"""Leaves a model, and the random state around it, exactly as they were."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from hinge.errors import ModelError


@contextmanager
def untouched(model: object) -> Iterator[None]:
    """Run a block with the model in eval mode, then restore what it may have changed.

    Restored are the mode of every module, the buffers, and the random states of
    Python, NumPy and torch. Gradients are never written, hooks never registered.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 users' global state
    with torch.random.fork_rng(_devices(model)):
        try:
            if isinstance(model, nn.Module):
                with _modes_kept(model), _buffers_kept(model):
                    yield
            else:
                yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002 the same


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done, so that nothing is half counted."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    pressed: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed and callable(before):
        before(*pressed[0])


@contextmanager
def _modes_kept(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    _refuse_lazy(model)
    try:
        for module, _ in modes:  # not eval(), which exported programs refuse
            module.training = False
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _buffers_kept(model: nn.Module) -> Iterator[None]:
    """Buffers are compared by identity and version, so an untouched one costs one copy."""
    kept = [
        (module, name, buffer, _version(buffer), buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for module, name, buffer, version, values in kept:
                if _version(buffer) != version:
                    buffer.copy_(values)
                if getattr(module, name, None) is not buffer:
                    setattr(module, name, buffer)


def _version(buffer: torch.Tensor) -> int:
    return buffer._version  # noqa: SLF001 - how torch's documentation tells to see a change


def _refuse_lazy(model: nn.Module) -> None:
    for name, parameter in [*model.named_parameters(), *model.named_buffers()]:
        if is_lazy(parameter):
            raise ModelError(
                "the model is not initialised yet",
                where=name,
                found="a lazy parameter without a shape",
                do="run the model once on a batch, then call again",
            )


def _devices(model: object) -> list[int]:
    """The CUDA devices whose random state the model may use."""
    if not isinstance(model, nn.Module):
        return []
    found = {p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"}
    return sorted(found)
