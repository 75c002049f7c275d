"""A network as a torch module that can be trained, its activations under their sites' names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from hinge.network.operators.affine import Dense, Operator
from hinge.network.operators.convolution import Convolution
from hinge.network.steps import INPUT, Activate, Affine, Step

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def to_torch(steps: Sequence[Step], output: str, dtype: torch.dtype) -> nn.Module:
    """Return a module that runs the steps; every call starts from its current parameters."""
    model = Steps(steps, output)
    for step in steps:
        if isinstance(step, Activate):
            path = ".".join(part for part in (step.site.module, step.site.function) if part)
            activation = step.activation.torch_module(**step.parameters)
            model.install(step, path or "activation", activation, shared=not step.site.function)
        elif isinstance(step, Affine):
            model.install(step, step.name, _layer(step.operator))
    return model.to(dtype)


class Steps(nn.Module):
    """Runs steps in order; affine ones and activations are modules of its own."""

    def __init__(self, steps: Sequence[Step], output: str) -> None:
        super().__init__()
        self._steps = tuple(steps)
        self._output = output
        self._paths: dict[str, str] = {}

    def install(self, step: Step, path: str, module: nn.Module, *, shared: bool = False) -> None:
        """Put a step's module at this path, or near it if the path is taken.

        ``shared``: a module already there is called again, as the model did.
        """
        if shared and path in self._paths.values():
            self._paths[step.name] = path
            return
        *parents, last = path.replace("#", "_").replace("()", "").split(".")
        holder: nn.Module = self
        for name in parents:
            holder = _child(holder, name)
        while hasattr(holder, last):
            last += "_"
        holder.add_module(last, module)
        self._paths[step.name] = next(n for n, m in self.named_modules() if m is module)

    def forward(self, x: Tensor) -> Tensor:
        """Return the network's output on a batch."""
        values = {INPUT: x}
        for step in self._steps:
            inputs = [values[name] for name in step.inputs]
            path = self._paths.get(step.name)
            run = step.apply if path is None else self.get_submodule(path)
            values[step.name] = run(*inputs)
        return values[self._output]


class OperatorModule(nn.Module):
    """An affine operator whose weights are parameters and whose indices are buffers."""

    def __init__(self, operator: Operator) -> None:
        super().__init__()
        self._operator = operator
        for name, tensor in operator.tensors.items():
            if tensor.is_floating_point():
                self.register_parameter(name, nn.Parameter(tensor.clone()))
            else:
                self.register_buffer(name, tensor.clone())

    def forward(self, x: Tensor) -> Tensor:
        """Return ``W x + b``."""
        held: dict[str, Any] = dict(self.named_parameters()) | dict(self.named_buffers())
        return replace(self._operator, **held).apply(x)


def _child(holder: nn.Module, name: str) -> nn.Module:
    children = dict(holder.named_children())
    while hasattr(holder, name) and name not in children:
        name += "_"
    if name not in children:
        holder.add_module(name, nn.Module())
    return holder.get_submodule(name)


def _layer(operator: Operator) -> nn.Module:
    """Return torch's own layer where there is one: others know how to mend those."""
    if isinstance(operator, Dense) and operator.axis == len(operator.input_shape):
        outputs, inputs = operator.weight.shape
        return _filled(nn.Linear(inputs, outputs, operator.bias is not None, "meta"), operator)
    if isinstance(operator, Convolution):
        return _convolution(operator)
    return OperatorModule(operator)


def _convolution(operator: Convolution) -> nn.Module:
    options: dict[str, Any] = {
        "kernel_size": tuple(operator.weight.shape[2:]),
        "stride": operator.stride,
        "padding": operator.padding,
        "dilation": operator.dilation,
        "groups": operator.groups,
        "bias": operator.bias is not None,
        "device": "meta",
    }
    kinds: Sequence[type[nn.Module]] = _CONVOLUTIONS
    if operator.transposed:
        kinds = _TRANSPOSED
        options["output_padding"] = operator.output_padding
    kind = kinds[len(operator.stride) - 1]
    return _filled(kind(operator.input_shape[0], operator.channels, **options), operator)


def _filled(layer: nn.Module, operator: Dense | Convolution) -> nn.Module:
    layer.register_parameter("weight", nn.Parameter(operator.weight.clone()))
    if operator.bias is not None:
        layer.register_parameter("bias", nn.Parameter(operator.bias.clone()))
    return layer
