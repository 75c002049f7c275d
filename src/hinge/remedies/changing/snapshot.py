"""Tensors and what optimizers know of them, as they are now, to be put back bit for bit."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch

from hinge.remedies.changing.optimizer_state import holders


class Snapshot:
    """Copies of tensors, and of the state that ``optimizer`` has of them.

    ``optimizer`` is a torch optimizer, a list of them, or None. `restore` writes in place: a
    parameter is the same object as before, and so is each tensor of its state.
    """

    def __init__(self, tensors: Iterable[torch.Tensor], optimizer: Any = None) -> None:
        kept = list({id(tensor): tensor for tensor in tensors}.values())
        self._copies = [(tensor, tensor.detach().clone()) for tensor in kept]
        self._states = [_State(one, tensor) for one in holders(optimizer) for tensor in kept]

    def restore(self) -> None:
        """Put everything back as it was."""
        with torch.no_grad():
            for tensor, values in self._copies:
                tensor.copy_(values)
            for state in self._states:
                state.restore()


class _State:
    """What one optimizer had for one tensor: nothing at all before its first step."""

    def __init__(self, owner: Any, tensor: torch.Tensor) -> None:
        self._owner, self._tensor = owner, tensor
        self._state = owner.state.get(tensor)  # which makes none
        self._values = {key: (value, _copied(value)) for key, value in (self._state or {}).items()}

    def restore(self) -> None:
        """Put the values back, and take away what came since."""
        if self._state is None:
            self._owner.state.pop(self._tensor, None)
            return
        self._owner.state[self._tensor] = self._state
        for key in set(self._state) - set(self._values):
            del self._state[key]
        for key, (value, kept) in self._values.items():
            if isinstance(value, torch.Tensor):
                value.copy_(kept)
            self._state[key] = value if isinstance(value, torch.Tensor) else _copied(kept)


def _copied(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, torch.Tensor) else copy.deepcopy(value)
