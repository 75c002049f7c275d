"""Split: make a dead unit a copy of a living one, and let both share what that one gave."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from hinge.errors import OptionError, UnsupportedError
from hinge.remedies.changing.draft import Draft
from hinge.remedies.changing.movement import hold
from hinge.remedies.reviving.case import Case, Plan
from hinge.remedies.reviving.numbers import check_seed, lies_within
from hinge.remedies.reviving.outgoing import release
from hinge.remedies.reviving.passes import Passes
from hinge.tracing.wiring import Maker

_REDRAW = "use Redraw(), which draws their weights anew"
_NOISY = (
    "The noise that tells the twins apart moves the outputs: Split(noise=0) does not, but its "
    "twins would learn the same."
)
_OF_NORM = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class Split:
    """Make each dead unit a copy of a living unit of its site, as in Net2Net.

    Chen, Goodfellow and Shlens (arXiv 1511.05641, 2016, section 2.2): the copy has the
    incoming weights, bias and batch-norm entries of the unit, and both have an equal part of
    its outgoing weights. The strongest units (by E|h|) are split, each once before one is
    split twice.

    ``noise``, relative to the norm of the incoming weights, tells the twins apart: without it
    they would learn the same for ever. With 0 the function is preserved on the data.
    ``seed`` is that of the noise; torch's own random state is left alone.
    Raises `OptionError` for a noise that is negative or infinite, or a seed that is no whole
    number; `UnsupportedError` where a grouped layer makes or reads the units, since a copy would
    read other inputs or reach other outputs.
    """

    noise: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed, "Split(seed=)")
        if self.noise != 0 and not lies_within(self.noise, 0, math.inf):
            raise OptionError(
                "this is no amount of noise",
                where="Split(noise=)",
                found=repr(self.noise),
                do="pass a number from 0 on, such as 1e-3",
            )

    @property
    def for_firing(self) -> bool:
        """Units that fire are not overwritten."""
        return False

    def plan(self, cases: Sequence[Case], draft: Draft, passes: Passes) -> Plan:
        """See `hinge.remedies.reviving.remedy.Remedy`."""
        plan = Plan()
        makers = [case.row_maker(draft, _REDRAW) for case in cases]
        for case, maker in zip(cases, makers, strict=True):
            _refuse_tied(case)
            _refuse_grouped(case, maker, passes.model)
            donors = _donors(case)
            release(case, draft, plan, "use Lift(keep_outgoing=True), or leave these units out")
            _copy(case, maker, donors, draft)
            _share(case, donors, draft)
            plan.changes.append(
                f"Now {case.named(case.units)} are copies of {case.named(donors)}; the outgoing "
                "weights are shared between each unit and its copies."
            )
        hold(plan, passes.compare(draft), draft)  # before noise hides what else moves
        if self.noise:
            plan.breaks(_NOISY)
        generator = torch.Generator().manual_seed(self.seed)
        for case, maker in zip(cases, makers, strict=True):
            self._disturb(case, maker, draft, generator)
        return plan

    def _disturb(self, case: Case, maker: Maker, draft: Draft, generator: torch.Generator) -> None:
        """Add noise to the incoming weights of a case's units."""
        rows = draft.entries(maker.weight, maker.unit_axis, case.units)
        first = rows.movedim(maker.unit_axis, 0)
        flat = first.flatten(1)
        drawn = torch.randn(flat.shape, generator=generator, dtype=torch.float64).to(flat.device)
        apart = drawn * (self.noise * flat.norm(dim=1, keepdim=True) / math.sqrt(flat.shape[1]))
        noisy = (first + apart.view_as(first)).movedim(0, maker.unit_axis)
        draft.write(maker.weight, maker.unit_axis, case.units, noisy)

    def __str__(self) -> str:
        return f"Split(noise={self.noise:g}, seed={self.seed})"


def _donors(case: Case) -> list[int]:
    """The living unit that each unit is to be a copy of, the strongest first."""
    alive = set(torch.nonzero(case.seen.highest > case.seen.kink).flatten().tolist())
    order = case.seen.above.argsort(descending=True, stable=True).tolist()
    strong = [unit for unit in order if unit in alive and unit not in case.units]
    if not strong:
        raise case.refused(
            "there is no living unit to copy",
            list(case.units),
            "no other unit of the site fires on the data",
            _REDRAW,
        )
    return [strong[i % len(strong)] for i in range(len(case.units))]


def _copy(case: Case, maker: Maker, donors: Sequence[int], draft: Draft) -> None:
    """Give the units what makes their donors."""
    rows = draft.entries(maker.weight, maker.unit_axis, donors)
    draft.write(maker.weight, maker.unit_axis, case.units, rows)
    names = [maker.bias] if maker.bias else []
    if maker.norm is not None:
        names += [f"{maker.norm.module}.{name}" for name in _OF_NORM]
    for name in names:
        if name in draft:
            draft.write(name, 0, case.units, draft.entries(name, 0, donors))


def _share(case: Case, donors: Sequence[int], draft: Draft) -> None:
    """Let each donor and its copies have an equal part of its outgoing weights."""
    copies = Counter(donors)
    for reader in case.wiring.readers:
        for donor, n in copies.items():
            columns = case.columns(reader, (donor,))
            if not columns:
                continue
            part = draft.entries(reader.weight, reader.input_axis, columns) / (n + 1)
            # The donor's weights are scaled, not new: what the optimizer knows still holds.
            draft.write(reader.weight, reader.input_axis, columns, part, anew=False)
            for unit in (u for u, d in zip(case.units, donors, strict=True) if d == donor):
                own = case.columns(reader, (unit,))
                draft.write(reader.weight, reader.input_axis, own, part)


def _refuse_tied(case: Case) -> None:
    if case.tied:
        raise UnsupportedError(
            "the outgoing weights cannot be shared out",
            where=case.named(case.units),
            found="they are the incoming weights too (tied)",
            do="use Lift(keep_outgoing=True) or Redraw(), which move the function",
        )


def _refuse_grouped(case: Case, maker: Maker, model: nn.Module) -> None:
    for weight in (maker.weight, *(reader.weight for reader in case.wiring.readers)):
        layer = weight.rpartition(".")[0]
        groups = getattr(model.get_submodule(layer), "groups", 1)
        if groups != 1:
            raise UnsupportedError(
                "units of a grouped convolution cannot stand in for each other",
                where=case.named(case.units),
                found=f"{groups} groups in {layer}",
                do=_REDRAW,
            )
