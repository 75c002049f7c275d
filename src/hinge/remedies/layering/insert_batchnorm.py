"""`insert_batchnorm`: put a batch norm before activations, with or without moving the function."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from hinge.errors import OptionError, UnsupportedError
from hinge.remedies.changing.keeping import check_reduced, train_too
from hinge.remedies.changing.movement import held
from hinge.remedies.changing.optimizer_state import holders
from hinge.remedies.changing.runs import Measured, Runs
from hinge.remedies.changing.slots import (
    Slot,
    checked_model,
    settle_encoders,
    slots_of_module,
    way_back,
)
from hinge.remedies.layering.moments import Moments
from hinge.remedies.receipt import Receipt
from hinge.tracing.trace import Call

Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d

_NORMS: dict[int, type[Norm]] = {
    2: nn.BatchNorm1d,
    3: nn.BatchNorm1d,
    4: nn.BatchNorm2d,
    5: nn.BatchNorm3d,
}


class LastAxisBatchNorm(nn.BatchNorm1d):
    """A batch norm whose channels are the last axis of the input, of shape ``(..., C)``."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 torch's name
        """Normalise each channel over all other axes."""
        return super().forward(input.reshape(-1, input.shape[-1])).reshape(input.shape)


def insert_batchnorm(
    model: nn.Module,
    sites: str | Collection[str],
    data: Any,
    *,
    preserving: bool = True,
    optimizer: Any = None,
) -> Receipt:
    """Put a batch norm before the activation of each of these sites, in place.

    The mean and variance that it holds are those of the pre-activations over the data. In
    training mode it goes by the statistics of each batch, as every batch norm does.

    Parameters
    ----------
    model
        A `torch.nn.Module`.
    sites
        Names of sites, as a census has them. The activation of a site must be a module of its
        own, called once in a pass.
    data
        What `hinge.observe` takes.
    preserving
        True: weight √(variance + eps) and bias mean, so that in eval mode the model's
        function stays what it is. False: weight 1 and bias 0; the function moves, and each
        unit whose pre-activation varies fires on a part of the data.
    optimizer
        What trains the model (or a list of such): the new parameters join its first group.

    Returns
    -------
    Receipt
        It preserves "everywhere" (in eval mode) if ``preserving`` and no output moves on the
        data, else "no".

    Raises
    ------
    OptionError
        The model calls no site of that name, or none is named.
    UnsupportedError
        The activation of a site is called in code or more than once, or its units lie along
        an axis that no batch norm takes, or vary more than its dtype can hold; the model is
        in `torch.nn.parallel.DistributedDataParallel`.
    DataError
        The model cannot run on the data.
    """
    body, wanted = checked_model(model), [sites] if isinstance(sites, str) else list(sites)
    holders(optimizer)
    runs = Runs(body, data)
    plan = _plan(body, wanted, _statistics(runs, None))
    measured, parameters = Measured(runs), list[tuple[str, Parameter]]()
    with ExitStack() as back:
        for number, (site, slot, coming) in enumerate(plan):
            # What was put in before moves the later ones, unless it preserves.
            again = number and not preserving
            now = _statistics(runs, coming.module)[site] if again else coming
            parameters += _insert(slot, now, back, preserving=preserving)
        settle_encoders(back, body)
        check_reduced(model, parameters)
        trained, notes = train_too(back, optimizer, parameters)
        movement = measured.movement()
        contract, broken = held("everywhere" if preserving else "no", movement, body)
        undo = way_back(back, [slot for _, slot, _ in plan])
    return Receipt(
        "insert_batchnorm" + ("" if preserving else "(preserving=False)"),
        {},
        contract,
        movement.moved,
        movement.spread,
        (*(f"{slot.path}: a batch norm came before it" for _, slot, _ in plan), *trained),
        (*broken, *notes, *_notes(plan, preserving=preserving)),
        undo,
    )


@dataclass(frozen=True, eq=False)
class Coming:
    """What comes to a site: its moments by channel, and how the channels lie.

    ``axis`` is that of the channels among ``ndim`` axes; ``module`` is the path of what calls
    the activation, ``in_code`` says that it is no module of its own.
    """

    moments: Moments
    axis: int
    ndim: int
    like: Tensor
    module: str
    in_code: bool

    @classmethod
    def of(cls, call: Call) -> Coming:
        """Nothing of its values yet."""
        axis, z = call.arrangement.units.axis, call.z
        moments = Moments(z.shape[axis])
        return cls(moments, axis, z.ndim, z.new_empty(0), call.module, bool(call.function))

    def add(self, z: Tensor) -> None:
        """Take in the values of one call."""
        self.moments.add(z.movedim(self.axis, -1).flatten(0, -2))


