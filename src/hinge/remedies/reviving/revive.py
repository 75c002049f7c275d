"""`revive`: bring dead units of a model back, with a receipt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from torch import nn

from hinge.errors import ModelError, OptionError
from hinge.remedies.changing.draft import Draft
from hinge.remedies.changing.movement import Movement, hold
from hinge.remedies.changing.optimizer_state import holders
from hinge.remedies.receipt import Receipt
from hinge.remedies.reviving.case import Case, Plan
from hinge.remedies.reviving.chosen import Chosen, check_units, chosen_units
from hinge.remedies.reviving.lift import Lift
from hinge.remedies.reviving.passes import Passes
from hinge.remedies.reviving.remedy import Remedy
from hinge.remedies.reviving.seen import SitesSeen
from hinge.tracing.batches import Forward
from hinge.tracing.running import unwrapped
from hinge.units import Observed


def revive(
    model: nn.Module,
    units: Mapping[str, Observed] | Mapping[str, Sequence[int]],
    data: Any,
    *,
    by: Remedy | None = None,
    optimizer: Any = None,
    batch_size: int = 256,
    batch_axis: int = 0,
    forward: Forward | None = None,
) -> Receipt:
    """Bring units back that never fire, and say what was changed and how far the model moved.

    Everything is planned and tried on the data first; then it is written, in place, or not at
    all. The model's mode, its gradients and all random states stay as they are.

    Parameters
    ----------
    model
        A `torch.nn.Module`, wrapped (compiled, data parallel) or not. With several processes,
        call it in each with the same data.
    units
        A `Census` of this model, whose dead units are taken, or unit numbers by site name.
    data, batch_size, batch_axis, forward
        As for `hinge.observe`. The data are run through three times and more; those that come
        only once (a generator's) are kept in memory.
    by
        The remedy: `Lift()` unless told otherwise, or `Redraw`, `Split`, `Resample`.
    optimizer
        The optimizer that trains the model, or a list of all of them: its state of the new
        entries, and of no other, begins again. None: no state is touched.

    Returns
    -------
    Receipt
        Its `Receipt.undo` puts parameters, buffers and optimizer state back bit for bit.

    Raises
    ------
    OptionError
        What is no remedy; a site or unit that the model does not have; a unit that fires on
        the data; an optimizer that does not hold what is to be changed; units that the
        remedy cannot help.
    UnsupportedError
        The weights that make or read the units cannot be changed for them alone.
    DataError, ModelError
        The data are empty or do not fit; the model is no torch module.
    """
    by = Lift() if by is None else by
    _check(by, batch_size)
    target = _module(model)
    holders(optimizer)  # refuses what is none, before the data are run
    chosen = chosen_units(units)
    if not chosen:
        return Receipt(str(by), {}, "everywhere", 0.0, math.nan, (), ("No unit is dead.",))
    passes = Passes(target, data, batch_size=batch_size, batch_axis=batch_axis, forward=forward)
    cases = examined(passes, chosen)
    if not by.for_firing:
        _refuse_firing(cases)
    draft = Draft(target)
    plan = by.plan(cases, draft, passes)
    draft.check(optimizer)
    movement = _tried(passes, cases, draft, plan)
    before, notes = draft.apply(optimizer)
    return Receipt(
        str(by),
        chosen,
        plan.preserves,
        movement.moved,
        movement.spread,
        tuple(plan.changes),
        (*plan.notes, *_frozen(draft), *notes),
        before.restore,
    )


def examined(passes: Passes, chosen: Chosen) -> list[Case]:
    """Run the model over the data and see what the chosen units do, and what is read of them."""
    wirings = passes.wirings()
    check_units(chosen, wirings)
    wanted = {name: wirings[name] for name in wirings if name in chosen}
    seen = SitesSeen(wanted, chosen)
    weights = Draft(passes.model)
    reading = passes.over(
        seen.add,
        readers={
            (name, reader): weights[reader.weight]
            for name, wiring in wanted.items()
            for reader in wiring.readers
        },
    )
    return [
        Case(
            name,
            wiring,
            chosen[name],
            seen.by_site[name],
            tuple(reading.inputs[name, reader] for reader in wiring.readers),
        )
        for name, wiring in wanted.items()
    ]


def _module(model: Any) -> nn.Module:
    target = unwrapped(model)
    if isinstance(target, nn.Module):
        return target
    raise ModelError(
        "only a torch module can be mended",
        where="model",
        found=type(model).__name__,
        do="pass the torch.nn.Module that is trained",
    )


def _check(by: Any, batch_size: Any) -> None:
    """See that these are a remedy and a number of examples. Raises `OptionError`."""
    if isinstance(by, type) or not callable(getattr(by, "plan", None)):
        raise OptionError(
            "this is no remedy",
            where="hinge.revive(by=)",
            found=repr(by),
            do="pass Lift(), Redraw(), Split() or Resample() of hinge.remedies",
        )
    if not isinstance(batch_size, Integral) or batch_size < 1:
        raise OptionError(
            "this is no number of examples",
            where="hinge.revive(batch_size=)",
            found=repr(batch_size),
            do="pass a whole number from 1 on, such as 256",
        )


def _frozen(draft: Draft) -> list[str]:
    """Say which changed parameters will not be trained: what waits for gradient waits for ever."""
    names = [
        name
        for name, (tensor, _) in draft.changed.items()
        if isinstance(tensor, nn.Parameter) and not tensor.requires_grad
    ]
    note = "Units whose outgoing weights are 0 and stay frozen never count again."
    return [f"Frozen (requires_grad=False): {', '.join(names)}. {note}"] if names else []


def _refuse_firing(cases: Sequence[Case]) -> None:
    for case in cases:
        fired = case.seen.fired.tolist()
        firing = [unit for unit, n in zip(case.units, fired, strict=True) if n]
        if firing:
            raise OptionError(
                "units that fire need no revival",
                where=case.named(firing),
                found=f"they fire on up to {max(fired):,} of {len(case.seen.tops):,} examples",
                do="observe the model again on these data: it or they have changed since; "
                "or use Redraw(dormant=True) for units that fire too little",
            )


def _tried(passes: Passes, cases: Sequence[Case], draft: Draft, plan: Plan) -> Movement:
    """Measure how far the draft moves the outputs, and note what it does not keep."""
    seen = SitesSeen({c.name: c.wiring for c in cases}, {c.name: c.units for c in cases})
    movement = passes.compare(draft, seen.add)
    for case in cases:
        still = seen.by_site[case.name].silent
        if still:
            plan.notes.append(f"{case.named(still)} still fires on no example.")
    if not plan.tried:
        hold(plan, movement, draft)
    return movement
