"""`watch`: begins to watch a model while it trains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from hinge.census.watching.watch import Watch
from hinge.errors import ModelError, OptionError
from hinge.sinks import as_sink
from hinge.tracing.running import unwrapped


def watch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    every: int = 16,
    sinks: Iterable[Any] = (),
    scaler: Any = None,
    batch_axis: int = 0,
    patience: int | None = None,
    example: Any = None,
) -> Watch:
    """Count every unit of a model at every step of its training.

    ``with hinge.watch(model, optimizer) as watch: train()`` is all that a plain loop needs. The
    numbers of the training are the same, bit for bit, with and without it. An error inside the
    watch ends the watch with one warning, never the training.

    Parameters
    ----------
    model
        What the training calls: a module, plain, compiled, or in DistributedDataParallel or
        FSDP.
    optimizer
        Its optimizer, whose steps are then the steps of the watch, and whose learning rate
        helps to say why units died. Without one, each pass is a step.
    every
        At every so manyth step means, variances, signs of gradients and their norms are taken
        too, and the watch looks for what happened.
    sinks
        Where to write: paths ending in ``.jsonl``, callables, TensorBoard writers, runs of
        Weights & Biases, or `hinge.sinks`.
    scaler
        The ``GradScaler`` of mixed precision, so that skipped steps are told.
    batch_axis
        The axis of the inputs that holds the examples.
    patience
        How many silent steps a unit must have behind it before it can be called dead.
    example
        A batch of inputs as the model takes it (a tuple of several). Needed only for a model
        that was compiled in place, by ``model.compile()``: nobody can see its first pass.

    Raises
    ------
    ModelError
        The model is no torch module, a scripted one, or in ``nn.DataParallel``.
    OptionError
        The optimizer holds no parameter of the model, or an option means nothing.
    """
    _check_model(model)
    held = None if optimizer is None else _checked_optimizer(optimizer, model)
    _check_number("every", every)
    if patience is not None:
        _check_number("patience", patience)
    _check_axis(batch_axis)
    return Watch(
        model,
        held,
        every=every,
        sinks=[as_sink(sink) for sink in sinks],
        scaler=scaler,
        batch_axis=batch_axis,
        patience=patience,
        example=example,
    )


def _check_number(name: str, value: object) -> None:
    if not isinstance(value, int) or value < 1:
        raise OptionError(
            "there is no such number of steps",
            where=f"hinge.watch({name}=...)",
            found=repr(value),
            do="pass a whole number, 1 or more",
        )


def _check_axis(axis: object) -> None:
    if not isinstance(axis, int) or axis < 0:
        raise OptionError(
            "there is no such axis",
            where="hinge.watch(batch_axis=...)",
            found=repr(axis),
            do="pass the number of the inputs' axis that holds the examples, counted from 0",
        )


def _check_model(model: object) -> None:
    if isinstance(model, nn.DataParallel):
        raise ModelError(
            "a model in nn.DataParallel cannot be watched",
            where="hinge.watch(model)",
            found="DataParallel, which copies the model to every device anew at each step, hooks "
            "and all, and throws the copies' counts away",
            do="use torch.nn.parallel.DistributedDataParallel, which torch recommends too",
        )
    if isinstance(model, torch.jit.ScriptModule):
        raise ModelError(
            "a scripted model cannot be watched",
            where="hinge.watch(model)",
            found=f"{type(model).__name__}, which takes no hooks",
            do="watch and train the module that was scripted, and script it afterwards",
        )
    if not isinstance(model, nn.Module):
        raise ModelError(
            "only torch modules can be watched",
            where="hinge.watch(model)",
            found=type(model).__name__,
            do="pass the module that the training calls",
        )


def _checked_optimizer(optimizer: Any, model: nn.Module) -> torch.optim.Optimizer:
    """The torch optimizer, out of a wrapper such as that of accelerate or Lightning."""
    for _ in range(3):
        inner = getattr(optimizer, "optimizer", None)
        if not isinstance(inner, torch.optim.Optimizer):
            break
        optimizer = inner
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise OptionError(
            "that is no torch optimizer",
            where="hinge.watch(optimizer)",
            found=type(optimizer).__name__,
            do="pass the optimizer whose step() trains the model, or leave it out",
        )
    own = {id(p) for p in unwrapped(model).parameters()}
    if not any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
        raise OptionError(
            "the optimizer holds no parameter of the model",
            where="hinge.watch(model, optimizer)",
            found=f"{type(optimizer).__name__} of other parameters",
            do="pass the optimizer that was made from model.parameters(); make it anew after "
            "the model was moved, wrapped or changed",
        )
    return optimizer