def _statistics(runs: Runs, module: str | None) -> dict[str, Coming]:
    """What comes to each site over the data, or to those of one module that was there before."""
    found: dict[str, Coming] = {}

    def called(call: Call) -> None:
        if module is None or call.module == module:
            found.setdefault(call.site, Coming.of(call)).add(call.z)

    runs.over_calls(called)
    return found


def _plan(
    model: nn.Module, wanted: Sequence[str], seen: dict[str, Coming]
) -> list[tuple[str, Slot, Coming]]:
    """The place and statistics of each site, in the order of the calls, or an error."""
    for site in wanted or ("",):
        if site not in seen:
            raise OptionError(
                "the model calls no such site",
                where="insert_batchnorm(sites=...)",
                found=repr(site) if wanted else "no name",
                do=f"pass names among {', '.join(seen) or 'none: it calls no activation'}",
            )
    return [
        (site, _slot(model, site, coming, seen), coming)
        for site, coming in seen.items()
        if site in wanted
    ]


def _slot(model: nn.Module, site: str, coming: Coming, seen: dict[str, Coming]) -> Slot:
    """Where the activation of a site stands. Raises `UnsupportedError`."""
    if coming.in_code:
        raise _refused(site, "it is called in code, where no module can be put before it")
    others = [name for name, one in seen.items() if one.module == coming.module and name != site]
    slots = slots_of_module(model, model.get_submodule(coming.module))
    if others or len(slots) != 1:
        also = ", ".join(others) or " and ".join(slot.path for slot in slots)
        raise _refused(site, f"its module is used more than once ({also})")
    _norm(site, coming)
    return slots[0]


def _refused(site: str, found: str) -> UnsupportedError:
    return UnsupportedError(
        "no batch norm can be put before this activation",
        where=site,
        found=found,
        do="call a module of its own there (self.act = torch.nn.ReLU() or the like), with the "
        "channels along axis 1 or the last one",
    )


def _norm(site: str, coming: Coming) -> Norm:
    """A batch norm for inputs laid out like the site's. Raises `UnsupportedError`."""
    channels, largest = len(coming.moments.mean), float(coming.moments.variance.max())
    if largest > torch.finfo(coming.like.dtype).max:
        raise UnsupportedError(
            "no batch norm of this dtype can be put before this activation",
            where=site,
            found=f"a variance of {largest:.3g}, more than {coming.like.dtype} can hold",
            do="put it in before the model is converted, or convert it to bfloat16 or float32",
        )
    if coming.axis == 1 and coming.ndim in _NORMS:
        return _NORMS[coming.ndim](channels)
    if 0 < coming.axis == coming.ndim - 1:
        return LastAxisBatchNorm(channels)
    raise _refused(site, f"its units lie along axis {coming.axis} of {coming.ndim}")


def _insert(
    slot: Slot, coming: Coming, back: ExitStack, *, preserving: bool
) -> list[tuple[str, Parameter]]:
    """Put the batch norm before what stands there; the new parameters by their names."""
    norm = _norm(slot.path, coming).to(coming.like.device, coming.like.dtype)
    mean, variance = (one.to(norm.weight) for one in (coming.moments.mean, coming.moments.variance))
    with torch.no_grad():
        norm.register_buffer("running_mean", mean)
        norm.register_buffer("running_var", variance)
        if preserving:
            # Of what is held, not of what was measured: rounding must not come in twice.
            norm.weight.copy_((variance.double() + norm.eps).sqrt())
            norm.bias.copy_(mean)
    norm.train(slot.content.training)
    pair = nn.Sequential(OrderedDict(norm=norm, activation=slot.content))
    pair.training = slot.content.training
    slot.put(back, pair)
    return [(f"{slot.path}.norm.{name}", one) for name, one in norm.named_parameters()]


def _notes(plan: Sequence[tuple[str, Slot, Coming]], *, preserving: bool) -> list[str]:
    notes = ["in training mode the statistics of each batch take over"] if preserving else []
    paths = ", ".join(slot.path for _, slot, _ in plan)
    notes.append(
        f"new names in the state_dict, below {paths}: norm.* and, of the old, activation.*"
    )
    return notes
