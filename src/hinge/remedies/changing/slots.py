"""The places of a model where a module, or a function in a module's stead, can be replaced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from hinge.errors import ModelError, OptionError
from hinge.tracing.running import unwrapped

_RELU, _GELU = 1, 2  # how torch's encoder layer marks what its fused kernel can compute


@dataclass(frozen=True, eq=False)
class Slot:
    """One place: the attribute ``name`` of the module ``owner``; ``path`` is its full path."""

    owner: nn.Module
    name: str
    path: str
    content: Any

    def put(self, back: ExitStack, module: nn.Module) -> None:
        """Put a module there; undoing puts back the very object that was there."""
        owner, name, modules = self.owner, self.name, self.owner._modules  # noqa: SLF001 see below
        if isinstance(self.content, nn.Module):
            # Not setattr: in a Sequential or ModuleDict the names are no attributes, and the
            # order of the entries is that of the calls.
            back.callback(modules.__setitem__, name, self.content)
            modules[name] = module
        else:
            back.callback(_function_again, owner, name, self.content)
            setattr(owner, name, module)

    @property
    def standing(self) -> Any:
        """What stands there now."""
        return self.owner._modules.get(self.name, vars(self.owner).get(self.name))  # noqa: SLF001 as above


def way_back(back: ExitStack, slots: Iterable[Slot]) -> Callable[[], None]:
    """The undo of steps that are all done: it refuses while something else was put into a place."""
    placed, steps = [(slot, slot.standing) for slot in slots], back.pop_all()

    def undo() -> None:
        for slot, there in placed:
            if slot.standing is not there:
                raise OptionError(
                    "the remedy cannot be undone, since the model was changed again since",
                    where=slot.path,
                    found=type(slot.standing).__name__,
                    do="undo the later change first",
                )
        steps.close()

    return undo


def slots_of(model: nn.Module, wanted: Callable[[Any], bool]) -> Iterator[Slot]:
    """The places of modules, and of functions among the attributes, that are wanted."""
    for prefix, owner in model.named_modules():
        prefix_ = f"{prefix}." if prefix else ""
        for held in (owner._modules, vars(owner)):  # noqa: SLF001 named_children hides the reused
            for name, content in list(held.items()):
                if wanted(content):
                    yield Slot(owner, name, prefix_ + name, content)


def settle_encoders(back: ExitStack, model: nn.Module) -> None:
    """Keep torch's encoders from their fused kernels where these would not see what was put there.

    A layer remembers when it is made that its activation is ReLU or GELU, and an encoder that
    its layers take nested tensors, which other activations do not.
    """
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoderLayer) and isinstance(
            module.activation, nn.Module
        ):
            _set(back, module, "activation_relu_or_gelu", _mark(module.activation))
    for module in model.modules():  # an encoder stands before its layers
        if isinstance(module, nn.TransformerEncoder) and module.use_nested_tensor:
            marks = [getattr(layer, "activation_relu_or_gelu", 0) for layer in module.layers]
            _set(back, module, "use_nested_tensor", all(marks))


def slots_of_module(model: nn.Module, module: nn.Module) -> list[Slot]:
    """Every place of one module; a reused one has several."""
    return list(slots_of(model, lambda content: content is module))


def checked_model(model: object) -> nn.Module:
    """The module whose parts can be replaced, out of torch's wrappers for it.

    Raises `ModelError` for what is no module, and for scripted ones, whose parts are fixed.
    """
    model = unwrapped(model)
    if isinstance(model, nn.Module) and not isinstance(model, torch.jit.ScriptModule):
        return model
    raise ModelError(
        "the model cannot be changed part by part",
        where="model",
        found=type(model).__name__,
        do="pass the torch.nn.Module itself, before it is scripted or exported",
    )


def within(path: str, where: Collection[str] | None) -> bool:
    """Whether a path is one of those in ``where``, or lies below one of them."""
    return where is None or any(path == one or path.startswith(f"{one}.") for one in where)


def checked_paths(
    model: nn.Module, where: str | Collection[str] | None, option: str
) -> Collection[str] | None:
    """The paths of modules in an option. Raises `OptionError` for one that the model lacks."""
    paths = [where] if isinstance(where, str) else where
    for path in paths or ():
        if path not in _paths(model):
            raise OptionError(
                "the model has no such part",
                where=option,
                found=repr(path),
                do="pass paths of modules as model.named_modules() names them",
            )
    return paths


def _paths(model: nn.Module) -> set[str]:
    named = {path for path, _ in model.named_modules(remove_duplicate=False)}
    return named | {slot.path for slot in slots_of(model, callable)}


def _set(back: ExitStack, owner: nn.Module, name: str, value: Any) -> None:
    back.callback(setattr, owner, name, getattr(owner, name))
    setattr(owner, name, value)


def _function_again(owner: nn.Module, name: str, function: Any) -> None:
    delattr(owner, name)
    setattr(owner, name, function)


def _mark(module: nn.Module) -> int:
    """The mark of a module in an encoder layer; 0 keeps torch from its fused kernel."""
    if type(module) is nn.ReLU:
        return _RELU
    return _GELU if type(module) is nn.GELU and module.approximate == "none" else 0
