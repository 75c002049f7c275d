"""Takes units out of what is read of them, and hands what they gave on average to the bias."""

from __future__ import annotations

import torch

from hinge.remedies.changing.draft import Draft
from hinge.remedies.reviving.case import Case, Plan
from hinge.remedies.reviving.seen import InputSeen
from hinge.tracing.wiring import Reader

_MATRIX = 2


def release(case: Case, draft: Draft, plan: Plan, do: str) -> str:
    """Set the outgoing weights of a case's units to zero, all in the draft.

    What a reader read at those indices on average (0 for dead units of a ReLU) times the
    weights is added to the reader's bias: exact where it was constant, right in the mean
    where it was not. Returned is a sentence about it. Raises `UnsupportedError` where the
    output is read in other ways too.
    """
    readers = case.readers(do)
    for reader, seen in zip(readers, case.read, strict=True):
        columns = case.columns(reader)
        if not columns:
            continue
        _hand_over(case, reader, seen, draft, plan)
        draft.write(reader.weight, reader.input_axis, columns, 0.0)
    weights = " and ".join(dict.fromkeys(reader.weight for reader in readers))
    return f"The outgoing weights of {case.named(case.units)} ({weights or 'none'}) are 0."


def _hand_over(case: Case, reader: Reader, seen: InputSeen, draft: Draft, plan: Plan) -> None:
    """Correct the reader's bias, and say where that keeps the function only roughly."""
    columns = case.columns(reader)
    if not seen.seen:
        plan.breaks(f"What {reader.weight} reads was not seen: its bias was left.")
        return
    low, high, mean = seen.low[columns], seen.high[columns], seen.mean[columns]
    if not mean.any() and torch.equal(low, high):
        return
    weight = draft.entries(reader.weight, reader.input_axis, columns)
    image = weight.ndim > _MATRIX
    if not reader.bias or (image and reader.input_axis != 1):
        plan.breaks(f"{reader.weight} has no bias that could take over what the units gave.")
        return
    if reader.bias in case.wiring.shared:
        plan.breaks(f"{reader.bias} is used by another call too: it was left.")
        return
    given = weight.movedim(reader.input_axis, 1).flatten(2).sum(2) if image else weight
    given = given if image or reader.input_axis == 1 else given.mT
    added = given @ mean.to(given.device)
    everyone = range(len(added))
    shifted = draft.entries(reader.bias, 0, everyone) + added
    draft.write(reader.bias, 0, everyone, shifted, anew=False)
    plan.changes.append(
        f"{reader.bias} took over what {case.named(case.units)} gave to it on average, in "
        "eval mode."
    )
    if image or not torch.equal(low, high):
        plan.breaks(
            "Units that were not silent were taken out: the outputs stay as they were in the "
            "mean only."
        )
