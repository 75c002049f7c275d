"""`recentre`: let the first layers see inputs of mean 0, and their biases make up for it."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import Parameter, functional

from hinge.errors import UnsupportedError
from hinge.remedies.changing.keeping import check_reduced, keep, train_too
from hinge.remedies.changing.movement import held
from hinge.remedies.changing.optimizer_state import holders
from hinge.remedies.changing.runs import Measured, Runs
from hinge.remedies.changing.slots import Slot, checked_model, slots_of_module, way_back
from hinge.remedies.layering.moments import Moments
from hinge.remedies.receipt import Receipt
from hinge.tracing.batches import Batch

_CONVOLUTIONS = {
    nn.Conv1d: functional.conv1d,
    nn.Conv2d: functional.conv2d,
    nn.Conv3d: functional.conv3d,
}
_KINDS = (nn.Linear, *_CONVOLUTIONS)


class Recentre(nn.Module):
    """Subtracts ``mean``, a buffer that broadcasts against the input."""

    mean: Tensor

    def __init__(self, mean: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 torch's name
        """``input`` less the mean."""
        return input - self.mean

    def extra_repr(self) -> str:
        """The shape of the mean."""
        return f"shape={tuple(self.mean.shape)}"


def recentre(model: nn.Module, data: Any, *, optimizer: Any = None) -> Receipt:
    """Subtract the mean of the data before each layer that reads the input, in place.

    A mean far from 0 beside the spread lets units die at the start and makes gradients point
    one way. Each such layer y = W x + b becomes y = W (x - mean) + (b + W mean): the same
    function, whose gradient now sees centred inputs. Go on feeding the model as before.

    Parameters
    ----------
    model
        A `torch.nn.Module` whose input goes straight into linear layers or convolutions.
    data
        What `hinge.observe` takes: the mean is that of each feature of a linear layer over
        all examples and positions, of each channel of a convolution.
    optimizer
        What trains the model (or a list of such): a bias that is new joins its first group.

    Returns
    -------
    Receipt
        It preserves "everywhere"; "no" if a convolution pads with zeros, since at the border
        the bias makes up for more than was subtracted.

    Raises
    ------
    UnsupportedError
        No layer reads the input directly, or one is called on something else too; a bias is new
        and the model in `torch.nn.parallel.DistributedDataParallel`.
    DataError
        The model cannot run on the data.
    """
    body = checked_model(model)
    holders(optimizer)
    runs = Runs(body, data)
    first = [_read(body, one) for one in _first(body, runs)]
    measured, new = Measured(runs), list[tuple[str, Parameter]]()
    with ExitStack() as back:
        for one in first:
            new += one.centre(back, optimizer)
        check_reduced(model, new)
        trained, notes = train_too(back, optimizer, new)
        movement = measured.movement()
        padded = [one.paths for one in first if one.padded]
        contract, broken = held("no" if padded else "everywhere", movement, body)
        undo = way_back(back, [slot for one in first for slot in one.slots])
    notes += (*broken,)
    if padded:
        notes += (
            f"zeros around the input are not centred: {', '.join(padded)} moved at the border",
        )
    paths = ", ".join(one.paths for one in first)
    names = f"new names in the state_dict, below {paths}: centre.mean and, of the old, layer.*"
    changes = tuple(f"{one.paths}: reads the input less its mean ({one.size})" for one in first)
    said = (*changes, *trained)
    return Receipt(
        "recentre", {}, contract, movement.moved, movement.spread, said, (*notes, names), undo
    )


@dataclass(eq=False)
class _Reader:
    """A layer that reads the model's input: its places, and the moments of what it reads."""

    layer: Any
    moments: Moments
    slots: list[Slot] = field(default_factory=list)

    @property
    def paths(self) -> str:
        """Where it stands, in words."""
        return " and ".join(slot.path for slot in self.slots)

    @property
    def padded(self) -> bool:
        """Whether it adds zeros around the input, which are not the data's mean."""
        if isinstance(self.layer, nn.Linear) or self.layer.padding_mode != "zeros":
            return False
        padding, wide = self.layer.padding, any(size > 1 for size in self.layer.kernel_size)
        return wide and padding == "same" if isinstance(padding, str) else any(padding)

    @property
    def size(self) -> str:
        """The length of the mean beside the root of the summed variances."""
        spread = float(self.moments.variance.sum().sqrt())
        return f"length {float(self.moments.mean.norm()):.3g}, beside a deviation of {spread:.3g}"

    def centre(self, back: ExitStack, optimizer: Any) -> list[tuple[str, Parameter]]:
        """Put the centring before it and change its bias; a bias that is new, by its name."""
        layer, weight = self.layer, self.layer.weight
        flat = self.moments.mean.to(weight)
        axes = (1,) * (weight.ndim - 2)
        added = _answer(layer, flat)
        new = layer.bias is None
        with torch.no_grad():
            if new:
                back.callback(setattr, layer, "bias", None)
                layer.bias = Parameter(added.to(weight))
            else:
                keep(back, [layer.bias], optimizer)
                layer.bias.copy_(layer.bias.double() + added)
        pair = nn.Sequential(OrderedDict(centre=Recentre(flat.reshape(-1, *axes)), layer=layer))
        pair.training = layer.training
        for slot in self.slots:
            slot.put(back, pair)
        return [(f"{self.slots[0].path}.layer.bias", layer.bias)] if new else []


