"""What optimizers are told of a remedy: to forget old parameters, to train new ones.

A remedy opens an `contextlib.ExitStack` and pushes the way back of each step as it goes. If a
step fails, leaving the stack undoes those before it; if all went well, the stack becomes the
receipt's undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from hinge.errors import UnsupportedError
from hinge.remedies.changing.optimizer_state import holders
from hinge.remedies.changing.snapshot import Snapshot


def keep(back: ExitStack, tensors: Sequence[Tensor], optimizer: Any) -> None:
    """Remember these tensors and what the optimizer has of them; undoing puts both back."""
    back.callback(Snapshot(tensors, optimizer).restore)


def forget(optimizer: Any, parameters: Sequence[Tensor]) -> tuple[str, ...]:
    """Drop all that the optimizer has gathered of these parameters; return what to say."""
    states = [one.state for one in holders(optimizer)]
    held = [(state, one) for state in states for one in parameters if one in state]
    for state, parameter in held:
        del state[parameter]
    return (f"the optimizer forgot what it had of {len(held)} parameters",) if held else ()


def check_reduced(model: nn.Module, named: Sequence[tuple[str, Parameter]]) -> None:
    """Refuse new parameters whose gradients would differ from process to process."""
    wrapped = any(isinstance(one, nn.parallel.DistributedDataParallel) for one in model.modules())
    if named and wrapped:
        raise UnsupportedError(
            "a model that is wrapped for several processes can take no new parameters",
            where=", ".join(name for name, _ in named),
            found="DistributedDataParallel, which reduces the gradients of those it was made with",
            do="change the model first and wrap it then",
        )


def train_too(
    back: ExitStack, optimizer: Any, named: Sequence[tuple[str, Parameter]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Add new parameters to the optimizer's first group; return what to say: changes, notes.

    They get no group of their own, because schedulers hold one rate for each group that was
    there when they were made.
    """
    if not named:
        return (), ()
    names = ", ".join(name for name, _ in named)
    owners = holders(optimizer)
    if not owners:
        return (), (f"no optimizer was given: add the new parameters to yours ({names})",)
    if isinstance(owners[0], torch.optim.LBFGS) and owners[0].state:
        raise UnsupportedError(
            "LBFGS takes no new parameters once it has made a step",
            where="optimizer",
            found=f"{names}, and a history without them",
            do="leave out optimizer=, and make a new one of all parameters afterwards",
        )
    group = owners[0].param_groups[0]
    parameters = [parameter for _, parameter in named]
    back.callback(_leave, owners[0], group, parameters)
    group["params"] += parameters
    if "param_names" in group:  # an optimizer that was made of named parameters
        back.callback(group.__setitem__, "param_names", list(group["param_names"]))
        group["param_names"] = [*group["param_names"], *(name for name, _ in named)]
    decay = group.get("weight_decay", 0)
    notes = (f"the optimizer's first group decays {names} by {decay:g}",) if decay else ()
    return (f"the optimizer's first group trains {names} too",), notes


def _leave(owner: Any, group: dict[str, Any], parameters: list[Parameter]) -> None:
    gone = {id(parameter) for parameter in parameters}
    group["params"][:] = [one for one in group["params"] if id(one) not in gone]
    for parameter in parameters:
        owner.state.pop(parameter, None)
