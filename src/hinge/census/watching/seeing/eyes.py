"""Light hooks that see the sites of a model that was surveyed, each just before it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from hinge.census.watching.seeing.hooks import Passive
from hinge.tracing.wiring import Wiring

Seen = Callable[[str, torch.Tensor], None]
"""Called with the name of a site and its pre-activation, just before its activation runs.

Where the output tells what fires, it is the output, just after.
"""

_CLAMPS = frozenset(("clamp", "clamp_min", "clip", "threshold", "maximum"))
_SELECTS = frozenset(("scatter", "scatter_"))  # the end of a selection of the k largest
_CLAMPED = frozenset(("relu", "relu6", "hardtanh", "thresholded_relu"))


class Eyes:
    """Sees every site that a hook or a function call shows, within passes that are `open`.

    Sites whose activation is a module are seen by a hook on it, all others by the function
    that their module calls; both in the order of the survey.
    """

    def __init__(self, model: nn.Module, wirings: Mapping[str, Wiring], seen: Seen) -> None:
        self._seen = seen
        self._is_open = False
        self._turns: dict[str, list[Wiring]] = defaultdict(list)
        self._next: dict[str, int] = {}
        self._running: list[str | None] = []
        self._hooks = ExitStack()
        for wiring in wirings.values():
            self._turns[wiring.site.module].append(wiring)
        functional = {
            path
            for path, turns in self._turns.items()
            if turns[0].site.function and not _is_ours(model.get_submodule(path))
        }
        self._functions = _Functions(self._called) if functional else None
        for path in self._turns:
            module = model.get_submodule(path)
            if isinstance(module, torch.jit.ScriptModule):
                continue  # it takes no hooks
            if path in functional:
                self._follow(module, path)
            else:
                self._attach(module, path)

    @contextmanager
    def open(self) -> Iterator[None]:
        """See what runs within the block."""
        self._next = dict.fromkeys(self._turns, 0)
        self._running.clear()
        self._is_open = True
        try:
            if self._functions is None:
                yield
            else:
                with self._functions:
                    yield
        finally:
            self._is_open = False

    def close(self) -> None:
        """Take all hooks away."""
        self._hooks.close()

    def _attach(self, module: nn.Module, path: str) -> None:
        """See the input of a module that is an activation."""
        by_output = self._turns[path][0].traits.by_output

        def entered(_: nn.Module, args: tuple[Any, ...]) -> None:
            if self._is_open and args:
                if not by_output:
                    self._turn(path, args[0])
                self._running.append(None)  # what it calls is no site of its own

        def left(_: nn.Module, __: object, out: object) -> None:
            if self._is_open and isinstance(out, torch.Tensor):
                self._turn(path, out)

        self._hooks.callback(module.register_forward_pre_hook(Passive(entered)).remove)
        if by_output:
            self._hooks.callback(module.register_forward_hook(Passive(left)).remove)
        if self._functions is not None:
            self._watch_end(module)

    def _follow(self, module: nn.Module, path: str) -> None:
        """Know when a module runs that calls activations as functions."""

        def entered(_: nn.Module, __: object) -> None:
            if self._is_open:
                self._running.append(path)

        self._hooks.callback(module.register_forward_pre_hook(Passive(entered)).remove)
        self._watch_end(module)

    def _watch_end(self, module: nn.Module) -> None:
        def left(_: nn.Module, __: object, ___: object) -> None:
            if self._is_open and self._running:
                self._running.pop()

        hook = module.register_forward_hook(Passive(left), always_call=True)
        self._hooks.callback(hook.remove)

    def _called(self, name: str, args: tuple[Any, ...]) -> None:
        """A function was called that may be the next activation of the module that runs."""
        path = self._running[-1] if self._running else None
        if path is None or not args or not isinstance(args[0], torch.Tensor):
            return
        turns = self._turns[path]
        turn = self._next[path]
        if turn < len(turns) and _spells(name, turns[turn].site.activation):
            self._turn(path, args[0])

    def _turn(self, path: str, z: torch.Tensor) -> None:
        turn, turns = self._next[path], self._turns[path]
        self._next[path] = turn + 1
        if turn < len(turns):
            self._seen(turns[turn].site.name, z)


def _is_ours(module: nn.Module) -> bool:
    """Whether a module is an activation of Hinge's, whose kernels no torch function shows."""
    return type(module).__module__.startswith("hinge.nn.")


def _spells(function: str, activation: str) -> bool:
    """Whether a call of this function can be this activation."""
    if function == activation or activation.startswith(f"{function}_"):
        return True
    return function in _CLAMPS and activation in _CLAMPED


class _Functions(TorchFunctionMode):
    """While active, tells of every torch function by its name, before it runs."""

    def __init__(self, called: Callable[[str, tuple[Any, ...]], None]) -> None:
        super().__init__()
        self._called = called

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Tell, then run the function."""
        name = getattr(func, "__name__", "")
        if name in _NAMES:
            self._called(name.removesuffix("_"), args)
        out = func(*args, **(kwargs or {}))
        if name in _SELECTS:
            self._called("topk", (out,))
        return out


def _spelt() -> frozenset[str]:
    """The names of torch's functions that may be activations, in place or not."""
    found = {
        name
        for name in dir(nn.functional)
        if name.removesuffix("_") in _activations() and not name.startswith("_")
    }
    names = found | _CLAMPS | {"sigmoid", "tanh", "relu"}
    return frozenset(names | {f"{name}_" for name in names})


def _activations() -> frozenset[str]:
    from hinge.activations import all_activations  # noqa: PLC0415

    return frozenset(activation.name for activation in all_activations())


_NAMES = _spelt()