def _answer(layer: Any, mean: Tensor) -> Tensor:
    """What the layer makes of the mean, without its bias: one number for each unit, float64."""
    weight: Tensor = layer.weight.detach().double()
    x = mean.double()
    convolve: Any = _CONVOLUTIONS.get(type(layer))
    if convolve is None:
        return weight @ x
    window = x.reshape(1, -1, *(1,) * (weight.ndim - 2)).expand(1, -1, *weight.shape[2:])
    made: Tensor = convolve(window, weight, groups=layer.groups)
    return made.flatten()


def _first(model: nn.Module, runs: Runs) -> list[_Reader]:
    """The layers that read the model's input, with what they read."""
    found: dict[int, _Reader] = {}
    others: set[int] = set()

    def called(module: nn.Module, x: Tensor, _: Tensor, batch: Batch) -> None:
        if type(module) not in _KINDS:
            return
        if not any(_is_input(x, given) for given in batch.tensors):
            others.add(id(module))
            return
        weight: Any = module.weight
        reads = 1 if weight.ndim > 2 else x.ndim - 1  # noqa: PLR2004 a matrix reads the last axis
        if weight.ndim > x.ndim:
            x, reads = x[None], 1  # a convolution of one example without an axis of examples
        rows = x.movedim(reads, -1).flatten(0, -2)
        found.setdefault(id(module), _Reader(module, Moments(rows.shape[-1]))).moments.add(rows)

    runs.over_modules(called)
    if not found:
        raise _refused(
            "the whole model",
            "no linear layer or convolution that is called on the input itself",
        )
    mixed = [path for path, one in model.named_modules() if id(one) in others & set(found)]
    if mixed:
        raise _refused(mixed[0], "it is called on the input and on something else")
    return list(found.values())


def _read(model: nn.Module, reader: _Reader) -> _Reader:
    """Find its places. Raises `UnsupportedError` where it cannot be wrapped or rewritten."""
    reader.slots = slots_of_module(model, reader.layer)
    held = reader.layer._parameters  # noqa: SLF001 what is computed is not there
    if not reader.slots:
        raise _refused("the whole model", f"the model is one layer, {reader.layer!r}")
    if held.get("weight") is None or "bias" not in held:
        raise _refused(reader.paths, "its weight is computed from other parameters")
    owners = [p for m in model.modules() for p in m._parameters.values() if p is not None]  # noqa: SLF001
    if sum(one is held["bias"] for one in owners) > 1:
        raise _refused(reader.paths, "its bias belongs to another layer too")
    return reader


def _is_input(x: Tensor, given: Tensor) -> bool:
    """Whether a tensor is the model's input, or the same values in another shape."""
    return x is given or (x.data_ptr() == given.data_ptr() and x.numel() == given.numel())


def _refused(where: str, found: str) -> UnsupportedError:
    return UnsupportedError(
        "the inputs cannot be recentred inside the model",
        where=where,
        found=found,
        do="subtract the mean from the data, here and wherever the model is used",
    )
