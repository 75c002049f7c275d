"""A draft of changes to a model: made and tried in full before anything is changed for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from hinge.errors import UnsupportedError
from hinge.remedies.changing.optimizer_state import Entries, check_held, reset
from hinge.remedies.changing.snapshot import Snapshot
from hinge.tracing.guard import uninterrupted

_PLAIN = (torch.Tensor, nn.Parameter, nn.Buffer)


class Draft:
    """New values for entries of a model's parameters and buffers, which stay as they are.

    Tensors that are shared under several names have one draft.
    """

    def __init__(self, model: nn.Module) -> None:
        self._tensors: dict[str, torch.Tensor] = {
            **dict(model.named_parameters(remove_duplicate=False)),
            **dict(model.named_buffers(remove_duplicate=False)),
        }
        self._names: dict[int, str] = {}
        self._drafts: dict[int, torch.Tensor] = {}
        self._entries: dict[int, list[tuple[int, torch.Tensor]]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def __getitem__(self, name: str) -> torch.Tensor:
        """The values as the draft has them; to be read, not written."""
        tensor = self._tensors[name]
        return self._drafts.get(id(tensor), tensor.detach())

    def entries(self, name: str, axis: int, index: Sequence[int]) -> torch.Tensor:
        """The entries at ``index`` along ``axis``, in float64."""
        return self[name].index_select(axis, self._index(name, index)).double()

    def write(
        self,
        name: str,
        axis: int,
        index: Sequence[int],
        values: torch.Tensor | float,
        *,
        anew: bool = True,
    ) -> None:
        """Write the entries at ``index`` along ``axis``; ``values`` broadcast to their shape.

        Entries written anew are forgotten by the optimizer; those that are only shifted or
        scaled are still what it has watched.
        """
        tensor = self._tensors[name]
        if type(tensor) not in _PLAIN:
            raise UnsupportedError(
                "single entries of the parameter cannot be written",
                where=name,
                found=f"a {type(tensor).__name__}, which is sharded or packed",
                do="mend the model before it is sharded or quantised",
            )
        draft = self._drafts.get(id(tensor))
        if draft is None:
            draft = self._drafts[id(tensor)] = tensor.detach().clone()
            self._names[id(tensor)] = name
        at = self._index(name, index)
        shape = list(draft.shape)
        shape[axis] = len(at)
        new = torch.as_tensor(values, device=draft.device).to(draft.dtype).expand(shape)
        draft.index_copy_(axis, at, new)
        entries = self._entries.setdefault(id(tensor), [])
        if anew:
            entries.append((axis, at))

    @property
    def changed(self) -> Mapping[str, tuple[torch.Tensor, Entries]]:
        """The model's tensors that the draft changes, and where they are new, by name."""
        return {
            name: (self._tensors[name], self._entries[key]) for key, name in self._names.items()
        }

    def check(self, optimizer: Any) -> None:
        """See that the optimizer holds what the draft changes. Raises `OptionError`."""
        changed = {name: tensor for name, (tensor, _) in self.changed.items()}
        check_held(optimizer, {n: t for n, t in changed.items() if isinstance(t, nn.Parameter)})

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Within the block the model has the draft's values; afterwards its own again."""
        before = Snapshot(tensor for tensor, _ in self.changed.values())
        try:
            self._copy()
            yield
        finally:
            with uninterrupted():
                before.restore()

    def apply(self, optimizer: Any) -> tuple[Snapshot, list[str]]:
        """Change the model and the optimizer's state for good, or, after an error, nothing.

        Returned are what was there before, and notes about states that were left.
        """
        before = Snapshot((tensor for tensor, _ in self.changed.values()), optimizer)
        notes: list[str] = []
        with uninterrupted():
            try:
                self._copy()
                for name, (tensor, entries) in self.changed.items():
                    notes += reset(optimizer, name, tensor, entries)
            except BaseException:
                before.restore()
                raise
        return before, notes

    def _copy(self) -> None:
        with torch.no_grad():
            for name, (tensor, _) in self.changed.items():
                tensor.copy_(self[name])

    def _index(self, name: str, index: Sequence[int]) -> torch.Tensor:
        return torch.as_tensor(index, dtype=torch.int64, device=self._tensors[name].device)
