"""The revival at work: between the steps of an optimizer, in all processes alike."""

from __future__ import annotations

import warnings
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import torch
from torch import distributed, nn

from hinge.auto_revival.choosing import candidates, silent
from hinge.auto_revival.rules import Rules, Units
from hinge.census import observe
from hinge.census.watching import Watch
from hinge.census.watching.counting.gathering import Group
from hinge.census.watching.seeing.hooks import Passive
from hinge.errors import OptionError
from hinge.remedies import Receipt, revive
from hinge.remedies.reviving.remedy import Remedy
from hinge.tracing.running import unwrapped


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
            wanted = (
                candidates(self._watch, self.rules) if self.rules.allow(self._acts, step) else {}
            )
            if inputs is None or not wanted:
                return step, {}, None
            if data is None:
                sent = inputs.mapped(lambda x: x.cpu() if self._group.together else x)
                data = [{"args": sent.args, "kwargs": sent.kwargs}]
            census = observe(self._model, data, batch_axis=self._axis, forward=self._forward)
            return step, silent(wanted, census), data if self._data is None else None
        except Exception as error:  # noqa: BLE001 - the other processes wait for an answer
            self._tell("passes this time", error)
            return step, {}, None

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
