"""Finds the modules that are a certain activation, and exchanges each for another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import Parameter

from hinge.activations import Activation, JointActivation
from hinge.errors import ModelError, OptionError
from hinge.remedies.changing.runs import Runs
from hinge.remedies.changing.slots import Slot, slots_of, within
from hinge.remedies.swapping.making import Recipe
from hinge.remedies.swapping.recognising import Found, activation_of, seen_in
from hinge.remedies.swapping.sameness import Floats, preserving, same_function, single
from hinge.tracing.trace import Call

Old = tuple[Slot, Found]
"""A place, and the activation that stands there."""


@dataclass(frozen=True)
class Called:
    """A site as a pass showed it: ``channels`` lie along axis 1, 0 where the units do not."""

    site: str
    module: str
    activation: Activation | JointActivation
    channels: int
    like: torch.Tensor

    @classmethod
    def of(cls, call: Call) -> Called:
        """What is to be kept of a call: not its values."""
        along = call.arrangement.units.axis == 1 and call.z.ndim > 1
        channels = call.z.shape[1] if along else 0
        return cls(call.site, call.module, call.activation, channels, call.z.new_empty(0))


@dataclass
class Calls:
    """The sites that were called over the data: of modules that are an activation, and in code."""

    of_modules: dict[int, dict[str, Called]] = field(default_factory=dict)
    in_code: dict[str, Called] = field(default_factory=dict)

    @classmethod
    def over(cls, model: nn.Module, runs: Runs | None) -> Calls:
        """Watch a pass over the data; nothing is seen without."""
        seen = cls()
        by_path = {path.replace("_orig_mod.", ""): one for path, one in model.named_modules()}

        def found(call: Call) -> None:
            of = seen.of_modules.setdefault(id(by_path[call.module]), {})
            (seen.in_code if call.function else of)[call.site] = Called.of(call)

        if runs is not None:
            runs.over_calls(found)
        return seen

    def of(self, slot: Slot) -> list[Called]:
        """The calls of what stands in a place; of a function, those in its module."""
        if isinstance(slot.content, nn.Module):
            return list(self.of_modules.get(id(slot.content), {}).values())
        owner = slot.path.rpartition(".")[0]
        return [call for call in self.in_code.values() if call.module == owner]


def activations_in(model: nn.Module, calls: Calls) -> list[Old]:
    """Every place of an activation. A class of the user's counts if it was called as one."""
    found: dict[int, Found | None] = {}

    def known(content: Any) -> bool:
        key = id(content)
        if key not in found:
            found[key] = activation_of(content)
            if found[key] is None and calls.of_modules.get(key):
                found[key] = seen_in(content)
        return found[key] is not None

    slots = [slot for slot in slots_of(model, callable) if known(slot.content)]
    return [(slot, one) for slot in slots if (one := found[id(slot.content)]) is not None]


def of_kind(
    everything: Sequence[Old], old: Activation, calls: Calls, where: Collection[str] | None
) -> list[Old]:
    """Those places that hold the activation. Raises `ModelError` if none does."""
    chosen = [one for one in everything if one[1][0] == old and within(one[0].path, where)]
    if chosen:
        return chosen
    in_code = [site for site, call in calls.in_code.items() if call.activation == old]
    if in_code:
        raise ModelError(
            f"{old.title} is called in the code of the model alone, not as a module",
            where="where=" if where else "the whole model",
            found=", ".join(in_code),
            do="make each call a module of its own (self.act = torch.nn.ReLU() or the like)",
        )
    names = {record.name for _, (record, _) in everything}
    names |= {call.activation.name for call in calls.in_code.values()}
    more = "" if calls.of_modules else "; calls in code show with data= only"
    raise ModelError(
        f"the model has no {old.title} to replace",
        where=f"where={list(where)!r}" if where else "the whole model",
        found=(f"these activations: {', '.join(sorted(names))}" if names else "none") + more,
        do="name one that the model has",
    )


