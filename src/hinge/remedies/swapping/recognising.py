"""Which activation a module or a function of torch's is: seen by calling it once on a few zeros."""

from __future__ import annotations

import functools
import types
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import activation
from torch.utils._python_dispatch import TorchDispatchMode

from hinge.activations import Activation, identity, softsign, tanhshrink
from hinge.tracing.guard import untouched
from hinge.tracing.learning import learn
from hinge.tracing.operators import operator_of
from hinge.tracing.provenance import Provenance
from hinge.tracing.recognition import Match, recognise

Found = tuple[Activation, dict[str, Any]]
"""An activation and its parameters: floats, or tensors where they are learned."""

_SPELT_OUT = {nn.Softsign: softsign, nn.Tanhshrink: tanhshrink}
"""Modules without an operator of their own: torch computes them in several steps."""

_HOMES = (activation.__name__, "hinge.nn.")
_FUNCTIONS = ("torch.nn.functional", "hinge.nn.functional")


def activation_of(content: object) -> Found | None:
    """The activation that a module or function is; None where it is none, or not known to be.

    Only torch's own and Hinge's are called, and what is made of them by `functools.partial`
    or by a class of the user's that inherits from them: another might do anything.
    """
    if isinstance(content, Activation):
        return content, {}
    if isinstance(content, nn.Identity):
        return identity, {}
    if isinstance(content, nn.Module):
        known = any(kind.__module__.startswith(_HOMES) for kind in type(content).__mro__)
        if not known or isinstance(content, nn.MultiheadAttention):
            return None
        spelt_out = _SPELT_OUT.get(type(content))
        return seen_in(content) if spelt_out is None else (spelt_out, {})
    return seen_in(content) if _is_function(content) else None


def seen_in(content: Any) -> Found | None:
    """The activation that is all that a callable does to a tensor; None where it does more."""
    first = next(content.parameters(), None) if isinstance(content, nn.Module) else None
    x = torch.zeros(1, 1 if first is None else first.numel())
    if first is not None:
        x = x.to(first)
    watching = _Watching(content)
    with torch.no_grad(), untouched(content), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of functions that need more arguments
        try:
            with watching:
                out = content(x)
        except Exception:  # noqa: BLE001 whatever it says: it does not take one tensor alone
            return None
    if watching.found is None:
        return None
    record, parameters, z = watching.found
    alone = z is x and watching.out is out
    return (record, parameters) if alone and isinstance(record, Activation) else None


class _Watching(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's class is untyped
    """Remembers the last activation that is called."""

    def __init__(self, content: object) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # likewise
        self._seen = Provenance(content)
        self.found: Match | None = None
        self.out: Any = None

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run one operator, and see what it is."""
        operator, kwargs = operator_of(function), kwargs or {}
        found = recognise(operator, args, kwargs, self._seen)
        out = function(*args, **kwargs)
        if found is None:
            learn(operator, args, kwargs, out, self._seen)
        else:
            self.found, self.out = found, out if isinstance(out, Tensor) else out[0]
        return out


def _is_function(content: object) -> bool:
    if isinstance(content, functools.partial):
        return _is_function(content.func)
    if isinstance(content, types.BuiltinFunctionType):
        return any(getattr(home, content.__name__, None) is content for home in (torch, functional))
    return isinstance(content, types.FunctionType) and content.__module__.startswith(_FUNCTIONS)
