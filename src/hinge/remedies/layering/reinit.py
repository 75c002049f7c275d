"""`reinit`: draw the weights of whole layers anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hinge.errors import OptionError
from hinge.remedies.changing.keeping import forget, keep
from hinge.remedies.changing.optimizer_state import holders
from hinge.remedies.changing.runs import Measured, Runs
from hinge.remedies.changing.slots import checked_model, checked_paths
from hinge.remedies.layering.drawing import Lsuv, Method, method_named
from hinge.remedies.layering.moments import Moments
from hinge.remedies.layering.weighted import Weighted, gains, weighted_layers
from hinge.remedies.receipt import Receipt
from hinge.tracing.batches import Batch

_NAMED = 5  # parameters that a note names


def reinit(
    model: nn.Module,
    *,
    by: str | Method = "he",
    layers: str | Collection[str] | None = None,
    data: Any = None,
    optimizer: Any = None,
    seed: int = 0,
) -> Receipt:
    """Draw the weights of dense layers and convolutions anew, in place.

    Parameters
    ----------
    model
        A `torch.nn.Module`.
    by
        "he", "lecun", "orthogonal", "lsuv" or "rai", or one of the classes with options:
        `He`, `LeCun`, `Orthogonal`, `Lsuv`, `Rai`. All but `Rai` set biases to 0.
    layers
        Paths of modules: only they and what lies below them is drawn; None: all.
    data
        What `hinge.observe` takes; `Lsuv` needs it. With data the gain of a layer is that of
        the activation that is called on what it makes, without that of the module that stands
        behind it in the model; 1 where there is none.
    optimizer
        What trains the model (or a list of such); it forgets what it has of these parameters.
    seed
        Of the random numbers, which leave torch's own alone.

    Returns
    -------
    Receipt
        It preserves "no": this is another network.

    Raises
    ------
    OptionError
        A method or path that does not exist, or LSUV without data.
    ModelError
        There is no such layer, or its weights have no shape yet.
    UnsupportedError
        A weight that is computed from other parameters.
    DataError
        The model cannot run on the data.
    """
    body, method = checked_model(model), method_named(by)
    chosen = weighted_layers(body, checked_paths(body, layers, "layers="))
    holders(optimizer)
    runs = None if data is None else Runs(body, data)
    if isinstance(method, Lsuv) and runs is None:
        raise OptionError(
            "LSUV scales each layer by what comes out of it over data",
            where="reinit(by='lsuv')",
            found="no data",
            do="pass data=, a batch of a few hundred examples",
        )
    measured, gain = Measured(runs), gains(body, chosen, runs)
    random = torch.Generator().manual_seed(seed)
    with ExitStack() as back:
        tensors = [tensor for layer in chosen for tensor in layer.parameters]
        keep(back, tensors, optimizer)
        for layer in chosen:
            units, columns = layer.shape
            layer.write(*method.draw(units, layer.fan_in, columns, gain[layer.path], random))
        scaled = _scale(runs, chosen, method) if runs and isinstance(method, Lsuv) else _Scaled()
        names = ", ".join(layer.path or "the model" for layer in chosen)
        changes = (f"drawn anew: {names}", *scaled.changes, *forget(optimizer, tensors))
        movement = measured.movement()
        undo = back.pop_all().close
    notes = (
        *scaled.notes,
        *_shared(body, chosen),
        *(_others(body, tensors) if layers is None else ()),
    )
    return Receipt(
        f"reinit by {method.name}", {}, "no", movement.moved, movement.spread, changes, notes, undo
    )


@dataclass
class _Scaled:
    """What LSUV has to say."""

    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _scale(runs: Runs, layers: Sequence[Weighted], method: Lsuv) -> _Scaled:
    """Divide each layer's weights by the deviation of its outputs, in the order of the calls."""
    by_module = {id(layer.module): layer for layer in layers}
    said = _Scaled()
    reached = dict.fromkeys(_variances(runs))
    for key in reached:
        if key in by_module:
            _scale_one(runs, by_module[key], method, said)
    silent = [layer.path for layer in layers if id(layer.module) not in reached]
    if silent:
        said.notes += (f"not called as a module, so not scaled: {', '.join(silent)}",)
    return said


def _scale_one(runs: Runs, layer: Weighted, method: Lsuv, said: _Scaled) -> None:
    for _ in range(method.iterations):
        variance = _variances(runs, layer.module)[id(layer.module)]
        if not 0 < variance < float("inf"):
            said.notes += (f"{layer.path} was not scaled: its outputs have variance {variance:g}",)
            return
        if abs(variance - 1) < method.tolerance:
            break
        with torch.no_grad():
            layer.weight.div_(variance**0.5)
    variance = _variances(runs, layer.module)[id(layer.module)]
    said.changes += (f"{layer.path}: its outputs have variance {variance:.3g}",)


def _variances(runs: Runs, module: nn.Module | None = None) -> dict[int, float]:
    """The variance of all outputs of one module, or of each, in the order of the calls."""
    seen: dict[int, Moments] = {}

    def called(which: nn.Module, _: Tensor, out: Tensor, __: Batch) -> None:
        if module is None or which is module:
            seen.setdefault(id(which), Moments(1)).add(out.reshape(-1, 1))

    runs.over_modules(called)
    return {key: float(one.variance) for key, one in seen.items()}


def _shared(model: nn.Module, layers: Sequence[Weighted]) -> list[str]:
    """Name the modules of another kind that have the same weights, such as a tied embedding."""
    drawn = {id(layer.weight): layer.path for layer in layers}
    kinds = {id(layer.weight): type(layer.module) for layer in layers}
    return [
        f"the weight of {path}, which is that of {drawn[id(one)]} too, was drawn with it"
        for path, module in model.named_modules()
        for one in module.parameters(recurse=False)
        if id(one) in drawn and type(module) is not kinds[id(one)]
    ]


def _others(model: nn.Module, drawn: Sequence[Tensor]) -> tuple[str, ...]:
    """Name the matrices that belong to no layer that is known."""
    known = {id(tensor) for tensor in drawn}
    left = [name for name, one in model.named_parameters() if id(one) not in known and one.ndim > 1]
    if not left:
        return ()
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    return (f"left as they were: {', '.join(left[:_NAMED])}{more}",)
