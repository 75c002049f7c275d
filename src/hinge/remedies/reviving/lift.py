"""Lift: raise the biases of dead units so that they fire on a share of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from hinge.errors import OptionError, UnsupportedError
from hinge.remedies.changing.draft import Draft
from hinge.remedies.reviving.case import Case, Plan
from hinge.remedies.reviving.numbers import lies_within
from hinge.remedies.reviving.outgoing import release
from hinge.remedies.reviving.passes import Passes
from hinge.remedies.reviving.seen import SitesSeen, UnitsSeen

_KEEP = "use Lift(keep_outgoing=True), which moves the function, or leave these units out"
_COARSE = 1e-3
_REDRAW = "use Redraw(), which draws their weights anew"
_LEAVE = "leave these units out; where weights are computed (weight_norm, pruning), end that first"


@dataclass(frozen=True)
class Lift:
    """Raise each unit's bias by the least that makes it fire on a ``share`` of the examples.

    ``b -= q``, where q is the quantile of the unit's largest pre-activation per example above
    which that share lies; in the middle of the gap there, and at the nearest gap where
    examples are equal. The unit keeps the direction it has learned. Where a batch norm stands
    before the activation it is the norm's bias that is raised.

    The outgoing weights are set to 0, so that nothing changes on the data: gradient then
    arrives at these weights first, and at the unit from the second step on. With
    ``keep_outgoing`` it arrives at once, and the function moves.

    Raises `OptionError` unless ``0 < share < 1``.
    """

    share: float = 0.2
    keep_outgoing: bool = False

    def __post_init__(self) -> None:
        if not lies_within(self.share, 0, 1):
            raise OptionError(
                "this is no share of the data",
                where="Lift(share=)",
                found=repr(self.share),
                do="pass a number between 0 and 1, such as 0.2",
            )

    @property
    def for_firing(self) -> bool:
        """Units that fire need no lift."""
        return False

    def plan(self, cases: Sequence[Case], draft: Draft, passes: Passes) -> Plan:
        """See `hinge.remedies.reviving.remedy.Remedy`."""
        plan = Plan()
        offsets = [_offset(case, draft) for case in cases]
        starts = [draft.entries(o, 0, c.units) for c, o in zip(cases, offsets, strict=True)]
        for case, offset in zip(cases, offsets, strict=True):
            self._lift(case, case.seen, offset, draft)
            if self.keep_outgoing:
                plan.breaks("The outgoing weights were kept: what the units give is new.")
            else:
                _refuse_tied(case)
                plan.changes.append(release(case, draft, plan, _KEEP))
        self._refine(cases, offsets, draft, passes)
        if self.keep_outgoing:
            self._follow(cases, offsets, draft, passes)
        for case, offset, start in zip(cases, offsets, starts, strict=True):
            self._report(case, offset, draft.entries(offset, 0, case.units) - start, plan)
        return plan

    def _lift(self, case: Case, seen: UnitsSeen, offset: str, draft: Draft) -> None:
        levels = [threshold(top, self.share) for top in seen.tops.T]
        constant = [u for u, level in zip(case.units, levels, strict=True) if level is None]
        if constant:
            raise case.refused(
                "units whose pre-activation is constant cannot be lifted to a share of the data",
                constant,
                "the same value on every example",
                _REDRAW,
            )
        to = torch.tensor([level for level in levels if level is not None], dtype=torch.float64)
        raised = seen.kink[list(case.units)] - to
        before = draft.entries(offset, 0, case.units)
        draft.write(offset, 0, case.units, before + raised.to(before))

    def _refine(
        self, cases: Sequence[Case], offsets: Sequence[str], draft: Draft, passes: Passes
    ) -> None:
        """Lift again what lay so far from the kink that rounding hid what lies between examples."""
        rough = [
            (case, offset)
            for case, offset in zip(cases, offsets, strict=True)
            if _is_rough(case.seen.tops, torch.finfo(draft[offset].dtype).eps)
        ]
        if not rough:
            return
        seen = SitesSeen({c.name: c.wiring for c in cases}, {c.name: c.units for c in cases})
        passes.over(seen.add, draft=draft)
        for case, offset in rough:
            self._lift(case, seen.by_site[case.name], offset, draft)

    def _follow(
        self, cases: Sequence[Case], offsets: Sequence[str], draft: Draft, passes: Passes
    ) -> None:
        """Lift again, site by site, what reads units that were lifted before it."""
        for case, offset in list(zip(cases, offsets, strict=True))[1:]:
            seen = SitesSeen({case.name: case.wiring}, {case.name: case.units})
            passes.over(seen.add, draft=draft)
            self._lift(case, seen.by_site[case.name], offset, draft)

    def _report(self, case: Case, offset: str, raised: torch.Tensor, plan: Plan) -> None:
        plan.changes.append(
            f"{offset} of {case.named(case.units)} was raised by {float(raised.min()):.3g} to "
            f"{float(raised.max()):.3g}, so that each fires on about {self.share:.3g} of the "
            "examples."
        )
        if case.wiring.maker is not None and case.wiring.maker.norm is not None:
            plan.notes.append(
                f"{case.name} has a batch norm: in training mode it uses each batch's own mean "
                "and variance, and the share is met only roughly."
            )

    def __str__(self) -> str:
        kept = ", keep_outgoing=True" if self.keep_outgoing else ""
        return f"Lift(share={self.share:g}{kept})"


def threshold(values: torch.Tensor, share: float) -> float | None:
    """The level above which about this share of the values lies; None if all are equal.

    In the middle between two neighbouring values, so that rounding does not move the share;
    NaN and infinity are left out.

    >>> threshold(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), 0.4)
    3.5
    """
    ordered = values[values.isfinite()].double().sort(descending=True).values
    above = torch.nonzero(ordered[:-1] > ordered[1:]).flatten() + 1  # sizes that a share can have
    if not len(above):
        return None
    nearest = int(above[(above - share * len(ordered)).abs().argmin()])
    return float((ordered[nearest - 1] + ordered[nearest]) / 2)


def _is_rough(tops: torch.Tensor, precision: float) -> bool:
    """Whether values of this relative precision are coarse beside what sets them apart."""
    return bool((tops.abs().amax(0) * precision > _COARSE * tops.std(0)).any())


def _offset(case: Case, draft: Draft) -> str:
    """The parameter that is added last. Raises `UnsupportedError` if there is none to raise."""
    offset = case.wiring.offset
    if case.wiring.traits.selects:
        found = f"units of {case.wiring.site.activation} compete: a bias alone promises no share"
        raise _unliftable(case, found)
    found = "no bias is added last before the activation"
    if offset and offset in draft:
        if draft[offset].shape == (case.wiring.site.n_units,) and offset not in case.wiring.shared:
            return offset
        found = f"{offset} belongs to other units or calls too"
    raise _unliftable(case, found)


def _unliftable(case: Case, found: str) -> UnsupportedError:
    do = _REDRAW if case.wiring.maker is not None else _LEAVE
    return UnsupportedError(
        "the units cannot be lifted", where=case.named(case.units), found=found, do=do
    )


def _refuse_tied(case: Case) -> None:
    if case.tied:
        raise UnsupportedError(
            "the outgoing weights cannot be set to zero",
            where=case.named(case.units),
            found="they are the incoming weights too (tied)",
            do=_KEEP,
        )
