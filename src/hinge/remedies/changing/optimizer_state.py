"""What an optimizer remembers of single entries of a parameter, found by the parameter itself.

The entries that a remedy writes anew are no longer what the optimizer has watched: its
averages of them start again from where a new optimizer starts, which is 0 nearly always.

Step counters stay: they belong to the whole tensor. The correction of the averages' bias is
thus that of an old tensor, so that Adam's first step of a new entry is
(1 - β₁) / √(1 - β₂) times the learning rate (3.2 times with torch's β) instead of once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from hinge.errors import OptionError

Entries = Sequence[tuple[int, torch.Tensor]]
"""Entries of a tensor: all those whose index along an axis is among these."""

_WITHOUT = {"exp_avg_sq_row": -1, "exp_avg_sq_col": -2}
"""Factors of second moments that lack an axis of the parameter (Adafactor as in transformers)."""


def holders(optimizer: Any) -> list[Any]:
    """The optimizers in what was given: one, none, a wrapper of one, or several of them.

    Raises `OptionError` for anything else.
    """
    if optimizer is None:
        return []
    if hasattr(optimizer, "state") and hasattr(optimizer, "param_groups"):
        return [optimizer]
    if isinstance(optimizer, Mapping):
        optimizer = list(optimizer.values())
    if isinstance(optimizer, Iterable) and not isinstance(optimizer, str):
        return [holder for one in optimizer for holder in holders(one)]
    for name in ("optimizer", "optim"):
        if hasattr(optimizer, name):
            return holders(getattr(optimizer, name))
    raise OptionError(
        "this is no optimizer",
        where="optimizer",
        found=type(optimizer).__name__,
        do="pass a torch optimizer, a list of them, or None",
    )


def check_held(optimizer: Any, parameters: Mapping[str, torch.Tensor]) -> None:
    """See that every parameter that is trained belongs to one of the optimizers, if any is given.

    Raises `OptionError` for the first that does not.
    """
    found = holders(optimizer)
    if not found:
        return
    held = {id(p) for one in found for group in one.param_groups for p in group["params"]}
    for name, parameter in parameters.items():
        if parameter.requires_grad and id(parameter) not in held:
            raise OptionError(
                "the optimizer does not hold a parameter that is to be changed",
                where="optimizer",
                found=f"no {name} among its parameters",
                do="pass the optimizer of this very model (made after it was moved or wrapped), "
                "or a list of all its optimizers",
            )


def reset(optimizer: Any, name: str, parameter: torch.Tensor, entries: Entries) -> list[str]:
    """Let every optimizer forget these entries of a parameter, and nothing else of it.

    States of the parameter's shape start again at these entries; of factored states
    (Adafactor's ``row_var``, ``col_var``) those entries that belong to a changed row or column
    alone. Returned are sentences about states that were left because their shape says nothing
    of entries.
    """
    notes: list[str] = []
    for one in holders(optimizer):
        if parameter not in one.state:
            continue
        for key, value in one.state[parameter].items():
            if not isinstance(value, torch.Tensor) or value.ndim == 0 or key == "step":
                continue  # counters
            if not _forgotten(one, str(key), value, parameter, entries):
                shape = "×".join(map(str, value.shape))
                notes.append(
                    f"The optimizer's {key!r} of {name} ({type(one).__name__}, {shape}) was left "
                    "as it was: its shape does not tell the entries."
                )
    return notes


def _forgotten(
    owner: Any, key: str, state: torch.Tensor, parameter: torch.Tensor, entries: Entries
) -> bool:
    """Start the entries of one state again; False if it has none that could be told."""
    if type(state) not in (torch.Tensor, torch.nn.Parameter) or not state.is_floating_point():
        return False  # quantised: 0 need not stand for zero
    if key in _WITHOUT and state.ndim == parameter.ndim - 1:
        state = state.unsqueeze(_WITHOUT[key])
    if state.ndim != parameter.ndim or any(
        have not in (1, full) for have, full in zip(state.shape, parameter.shape, strict=True)
    ):
        return False
    start = _start(owner, key, state, parameter)
    with torch.no_grad():
        for axis, index in entries:
            if state.shape[axis] == parameter.shape[axis]:
                there = index.to(state.device)
                state.index_copy_(axis, there, start.index_select(axis, there))
    return True


def _start(owner: Any, key: str, state: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """A state as a new optimizer would have it, in the shape of the state."""
    if isinstance(owner, torch.optim.ASGD) and key == "ax":
        return parameter.detach().to(state.device, state.dtype)  # the average of new values
    value = 0.0
    group = next(g for g in owner.param_groups if any(p is parameter for p in g["params"]))
    if isinstance(owner, torch.optim.Rprop) and key == "step_size":
        value = float(group["lr"])
    elif isinstance(owner, torch.optim.Adagrad) and key == "sum":
        value = float(group["initial_accumulator_value"])
    return torch.full((), value, dtype=state.dtype, device=state.device).expand(state.shape)