@dataclass(frozen=True, eq=False)
class Exchange:
    """One old module or function, the places where it stands, and what comes there."""

    slots: tuple[Slot, ...]
    made: nn.Module
    same: bool

    def place(self, back: ExitStack) -> None:
        """Exchange it everywhere."""
        for slot in self.slots:
            slot.put(back, self.made)

    @property
    def parameters(self) -> list[tuple[str, Parameter]]:
        """The new parameters with their names in the model."""
        first = self.slots[0].path
        return [(f"{first}.{name}", one) for name, one in self.made.named_parameters()]

    @property
    def sentence(self) -> str:
        """What is changed, in words."""
        paths = " and ".join(slot.path for slot in self.slots)
        old = self.slots[0].content
        said = repr(old) if isinstance(old, nn.Module) else getattr(old, "__name__", repr(old))
        return f"{paths}: {said} became {self.made!r}"

    @property
    def notes(self) -> list[str]:
        """What hung on the old module and does not come with the new one."""
        path, old = self.slots[0].path, self.slots[0].content
        if not isinstance(old, nn.Module):
            return []
        found = []
        if getattr(old, "inplace", False) and not getattr(self.made, "inplace", False):
            found.append(f"{path} changed its input in place, which the new module does not")
        if old._forward_hooks or old._forward_pre_hooks or old._backward_hooks:  # noqa: SLF001
            found.append(f"the hooks of {path} stay on the module that was taken out")
        if next(old.parameters(), None) is not None:
            found.append(
                f"the parameters of the old {path} get no gradient any more; an optimizer that "
                "holds them passes over them"
            )
        return found


def exchanges(
    chosen: Sequence[Old], recipe: Recipe, calls: Calls, *, preserve: bool
) -> list[Exchange]:
    """What to exchange for what: a reused module by one module, each function by its own."""
    groups: dict[Any, list[Old]] = {}
    for slot, found in chosen:
        module = isinstance(slot.content, nn.Module)
        groups.setdefault(id(slot.content) if module else slot.path, []).append((slot, found))
    return [
        _exchange(tuple(slot for slot, _ in group), group[0][1], recipe, calls, preserve=preserve)
        for group in groups.values()
    ]


def _exchange(
    slots: tuple[Slot, ...], found: Found, recipe: Recipe, calls: Calls, *, preserve: bool
) -> Exchange:
    (record, parameters), slot = found, slots[0]
    given, chosen = single(parameters), recipe.parameters
    if preserve:
        chosen = _preserving(slot, record, given, recipe)
    seen = calls.of(slot)
    channels = recipe.num_parameters or _channels(seen)
    made = recipe.make(chosen, channels, seen[0].like if seen else _like(slot))
    if getattr(slot.content, "inplace", False) and hasattr(made, "inplace"):
        setattr(made, "inplace", True)  # noqa: B010 not every module declares it
    made.train(getattr(slot.content, "training", slot.owner.training))
    same = given is not None and same_function(record, given, recipe.record, chosen)
    return Exchange(slots, made, same)


def _preserving(slot: Slot, record: Activation, given: Floats | None, recipe: Recipe) -> Floats:
    found = None
    if given is not None:
        found = preserving(record, given, recipe.record, recipe.parameters)
    if found is not None:
        return found
    options = ", ".join(f"{name}={value:g}" for name, value in recipe.parameters.items())
    raise OptionError(
        f"no {recipe.record.title} is the function that stands there",
        where=f"swap(preserve=True), at {slot.path}",
        found=f"{slot.content!r}"
        + (f", and the parameters asked for ({options})" if options else ""),
        do="leave preserve out, or swap to an activation that holds the old one (PReLU, SReLU)",
    )


def _channels(calls: Sequence[Called]) -> int:
    """How many values a learned parameter gets: one for each channel if all calls agree."""
    sizes = {call.channels for call in calls}
    return max(sizes.pop(), 1) if len(sizes) == 1 else 1


def _like(slot: Slot) -> torch.Tensor:
    """A tensor of the device and the dtype that the model works with near the place."""
    own = slot.content.parameters() if isinstance(slot.content, nn.Module) else ()
    near = (*own, *slot.owner.parameters())
    return next((one for one in near if one.is_floating_point()), torch.empty(0))
