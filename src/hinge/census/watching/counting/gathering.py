"""Several processes that train one model: their counts put together, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import distributed, nn

from hinge.census.census import Census
from hinge.units import Reals

_SUMMED = 7  # rows of the counts that add up; the last one is a step
State = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Counts, reals and marks of one site; see `hinge.census.watching.counting.post.Post`."""


@dataclass
class Group:
    """The processes among which a model is trained; ``size`` 1 where there is only this one.

    ``wrapped`` says that torch keeps their steps in time (DDP, FSDP), so that looks can be
    taken together. ``asked`` counts how often they asked one another whether all is well, and
    ``well`` is the latest answer.
    """

    size: int = 1
    wrapped: bool = False
    asked: int = 0
    well: bool = True

    @classmethod
    def of(cls, model: nn.Module) -> Group:
        """The processes that train this model."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls()
        return cls(distributed.get_world_size(), any(map(_keeps_time, model.modules())))

    @property
    def together(self) -> bool:
        """Whether looks are taken by all processes at once."""
        return self.wrapped and self.size > 1

    def all_well(self, device: torch.device, *, failed: bool = False) -> bool:
        """Whether no process has failed: all of them ask at the same step."""
        if not self.together:
            return not failed
        self.asked += 1
        flag = torch.tensor([int(failed)], device=device)
        distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        self.well = not bool(flag.item())
        return self.well

    @property
    def leads(self) -> bool:
        """Whether this process decides for all."""
        return not self.together or distributed.get_rank() == 0

    def of_first(self, value: Any, device: torch.device) -> Any:
        """The value that the first process has, in all of them."""
        if not self.together:
            return value
        box = [value]
        distributed.broadcast_object_list(box, 0, device=device)
        return box[0]

    def reduced(self, states: list[State]) -> list[State]:
        """The states of all sites, put together over the processes: two messages for all."""
        if not self.together or not states:
            return states
        sums = [counts[:_SUMMED].flatten() for counts, _, _ in states]
        most = [_upwards(*state) for state in states]
        total, largest = torch.cat(sums), torch.cat(most)
        distributed.all_reduce(total, distributed.ReduceOp.SUM)
        distributed.all_reduce(largest, distributed.ReduceOp.MAX)
        totals = torch.split(total, [part.numel() for part in sums])
        largests = torch.split(largest, [part.numel() for part in most])
        return [_state(*parts) for parts in zip(totals, largests, strict=True)]

    def summed(self, values: list[Reals], device: torch.device) -> list[Reals]:
        """The sums over the processes, entry by entry: one message for all."""
        if not self.together or not values:
            return values
        message = torch.from_numpy(np.concatenate([one.ravel() for one in values])).to(device)
        distributed.all_reduce(message, distributed.ReduceOp.SUM)
        ends = np.cumsum([one.size for one in values])[:-1]
        parts = np.split(message.cpu().numpy(), ends)
        return [part.reshape(one.shape) for part, one in zip(parts, values, strict=True)]

    def merged(self, census: Census) -> Census:
        """The census of all processes, the same in each of them."""
        if self.size == 1:
            return census
        texts: list[Any] = [None] * self.size
        distributed.all_gather_object(texts, census.to_json())
        parts = [Census.from_json(text) for text in texts]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.merge(part)
        for name, tally in whole.tallies.items():  # a step of several processes is one step
            tallies = [part.tallies[name] for part in parts if name in part.tallies]
            tally.reached = np.max([one.reached for one in tallies], axis=0)
            tally.watched = max(one.watched for one in tallies)
        return whole


def _keeps_time(module: nn.Module) -> bool:
    """Whether torch joins the steps of all processes in this module."""
    if isinstance(module, nn.parallel.DistributedDataParallel):
        return True
    return "FSDP" in type(module).__name__ or "FullySharded" in type(module).__name__


def _upwards(counts: torch.Tensor, reals: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
    """All of which the largest is wanted, as float64, which holds steps exactly."""
    least, most, top = reals
    rows = (counts[_SUMMED].double(), -least, most, top, *marks.double())
    return torch.cat([row.flatten() for row in rows])


def _state(sums: torch.Tensor, largest: torch.Tensor) -> State:
    last, least, most, top, steps, latest = largest.view(6, -1)
    joined = torch.cat([sums.view(_SUMMED, -1), last.long()[None]])
    return joined, torch.stack([-least, most, top]), torch.stack([steps, latest]).long()
