"""The functions of several numbers that torch computes as well: its own, spelt for a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

from hinge.activations.joint_call import JointCall
from hinge.activations.on_torch.plain import is_plain
from hinge.activations.on_torch.serving import handovers, serves

Tensor = torch.Tensor
Twin = Callable[..., Tensor | None]


_HANDOVERS = {name: handovers(name) for name in ("glu", "reglu", "swiglu", "crelu")}


def _serves(name: str, x: Tensor) -> bool:
    """Whether torch's operations serve this call of a function that also has a kernel.

    An exported program is to be read by others, who know torch's operators alone.
    """
    if torch.compiler.is_exporting():
        return True
    return is_plain(x) and serves(_HANDOVERS[name][x.dtype], x)


def _maxout(call: JointCall, x: Tensor) -> Tensor:
    """Torch shares the gradient of a tie equally, as the record does."""
    axis = call.axis or 0
    largest: Tensor = x.unflatten(axis, (-1, call.inputs)).amax(axis + 1)
    return largest


def _frelu(call: JointCall, x: Tensor, condition: Tensor) -> Tensor:  # noqa: ARG001  it has no options
    return torch.maximum(x, condition)


def _glu(call: JointCall, x: Tensor) -> Tensor | None:
    """Torch's function costs less for a small tensor."""
    return functional.glu(x, call.axis or 0) if _serves("glu", x) else None


def _reglu(call: JointCall, x: Tensor) -> Tensor | None:
    if not _serves("reglu", x):
        return None
    a, b = x.chunk(2, call.axis or 0)
    return a.relu() * b


def _swiglu(call: JointCall, x: Tensor) -> Tensor | None:
    if not _serves("swiglu", x):
        return None
    a, b = x.chunk(2, call.axis or 0)
    return functional.silu(a) * b


def _crelu(call: JointCall, x: Tensor) -> Tensor | None:
    small = _serves("crelu", x)
    return torch.cat([x.relu(), (-x).relu()], call.axis or 0) if small else None


def _topk(call: JointCall, x: Tensor) -> Tensor | None:
    """None where a tie, or NaN, leaves it open which entries are the largest."""
    axis, k = call.axis or 0, call.options["k"]
    if not is_plain(x) or x.numel() == 0:
        return None
    places = x.detach().topk(k, axis, sorted=False).indices
    largest = x.gather(axis, places)
    least = largest.detach().amin(axis, keepdim=True)
    if not ((x.detach() >= least).sum(axis) == k).all():
        return None
    return torch.zeros_like(x).scatter(axis, places, largest)


TWINS: Mapping[str, Twin] = {
    "maxout": _maxout,
    "frelu": _frelu,
    "topk": _topk,
    "glu": _glu,
    "reglu": _reglu,
    "swiglu": _swiglu,
    "crelu": _crelu,
}
"""By the record's name: torch's values for a call, or None where it is not to compute them."""
