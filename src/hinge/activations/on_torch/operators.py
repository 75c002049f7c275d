"""The operator of every record, built and registered with torch when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import torch

from hinge.activations import facts
from hinge.activations.arrays import library_of
from hinge.activations.joint import JointActivation
from hinge.activations.on_torch.formulas import Formula, Formulas, Numbers
from hinge.activations.on_torch.joint import JointOperator
from hinge.activations.on_torch.learned import Learned
from hinge.activations.on_torch.operator import Choice, Operator
from hinge.activations.record import Activation
from hinge.errors import UnsupportedError
from hinge.kernels.elementwise import KERNELS, Keeps, Kernel

Tensor = torch.Tensor

_BUILT: dict[str, Any] = {}
_LEARNED: dict[str, Learned] = {}


def operator_of(record: Activation | JointActivation) -> Any:
    """Give the operator of a record: an `Operator`, or a `JointOperator`."""
    _prepare(record)
    return _BUILT[record.name]


def learned_of(record: Activation) -> Learned:
    """Give what runs a record whose parameters are tensors."""
    _prepare(record)
    return _LEARNED[record.name]


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _prepare(record: Activation | JointActivation) -> bool:
    """Build the operator; a compiler calls this while it traces, and does not look inside."""
    if record.name not in _BUILT:
        if isinstance(record, JointActivation):
            _BUILT[record.name] = JointOperator(record)
        else:
            _BUILT[record.name] = _elementwise(record)
            composed = _straight_through if record.jumps() else _composed
            learned = Learned(record.name, _names(record), partial(composed, record))
            _LEARNED[record.name] = learned
            if any(parameter.per_channel for parameter in record.parameters):
                _ = learned.operator  # registered with the rest
    return True


def _elementwise(record: Activation) -> Operator:
    form = record.form

    def evaluated(function: Callable[..., Any]) -> Formula:
        return lambda x, numbers: _evaluated(function, x, _named(record, numbers))

    by_value = form.derivative_of_value
    formulas = Formulas(
        record.name,
        _names(record),
        evaluated(form.value),
        evaluated(form.derivative),
        None if by_value is None else evaluated(by_value),
        flat=record.live(0.0) == (0.0, 0.0),
    )
    return Operator(formulas, partial(_choice, record))


def _choice(record: Activation, numbers: Numbers) -> Choice:
    """Check parameters, and find the kernel and torch's function for them."""
    checked = tuple(record.filled(_named(record, numbers)).values())
    return checked, _kernel(record, checked), _twin(record, checked)


def _kernel(record: Activation, numbers: Numbers) -> Kernel | None:
    """The kernel, unless it works from the output and the output hides the input's side."""
    kernel = KERNELS.get(record.name)
    if kernel is None or kernel.keeps is not Keeps.OUTPUT:
        return kernel
    return kernel if facts.monotone(record.form, _named(record, numbers)) else None


def _twin(record: Activation, numbers: Numbers) -> Callable[[Tensor], Tensor] | None:
    """Torch's own function with these parameters, if it has one that takes them as numbers."""
    if record.name == "squared_relu":
        return lambda x: x.relu().square()
    path = record.names.torch_function
    if not path or any(parameter.learned for parameter in record.parameters):
        return None
    try:
        arguments = record.arguments("torch", _named(record, numbers))
    except UnsupportedError:
        return None
    module, _, name = path.rpartition(".")
    function = getattr(import_module(module), name)
    return partial(function, **arguments) if arguments else function


def _names(record: Activation) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in record.parameters)


def _named(record: Activation, values: Sequence[Any]) -> dict[str, Any]:
    """A value for each parameter, by its name."""
    return dict(zip(_names(record), values, strict=True))


def _evaluated(function: Callable[..., Any], x: Tensor, parameters: dict[str, Any]) -> Tensor:
    """A formula in the working precision, rounded once."""
    library = library_of(x, "")
    wide = {
        name: library.widened(one, x) if hasattr(one, "shape") else one
        for name, one in parameters.items()
    }
    found: Tensor = library.narrowed(function(torch, library.widened(x, x), wide), x)
    return found


def _composed(
    record: Activation,
    x: Tensor,
    parameters: Sequence[Any],
    bandwidth: float,  # noqa: ARG001  nothing jumps
) -> Tensor:
    """A record of ``x`` with tensors for parameters, made of torch operations."""
    return _evaluated(record.form.value, x, _named(record, parameters))


def _straight_through(
    record: Activation, x: Tensor, parameters: Sequence[Any], bandwidth: float
) -> Tensor:
    """A function that jumps at a threshold, with an estimate for the threshold's derivative.

    The estimate takes a rectangle of width ``bandwidth`` for the jump (Rajamanoharan et al.,
    Jumping Ahead: Improving Reconstruction Fidelity with JumpReLU Sparse Autoencoders, 2024).
    """
    ((name, threshold),) = _named(record, parameters).items()
    held = threshold.detach()
    near = (x.detach() - held).abs() < bandwidth / 2
    rate = torch.where(near, -held / bandwidth, 0.0)
    nothing: Tensor = rate * (threshold - held)  # 0, but for its derivative
    return _evaluated(record.form.value, x, {name: held}) + nothing.to(x.dtype)
