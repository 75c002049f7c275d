"""The layers of a model whose weights can be drawn anew, and the activation behind each."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.parameter import is_lazy

from hinge.activations import Activation
from hinge.activations.facts import moments
from hinge.errors import ModelError, UnsupportedError
from hinge.remedies.changing.runs import Runs
from hinge.remedies.changing.slots import within
from hinge.remedies.swapping.recognising import activation_of
from hinge.remedies.swapping.sameness import single
from hinge.tracing.trace import Call

_TRANSPOSED = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
_KINDS = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d | _TRANSPOSED


@dataclass(frozen=True, eq=False)
class Weighted:
    """A dense layer or convolution: its path, its weight and bias."""

    path: str
    module: nn.Module
    weight: Parameter
    bias: Parameter | None

    @property
    def parameters(self) -> list[Tensor]:
        """Weight and bias."""
        return [self.weight] if self.bias is None else [self.weight, self.bias]

    @property
    def shape(self) -> tuple[int, int]:
        """Units, and weights that each of them has."""
        units = self._groups * self.weight.shape[1] if self._transposed else self.weight.shape[0]
        return units, self.weight.numel() // max(units, 1)

    @property
    def fan_in(self) -> float:
        """How many inputs reach one output; a mean over the outputs of a transposed one."""
        columns = self.shape[1]
        stride = math.prod(getattr(self.module, "stride", ())) if self._transposed else 1
        return columns / stride

    def write(self, rows: Tensor, bias: Tensor) -> None:
        """Set the weights from rows of shape `shape`, and the bias if there is one."""
        shape = self.weight.shape
        if self._transposed:
            apart = (self._groups, shape[1], shape[0] // self._groups, *shape[2:])
            rows = rows.reshape(apart).transpose(1, 2)
        with torch.no_grad():
            self.weight.copy_(rows.reshape(shape))
            if self.bias is not None:
                self.bias.copy_(bias.reshape(self.bias.shape))

    @property
    def _transposed(self) -> bool:
        return isinstance(self.module, _TRANSPOSED)

    @property
    def _groups(self) -> int:
        return int(getattr(self.module, "groups", 1))


def weighted_layers(model: nn.Module, where: Collection[str] | None) -> list[Weighted]:
    """The layers in order, those that share a weight once.

    Raises `ModelError` where there is none or none has its shape yet, and `UnsupportedError`
    for a weight that is computed from other parameters.
    """
    found: dict[int, Weighted] = {}
    for path, module in model.named_modules():
        if isinstance(module, _KINDS) and within(path, where):
            weight, bias = module._parameters.get("weight"), module._parameters.get("bias")  # noqa: SLF001 what is computed is not there
            if weight is None:
                raise UnsupportedError(
                    "the weight of a layer is computed from other parameters",
                    where=path or "the whole model",
                    found="a parametrization such as weight_norm",
                    do="remove it (torch.nn.utils.parametrize.remove_parametrizations) before",
                )
            if is_lazy(weight):
                raise ModelError(
                    "the model is not initialised yet",
                    where=path or "the whole model",
                    found="a lazy parameter without a shape",
                    do="run the model once on a batch, then call again",
                )
            found.setdefault(id(weight), Weighted(path, module, weight, bias))
    if found:
        return list(found.values())
    raise ModelError(
        "there is no layer whose weights could be drawn anew",
        where=f"layers={list(where)!r}" if where else "the whole model",
        found="no Linear, no convolution",
        do="name layers or blocks as model.named_modules() names them",
    )


def gains(model: nn.Module, layers: Collection[Weighted], runs: Runs | None) -> dict[str, float]:
    """The gain of the activation behind each layer, by path; 1 where there is none behind it.

    With data as the pass shows it, without as the modules stand in the model.
    """
    behind = _by_place(model) if runs is None else _by_calls(runs)
    names = {id(one): name.rpartition(".")[0] for name, one in model.named_parameters()}
    return {one.path: behind.get(names[id(one.weight)], 1.0) for one in layers}


def gain_of(record: Activation, parameters: Mapping[str, Any]) -> float:
    """1/√E[f(z)²], z standard normal (see `Activation.gain`), with these parameters."""
    given = single(parameters)
    if given is None:
        return record.gain  # one value for each channel: by the usual one
    second = moments(record.form, record.filled(given))[1]
    return 1 / math.sqrt(second) if second > 0 else 1.0


def _by_calls(runs: Runs) -> dict[str, float]:
    found: dict[str, float] = {}

    def called(call: Call) -> None:
        record = call.activation
        if isinstance(record, Activation) and call.layer.name not in found:
            found[call.layer.name] = gain_of(record, call.parameters)

    runs.over_calls(called)
    return found


def _by_place(model: nn.Module) -> dict[str, float]:
    found: dict[str, float] = {}
    last = ""
    for path, module in model.named_modules(remove_duplicate=False):
        if isinstance(module, _KINDS):
            last = path
        elif last and last not in found:
            activation = activation_of(module)
            if activation is not None:
                found[last] = gain_of(*activation)
    return found
