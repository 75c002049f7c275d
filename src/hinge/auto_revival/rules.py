"""When a revival acts, where and how; and what it refuses from the start."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from torch import nn

from hinge.census.watching import Watch
from hinge.census.watching.counting.gathering import Group
from hinge.errors import OptionError, UnsupportedError
from hinge.remedies.reviving.remedy import Remedy

Units = dict[str, tuple[int, ...]]
"""Units by the name of their site."""


@dataclass(frozen=True)
class Rules:
    """When a revival acts, where, and how; see `auto_revive`."""

    by: Remedy
    every: int
    at_most: int | None
    until: int | None
    share: float
    sites: Collection[str] | None
    data: Any

    def check(self, watch: Watch) -> None:
        """Raise `OptionError` for what means nothing, alone or for this watch."""
        if not isinstance(watch, Watch):
            raise OptionError(
                "a revival goes by what a watch sees",
                where="hinge.auto_revive(watch)",
                found=type(watch).__name__,
                do="make one with hinge.watch(model, optimizer)",
            )
        if watch.optimizer is None:
            raise OptionError(
                "a revival acts between the steps of an optimizer",
                where="hinge.auto_revive(watch)",
                found="a watch without one",
                do="make it with hinge.watch(model, optimizer)",
            )
        often, most, least = self.every, self.at_most, 2 * watch.every
        for name, value, fine, do in (
            (
                "every",
                often,
                isinstance(often, int) and often >= least,
                f"{least}, twice the watch's own, or more",
            ),
            ("by", self.by, hasattr(self.by, "plan"), "a remedy such as hinge.remedies.Lift()"),
            ("sites", self.sites, not isinstance(self.sites, str), "a list of names"),
            ("at_most", most, most is None or most > 0, "1 or more, or None"),
            ("share", self.share, 0 <= self.share <= 1, "a share from 0 to 1"),
        ):
            if not fine:
                raise OptionError(
                    "the option means nothing here",
                    where=f"hinge.auto_revive({name}=)",
                    found=repr(value),
                    do=f"pass {do}",
                )

    def allow(self, acts: int, step: int) -> bool:
        """Whether to act once more, having done so ``acts`` times, at a step."""
        enough = self.at_most is not None and acts >= self.at_most
        return not enough and (self.until is None or step < self.until)


def check_processes(model: nn.Module) -> None:
    """Refuse models whose processes cannot be changed alike."""
    group, where = Group.of(model), "hinge.auto_revive(watch)"
    sharded = any(hasattr(p, "placements") for p in model.parameters())
    if sharded or any("FullyShardedDataParallel" in type(m).__name__ for m in model.modules()):
        raise UnsupportedError(
            "parameters that are sharded over processes cannot be revived",
            where=where,
            found="a model in FSDP",
            do="revive a checkpoint with hinge.revive, and train on from it",
        )
    if group.size > 1 and not group.wrapped:
        raise OptionError(
            "the processes would not know of each other's revivals",
            where=where,
            found=f"{group.size} processes, and a model that is not in DistributedDataParallel",
            do="wrap the model in DistributedDataParallel before it is watched",
        )
