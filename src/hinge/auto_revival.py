"""`auto_revive`: while a network trains under a watch, brings back the units that have died."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import torch
from torch import distributed, nn

from hinge.census import observe
from hinge.census.watching import Watch
from hinge.census.watching.gathering import Group
from hinge.census.watching.hooks import Passive
from hinge.errors import OptionError, UnsupportedError
from hinge.events import Cause, Kind
from hinge.remedies import Lift, Receipt, revive
from hinge.remedies.reviving.remedy import Remedy
from hinge.tracing.running import unwrapped
from hinge.units import Verdict

Units = dict[str, tuple[int, ...]]


def auto_revive(
    watch: Watch,
    *,
    by: Remedy | None = None,
    every: int = 500,
    at_most: int | None = None,
    until: int | None = None,
    share: float = 0.0,
    sites: Collection[str] | None = None,
    data: Any = None,
) -> AutoRevival:
    """Revive the units that a watch reports dead, again and again while the network trains.

    Parameters
    ----------
    watch
        The watch over the training, with an optimizer: the revival acts between its steps.
    by
        The remedy: ``Lift()`` unless told otherwise. One with a ``seed`` counts it up each
        time, so that no two units are drawn alike.
    every
        At every so manyth step of the optimizer it acts, if there is something to revive. At
        least twice the watch's own ``every``: what was revived is looked at again before.
    at_most
        How many times it acts in all. None: as often as units die.
    until
        The step from which on it leaves the network alone, which late in a training settles.
    share
        The share of a site's units that must be dead before the site is touched.
    sites
        The sites it may touch. None: all.
    data
        On what the units are silent, and brought to fire: what `hinge.revive` takes, and in
        several processes the same in each. None: the inputs of the latest pass.

    Returns
    -------
    AutoRevival
        It acts from now on: until its ``stop()``, the end of its ``with`` block, or an error,
        which is told in one warning and never reaches the training.

    Raises
    ------
    OptionError
        The watch has no optimizer, a number means nothing, or several processes train without
        DistributedDataParallel.
    UnsupportedError
        The parameters are sharded over processes (FSDP).
    """
    rules = Rules(Lift() if by is None else by, every, at_most, until, share, sites, data)
    rules.check(watch)
    _check_processes(watch.model)
    return AutoRevival(watch, rules)


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
        """Raise `OptionError` for numbers that mean nothing for this watch."""
        if watch.optimizer is None:
            raise OptionError(
                "a revival acts between the steps of an optimizer",
                where="hinge.auto_revive(watch)",
                found="a watch without one",
                do="make it with hinge.watch(model, optimizer)",
            )
        often, most, least = self.every, self.at_most, 2 * watch.every
        for name, value, fine, do in (
            ("every", often, often >= least, f"{least}, twice the watch's own, or more"),
            ("at_most", most, most is None or most > 0, "1 or more, or None"),
            ("share", self.share, 0 <= self.share <= 1, "a share from 0 to 1"),
        ):
            if not fine:
                raise OptionError(
                    "the number means nothing here",
                    where=f"hinge.auto_revive({name}=)",
                    found=repr(value),
                    do=f"pass {do}",
                )

    def allow(self, acts: int, step: int) -> bool:
        """Whether to act once more, having done so ``acts`` times, at a step."""
        enough = self.at_most is not None and acts >= self.at_most
        return not enough and (self.until is None or step < self.until)


class AutoRevival:
    """Revives dead units during training; made by `auto_revive`.

    In several processes the first one chooses, on its own inputs; all of them revive the same
    units on these, and take its values of the tensors that were changed. If one process
    cannot, none does.
    """

    def __init__(self, watch: Watch, rules: Rules) -> None:
        self.rules = rules
        self._watch, self._data = watch, rules.data
        self._model: nn.Module = unwrapped(watch.model)
        self._group = Group.of(watch.model)
        self._device = next((p.device for p in self._model.parameters()), torch.device("cpu"))
        self._receipts: list[tuple[int, Receipt]] = []
        self._notes: dict[str, None] = {}
        self._steps = self._acts = self._latest = 0
        assert watch.optimizer is not None  # noqa: S101 - asked for by the type checker
        self._hook = watch.optimizer.register_step_post_hook(Passive(self._after_step))

    def stop(self) -> None:
        """Leave the network alone from now on; what was revived stays."""
        self._hook.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def receipts(self) -> tuple[tuple[int, Receipt], ...]:
        """What was revived: the number of the optimizer's steps before, and the receipt."""
        return tuple(self._receipts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be revived, and why."""
        return tuple(self._notes)

    def undo(self) -> None:
        """Take the latest revival back, at all its sites; in several processes in each of them.

        Earlier ones cannot be taken back any more: the same weights have been revived since.
        """
        for _, receipt in reversed(self._receipts[self._latest :]):
            if not receipt.undone:
                receipt.undo()

    def _after_step(self, *_: object) -> None:
        self._steps += 1
        if self._steps % self.rules.every:
            return
        try:
            self._act()
        except Exception as error:  # noqa: BLE001 - the training must go on
            self.stop()
            self._tell("stopped, the training goes on", error)

    def _act(self) -> None:
        """Revive what is dead, site by site: one that cannot be revived keeps back no other."""
        wish = self._wish() if self._group.leads else None
        step, units, data = self._group.of_first(wish, self._device)
        self._acts += bool(units)
        begun = len(self._receipts)
        for site, numbers in units.items():
            receipt = self._revived({site: numbers}, data)
            if receipt is not None:
                self._receipts.append((step, receipt))
        if len(self._receipts) > begun:
            self._receipts[:begun] = [(at, _final(one)) for at, one in self._receipts[:begun]]
            self._latest = begun

    def _wish(self) -> tuple[int, Units, Any]:
        """What the first process wants revived, and on which inputs; nothing if it cannot tell."""
        step, inputs, data = self._watch.step, self._watch.inputs, self._data
        try:
            wanted = self._candidates() if self.rules.allow(self._acts, step) else {}
            if inputs is None or not wanted:
                return step, {}, None
            if data is None:
                sent = inputs.mapped(lambda x: x.cpu() if self._group.together else x)
                data = [{"args": sent.args, "kwargs": sent.kwargs}]
            return step, self._silent(wanted, data), data if self._data is None else None
        except Exception as error:  # noqa: BLE001 - the other processes wait for an answer
            self._tell("passes this time", error)
            return step, {}, None

    def _candidates(self) -> Units:
        """The units that are dead by the watch, but for those that wait for their inputs."""
        dead, latest, chosen = self._watch.dead(), self._watch.latest, self.rules.sites
        unknown = sorted(set(chosen or ()) - set(latest)) if latest else []
        if unknown:
            raise OptionError(
                "the model has no such site",
                where="hinge.auto_revive(sites=)",
                found=unknown[0],
                do=f"use some of {', '.join(latest)}",
            )
        waiting = self._starved(dead)
        found = {
            site: tuple(unit for unit in units if (site, unit) not in waiting)
            for site, units in dead.items()
            if (chosen is None or site in chosen)
            and len(units) >= self.rules.share * latest[site].site.n_units
        }
        return {site: units for site, units in found.items() if units}

    def _starved(self, dead: Units) -> set[tuple[str, int]]:
        """Units that died because their inputs did, as long as some of these are dead."""
        causes = {
            (event.site, unit): event.cause
            for event in self._watch.events
            if event.kind in (Kind.DIED, Kind.BORN_DEAD)
            for unit in event.units
        }
        return {
            (site, unit)
            for (site, unit), cause in causes.items()
            if cause is Cause.UPSTREAM
            and any(source in dead for source in self._watch.latest[site].inputs)
        }

    def _silent(self, wanted: Units, data: Any) -> Units:
        """Those units that fire on none of the data either, so that nothing is lost."""
        census = observe(self._model, data, batch_axis=self._axis, forward=self._forward)
        chosen = {
            site: tuple(u for u in units if census[site].verdicts()[u] == Verdict.DEAD)
            for site, units in wanted.items()
        }
        return {site: units for site, units in chosen.items() if units}

    def _revived(self, units: Units, data: Any) -> Receipt | None:
        """Revive units of one site, in all processes or in none."""
        tensors = {**dict(self._model.named_parameters()), **dict(self._model.named_buffers())}
        before = {name: one._version for name, one in tensors.items()}  # noqa: SLF001 - no other name
        receipt, failure = None, None
        try:
            receipt = revive(
                self._model,
                units,
                self._data if data is None else data,
                by=_with_seed(self.rules.by, len(self._receipts)),
                optimizer=self._watch.optimizer,
                batch_axis=self._axis,
                forward=self._forward,
            )
        except Exception as error:  # noqa: BLE001 - the other processes wait for an answer
            failure = error
        if not self._group.all_well(self._device, failed=failure is not None):
            if receipt is not None:
                receipt.undo()
            self._tell(f"passes {', '.join(units)} by", failure)
            return None
        changed = [n for n, one in tensors.items() if one._version != before[n]]  # noqa: SLF001
        if self._group.together:
            for name in self._group.of_first(changed, self._device):
                distributed.broadcast(tensors[name].detach(), 0)
        return receipt

    @property
    def _axis(self) -> int:
        return 0 if self._watch.inputs is None else self._watch.inputs.axis

    @property
    def _forward(self) -> Any:
        return _as_trained if self._data is None else None

    def _tell(self, what: str, error: Exception | None) -> None:
        """Note a failure, and warn of the first one."""
        why = "another process failed" if error is None else f"{type(error).__name__}: {error}"
        told = f"hinge.auto_revive {what}: {why}"
        if not self._notes:
            warnings.warn(told, RuntimeWarning, stacklevel=3)
        self._notes[told] = None


def _as_trained(model: Any, inputs: Any) -> Any:
    """Call the model as the training called it."""
    return model(*inputs["args"], **inputs["kwargs"])


def _with_seed(by: Remedy, n: int) -> Remedy:
    """The remedy for the n-th time: one that draws draws something else."""
    seed = getattr(by, "seed", None)
    changed: Remedy = by if seed is None else replace(by, seed=seed + n)  # type: ignore[type-var]
    return changed


def _final(receipt: Receipt) -> Receipt:
    """A receipt without its way back, whose copies of weights need not be kept."""
    return receipt if receipt.undone else replace(receipt, _undo=_too_late)


def _too_late() -> None:
    raise OptionError(
        "this revival cannot be undone any more",
        where="AutoRevival.receipts",
        found="a later revival of the same network",
        do="undo the latest one with AutoRevival.undo(), or load a checkpoint",
    )


def _check_processes(model: nn.Module) -> None:
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
