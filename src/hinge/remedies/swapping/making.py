"""Makes the module of an activation by name: torch's own where it has one, else Hinge's."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import nn

from hinge.activations import Activation, JointActivation
from hinge.activations.kin import find
from hinge.errors import OptionError, UnsupportedError

_ALIASES = {"init": "weight"}  # as torch.nn.PReLU calls the start of its weight


@dataclass(frozen=True)
class Recipe:
    """An activation to be made: its record, the parameters asked for, and how many of each."""

    record: Activation
    parameters: Mapping[str, float]
    num_parameters: int | None

    @property
    def learned(self) -> bool:
        """Whether its module trains parameters, one or one for each channel."""
        taken = inspect.signature(_kind(self.record).__init__).parameters
        return "num_parameters" in taken

    def make(self, parameters: Mapping[str, float], channels: int, like: torch.Tensor) -> nn.Module:
        """Make the module; ``channels`` values of each learned parameter, all the same.

        They are on the device and of the dtype of ``like``.
        """
        record = self.record
        if record.names.torch_module and not self.learned:
            made: nn.Module = record.torch_module(**parameters)
            return made
        kind = _kind(record)
        if not self.learned:
            return kind(**parameters)  # type: ignore[no-any-return]
        module: nn.Module = kind(channels).to(like.device, like.dtype)
        with torch.no_grad():  # written last: from single precision they would come rounded
            for name, value in record.filled(parameters).items():
                getattr(module, name).fill_(value)
        return module


def activation_named(activation: str | Activation | JointActivation) -> Activation:
    """Find an activation by its name. Raises `UnsupportedError` for one of several numbers."""
    if not isinstance(activation, str | Activation | JointActivation):
        raise OptionError(
            "this is no activation",
            where="swap(model, old, new)",
            found=repr(activation),
            do="pass a name, such as 'leaky_relu'; hinge activations lists them all",
        )
    record = find(activation) if isinstance(activation, str) else activation
    if isinstance(record, Activation):
        return record
    raise UnsupportedError(
        f"{record.title} cannot take the place of another activation, nor another its place",
        where=f"swap: {record.name}",
        found="a function of several units at once, whose output may have another width",
        do="put it into the model by hand, with layers of the widths that it needs",
    )


def recipe(new: str | Activation | JointActivation, options: Mapping[str, Any]) -> Recipe:
    """See that a module of this name can be made with these options. Raises `OptionError`."""
    record = activation_named(new)
    given = {_ALIASES.get(name, name): value for name, value in options.items()}
    channels = given.pop("num_parameters", None)
    if isinstance(channels, float) and channels.is_integer():
        channels = int(channels)  # the command line knows no whole numbers
    if channels is not None and not (isinstance(channels, int) and channels > 0):
        raise OptionError(
            "there is no such number of channels",
            where="swap(num_parameters=...)",
            found=repr(channels),
            do="pass 1 for a value that all channels share, or the number of channels",
        )
    record.filled(given)
    arrays = [name for name, value in given.items() if hasattr(value, "shape") and value.shape]
    if arrays:
        raise OptionError(
            "a parameter is one number here",
            where=f"swap({arrays[0]}=...)",
            found=f"an array of shape {tuple(given[arrays[0]].shape)}",
            do="pass the number that all channels start from",
        )
    made = Recipe(record, {name: float(value) for name, value in given.items()}, channels)
    if channels is not None and not made.learned:
        raise OptionError(
            f"{record.title} has nothing to learn",
            where="swap(num_parameters=...)",
            found=repr(channels),
            do="leave it out",
        )
    made.make(made.parameters, channels or 1, torch.empty(0))  # an option that does not fit shows
    return made


def _kind(record: Activation) -> Any:
    """The class of the record's module. Raises `UnsupportedError` where there is none."""
    if record.names.torch_module:
        return getattr(nn, record.names.torch_module)
    if record not in _ours():
        raise UnsupportedError(
            f"there is no module of {record.title}",
            where=f"swap: {record.name}",
            found="neither torch.nn nor hinge.nn has one",
            do="swap to another activation: hinge activations shows which have one in torch.nn, "
            "and hinge.nn.__all__ names Hinge's",
        )
    return _ours()[record]


@cache
def _ours() -> dict[Activation, Any]:
    """Hinge's own modules by their records."""
    # Its operators take a second to register, and most swaps need torch's modules alone.
    from hinge import nn as ours  # noqa: PLC0415

    return {
        record: kind
        for kind in (getattr(ours, name) for name in ours.__all__)
        if isinstance(record := getattr(kind, "record", None), Activation)
    }
