"""`swap`: replace an activation by another, wherever a model holds it as a module."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from typing import Any

from torch import nn

from hinge.activations import Activation, JointActivation
from hinge.remedies.changing.keeping import check_reduced, train_too
from hinge.remedies.changing.movement import held
from hinge.remedies.changing.optimizer_state import holders
from hinge.remedies.changing.runs import Measured, Runs
from hinge.remedies.changing.slots import (
    checked_model,
    checked_paths,
    settle_encoders,
    way_back,
    within,
)
from hinge.remedies.receipt import Receipt
from hinge.remedies.swapping.exchange import Calls, Exchange, activations_in, exchanges, of_kind
from hinge.remedies.swapping.making import activation_named, recipe

Name = str | Activation | JointActivation


def swap(
    model: nn.Module,
    old: Name,
    new: Name,
    *,
    data: Any = None,
    optimizer: Any = None,
    where: str | Collection[str] | None = None,
    preserve: bool = False,
    **options: Any,
) -> Receipt:
    """Replace one activation by another throughout a model, in place.

    Parameters
    ----------
    model
        A `torch.nn.Module`. Its modules are exchanged, nothing else: what stands in a
        ``Sequential``, a list, a dict or an attribute, at any depth, reused or not, and
        functions that a module keeps as an attribute (`torch.nn.TransformerEncoderLayer`
        does). Calls in the code of a ``forward`` stay, and are named in the notes.
    old, new
        Names as `hinge.activations` knows them, or torch's: "leaky_relu", "LeakyReLU".
    data
        What `hinge.observe` takes. With data the change of the outputs is measured, calls in
        code are found, and learned parameters get one value for each channel, where the
        channels are axis 1 of the input.
    optimizer
        What trains the model (or a list of such): new parameters join its first group.
    where
        Paths of modules: only they and what lies below them is changed.
    preserve
        Choose those parameters of ``new`` with which the model's function stays what it is:
        PReLU with slope 0 in place of ReLU.
    **options
        Parameters of ``new``: ``negative_slope=0.01``; ``init=`` for the slope of PReLU,
        ``num_parameters=`` for how many values a learned parameter has.

    Returns
    -------
    Receipt
        It preserves "everywhere" if each new function equals the old one and no output moves on
        the data, else "no".

    Raises
    ------
    OptionError
        A name, parameter or path that does not exist, or no parameter that preserves.
    ModelError
        The model has no such activation as a module.
    DataError
        The model cannot run on the data.
    UnsupportedError
        An activation that changes the width, or one that has no module; new parameters in
        `torch.nn.parallel.DistributedDataParallel`, which would not reduce their gradients.
    """
    body, kept = checked_model(model), activation_named(old)
    wanted, paths = recipe(new, options), checked_paths(body, where, "where=")
    holders(optimizer)
    runs = None if data is None else Runs(body, data)
    calls = Calls.over(body, runs)
    chosen = of_kind(activations_in(body, calls), kept, calls, paths)
    plan = exchanges(chosen, wanted, calls, preserve=preserve)
    measured = Measured(runs)
    with ExitStack() as back:
        for one in plan:
            one.place(back)
        settle_encoders(back, body)
        parameters = [named for one in plan for named in one.parameters]
        check_reduced(model, parameters)
        trained, notes = train_too(back, optimizer, parameters)
        movement = measured.movement()
        left = _left(kept, plan, Calls.over(body, runs), paths)
        same = all(one.same for one in plan)
        contract, broken = held("everywhere" if same else "no", movement, body)
        undo = way_back(back, [slot for one in plan for slot in one.slots])
    return Receipt(
        f"swap {kept.name} for {wanted.record.name}",
        {},
        contract,
        movement.moved,
        movement.spread,
        (*(one.sentence for one in plan), *trained),
        (*broken, *notes, *(note for one in plan for note in one.notes), *left),
        undo,
    )


def _left(
    old: Activation, plan: Sequence[Exchange], calls: Calls, where: Collection[str] | None
) -> list[str]:
    """Say which calls of the old activation are still there."""
    new = {id(one.made) for one in plan}
    modules = [c for key, of in calls.of_modules.items() if key not in new for c in of.values()]
    left = [call for call in (*modules, *calls.in_code.values()) if call.activation == old]
    sites = [call.site for call in left if within(call.module, where)]
    if not sites:
        return []
    return [f"{old.title} is still called in code, where no module can be put: {', '.join(sites)}"]
