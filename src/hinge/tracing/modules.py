"""Which module of the model is running: its path, and how often it called an activation."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import Any, Self

from torch import nn
from torch.nn.modules import activation
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook


class RunningModules:
    """Follows the calls of a model's modules while active; the modules themselves stay untouched.

    Uses the process-wide hooks of torch, so that nothing is registered in the model.
    """

    def __init__(self, model: object) -> None:
        named = model.named_modules() if isinstance(model, nn.Module) else ()
        self._paths = {id(module): path.replace("_orig_mod.", "") for path, module in named}
        self._stack: list[nn.Module] = []
        self._calls: Counter[tuple[str, str]] = Counter()
        self._layers: dict[tuple[str, str, str], int] = {}
        self._handles: list[Any] = []

    def __enter__(self) -> Self:
        self._handles = [
            register_module_forward_pre_hook(self._entered),
            register_module_forward_hook(self._left, always_call=True),
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()

    def start(self) -> None:
        """A new forward pass begins: calls are counted from 1 again."""
        self._stack.clear()
        self._calls.clear()
        self._layers.clear()

    def place(self, function: str, layer: str) -> tuple[str, str, int]:
        """Module path, function and call number of an activation that is called now.

        In a recurrent module the time steps of one layer are one site: there the
        number counts the layers, not the calls.
        """
        module = self._stack[-1] if self._stack else None
        path = self._paths[id(module)] if module is not None else ""
        if module is not None and _is_activation(module, path):
            function = ""
        if isinstance(module, nn.RNNBase):
            layer = layer.rpartition("h_l")[2]  # weight_ih_l0 and weight_hh_l0 are one layer
            numbers = [key for key in self._layers if key[:2] == (path, function)]
            call = self._layers.setdefault((path, function, layer), len(numbers) + 1)
            return path, function, call
        self._calls[path, function] += 1
        return path, function, self._calls[path, function]

    def _entered(self, module: nn.Module, _: object) -> None:
        if id(module) in self._paths:
            self._stack.append(module)

    def _left(self, module: nn.Module, _: object, __: object) -> None:
        while id(module) in self._paths and self._stack:
            if self._stack.pop() is module:
                break


def _is_activation(module: nn.Module, path: str) -> bool:
    """Whether the module is an activation and nothing else."""
    if not path or next(module.children(), None) is not None:
        return False
    ours = type(module).__module__ == activation.__name__ and not isinstance(
        module, nn.MultiheadAttention
    )
    return ours or next(module.parameters(), None) is None
