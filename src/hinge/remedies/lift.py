"""Lift: raise the biases of dead units so that they fire on a share of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from hinge.errors import OptionError, UnsupportedError
from hinge.remedies.case import Case, Plan
from hinge.remedies.draft import Draft
from hinge.remedies.outgoing import release
from hinge.remedies.passes import Passes

_KEEP = "use Lift(keep_outgoing=True), which moves the function, or leave these units out"
_REDRAW = "use Redraw(), which draws their weights anew"


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
        if not 0 < self.share < 1:
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
        """See `hinge.remedies.remedy.Remedy`."""
        del passes  # all that is needed was seen
        plan = Plan()
        for case in cases:
            offset = _offset(case, draft)
            self._lift(case, offset, draft, plan)
            if self.keep_outgoing:
                plan.breaks("The outgoing weights were kept: what the units give is new.")
            else:
                _refuse_tied(case)
                plan.changes.append(release(case, draft, plan, _KEEP))
        return plan

    def _lift(self, case: Case, offset: str, draft: Draft, plan: Plan) -> None:
        levels = [threshold(top, self.share) for top in case.seen.tops.T]
        constant = [u for u, level in zip(case.units, levels, strict=True) if level is None]
        if constant:
            raise case.refused(
                "units whose pre-activation is constant cannot be lifted to a share of the data",
                constant,
                "the same value on every example",
                _REDRAW,
            )
        raised = torch.tensor([case.seen.kink - level for level in levels if level is not None])
        before = draft.entries(offset, 0, case.units)
        draft.write(offset, 0, case.units, before + raised.to(before))
        low, high = float(raised.min()), float(raised.max())
        plan.changes.append(
            f"{offset} of {case.named(case.units)} was raised by {low:.3g} to {high:.3g}, so "
            f"that each fires on about {self.share:.3g} of the examples."
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


def _offset(case: Case, draft: Draft) -> str:
    """The parameter that is added last. Raises `UnsupportedError` if there is none to raise."""
    offset = case.wiring.offset
    found = "no bias is added last before the activation"
    if offset and offset in draft:
        if draft[offset].shape == (case.wiring.site.n_units,) and offset not in case.wiring.shared:
            return offset
        found = f"{offset} belongs to other units or calls too"
    raise UnsupportedError(
        "the units cannot be lifted", where=case.named(case.units), found=found, do=_REDRAW
    )


def _refuse_tied(case: Case) -> None:
    if case.tied:
        raise UnsupportedError(
            "the outgoing weights cannot be set to zero",
            where=case.named(case.units),
            found="they are the incoming weights too (tied)",
            do=_KEEP,
        )
