"""Redraw: draw the incoming weights of units anew, and take them out of what is read of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from hinge.errors import OptionError
from hinge.remedies.changing.draft import Draft
from hinge.remedies.reviving.case import Case, Plan
from hinge.remedies.reviving.numbers import check_seed, lies_within
from hinge.remedies.reviving.outgoing import release
from hinge.remedies.reviving.passes import Passes
from hinge.remedies.reviving.seen import SitesSeen
from hinge.tracing.wiring import Maker

_LEAVE = "leave these units out, or change the layer's weights yourself"
_KEEP = "use Redraw(keep_outgoing=True), which moves the function, or leave these units out"
_MATRIX = 2


@dataclass(frozen=True)
class Redraw:
    """Begin units anew, as in ReDo (Sokar et al., arXiv 2302.12902, 2023, section 4).

    * incoming weights: U(-1/√n, 1/√n), torch's own start of linear layers and convolutions
      (``kaiming_uniform_(a=√5)``), n being what torch takes for the fan-in; with a ``gain``
      U(±gain·√(3 / fan-in)). A unit that then fires on no example has its signs turned, after
      which it does, unless its inputs are all zero (Rister and Rubin, arXiv 2007.06192);
    * its bias: 0; in a batch norm: weight 1, bias 0, mean and variance those on the data;
    * outgoing weights: 0, so that nothing changes on the data (kept with ``keep_outgoing``).

    ``dormant``: units may be given that still fire, such as those of a low ReDo score. What
    they gave on average is then handed to the bias of the next layer, so that the outputs
    stay in the mean where the next layer is affine, and no more is promised.

    ``seed`` is that of the draws; torch's own random state is left alone.
    Raises `OptionError` for a gain that is not positive, or a seed that is no whole number.
    """

    gain: float | None = None
    dormant: bool = False
    keep_outgoing: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed, "Redraw(seed=)")
        if self.gain is not None and not lies_within(self.gain, 0, math.inf):
            raise OptionError(
                "this is no gain",
                where="Redraw(gain=)",
                found=repr(self.gain),
                do="pass a positive number, such as 2 ** 0.5 for a ReLU, or None",
            )

    @property
    def for_firing(self) -> bool:
        """Whether merely dormant units may be given."""
        return self.dormant

    def plan(self, cases: Sequence[Case], draft: Draft, passes: Passes) -> Plan:
        """See `hinge.remedies.reviving.remedy.Remedy`."""
        plan, generator = Plan(), torch.Generator().manual_seed(self.seed)
        makers = [case.row_maker(draft, _LEAVE) for case in cases]
        for case in cases:
            self._silence(case, draft, plan)
        for case, maker in zip(cases, makers, strict=True):
            self._draw(case, maker, draft, generator)
            plan.changes.append(
                f"The incoming weights of {case.named(case.units)} ({maker.weight}) were drawn "
                "anew; biases begin at 0."
            )
        _renormalise(cases, makers, draft, passes)
        _turn(cases, makers, draft, passes)
        return plan

    def _silence(self, case: Case, draft: Draft, plan: Plan) -> None:
        if case.tied:
            plan.breaks(
                f"{case.name}: incoming and outgoing weights are the same (tied), so that the "
                "units give something at once."
            )
        elif self.keep_outgoing:
            plan.breaks("The outgoing weights were kept: what the units give is new.")
        else:
            plan.changes.append(release(case, draft, plan, _KEEP))

    def _draw(self, case: Case, maker: Maker, draft: Draft, generator: torch.Generator) -> None:
        old = draft[maker.weight]
        shape = list(old.shape)
        shape[maker.unit_axis] = len(case.units)
        bound = self._bound(tuple(old.shape), maker.unit_axis)
        drawn = (torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1) * bound
        draft.write(maker.weight, maker.unit_axis, case.units, drawn)
        if maker.bias:
            draft.write(maker.bias, 0, case.units, 0.0)
        if maker.norm is not None:
            for name, value in (("weight", 1.0), ("bias", 0.0)):
                if f"{maker.norm.module}.{name}" in draft:
                    draft.write(f"{maker.norm.module}.{name}", 0, case.units, value)

    def _bound(self, shape: tuple[int, ...], unit_axis: int) -> float:
        """Where the uniform distribution ends."""
        fan_in = math.prod(shape) / shape[unit_axis]
        if self.gain is not None:
            return self.gain * math.sqrt(3 / fan_in)
        if len(shape) > _MATRIX:  # of a transposed convolution torch takes the other fan
            fan_in = math.prod(shape[1:])
        return 1 / math.sqrt(fan_in)

    def __str__(self) -> str:
        given = {"gain": self.gain, "dormant": self.dormant, "keep_outgoing": self.keep_outgoing}
        options = [f"{name}={value}" for name, value in given.items() if value]
        return f"Redraw({', '.join([*options, f'seed={self.seed}'])})"


def _renormalise(
    cases: Sequence[Case], makers: Sequence[Maker], draft: Draft, passes: Passes
) -> None:
    """Give the batch norms of redrawn units the mean and variance that these have on the data."""
    paths = [maker.norm.module if maker.norm else "" for maker in makers]
    wanted = {path: case for path, case in zip(paths, cases, strict=True) if path}
    wanted = {path: case for path, case in wanted.items() if f"{path}.running_mean" in draft}
    if not wanted:
        return
    sums = {path: _Moments() for path in wanted}
    modules = {id(module): path for path, module in passes.model.named_modules()}

    def entered(module: torch.nn.Module, arguments: tuple[Any, ...]) -> None:
        path = modules.get(id(module), "")
        if path in wanted:
            rows = arguments[0].detach().movedim(1, -1).flatten(0, -2)
            sums[path].add(rows[:, list(wanted[path].units)].double().cpu())

    handle = register_module_forward_pre_hook(entered)
    try:
        passes.over(draft=draft)
    finally:
        handle.remove()
    for path, case in wanted.items():
        draft.write(f"{path}.running_mean", 0, case.units, sums[path].mean)
        draft.write(f"{path}.running_var", 0, case.units, sums[path].var)


class _Moments:
    """The mean and the variance of columns, over batches of rows."""

    def __init__(self) -> None:
        self._n, self.mean, self._squares = 0, torch.zeros(()), torch.zeros(())

    def add(self, rows: torch.Tensor) -> None:
        n, mean = len(rows), rows.mean(0)
        total, away = self._n + n, mean - self.mean
        self._squares = (
            self._squares + (rows - mean).square().sum(0) + away**2 * (self._n * n / total)
        )
        self.mean = self.mean + away * (n / total)
        self._n = total

    @property
    def var(self) -> torch.Tensor:
        """Unbiased, as torch's own running variance."""
        return self._squares / max(self._n - 1, 1)


def _turn(cases: Sequence[Case], makers: Sequence[Maker], draft: Draft, passes: Passes) -> None:
    """Turn the signs of redrawn units that fire nowhere: with a bias of 0 they then do."""
    seen = SitesSeen({c.name: c.wiring for c in cases}, {c.name: c.units for c in cases})
    passes.over(seen.add, draft=draft)
    for case, maker in zip(cases, makers, strict=True):
        off = seen.by_site[case.name].silent
        if not off:
            continue
        turned = -draft.entries(maker.weight, maker.unit_axis, off)
        draft.write(maker.weight, maker.unit_axis, off, turned)
        mean = f"{maker.norm.module}.running_mean" if maker.norm else ""
        if mean in draft:
            draft.write(mean, 0, off, -draft.entries(mean, 0, off))
