"""What other libraries call an activation, and how their function is made to be it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hinge.activations.form import Side
from hinge.activations.spellings import Spelling


@dataclass(frozen=True)
class Names:
    """What others call it; "" where a library has none.

    ``torch_module`` is a class of `torch.nn`; ``torch_function`` and ``jax`` are full
    paths; ``keras`` is a name in `keras.activations`. ``aten`` and ``onnx`` are the calls
    that a reader recognises, the usual one first.

    ``fixed`` holds, by library ("torch", "jax", "keras"), arguments that make the library's
    function this one; ``takes`` the library's names of our parameters, where they are not
    our own names: a parameter left out can have its default only. ``at_break`` holds, by
    library, the sides whose slope is its derivative at each break, where it is not ours.
    """

    torch_module: str = ""
    torch_function: str = ""
    jax: str = ""
    keras: str = ""
    aten: tuple[Spelling, ...] = ()
    onnx: tuple[Spelling, ...] = ()
    fixed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    takes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    at_break: Mapping[str, tuple[Side, ...]] = field(default_factory=dict)

    def in_library(self, library: str) -> str:
        """Give its name in "torch", "jax" or "keras"; "" where there is none."""
        torch = self.torch_module or self.torch_function
        return {"torch": torch, "jax": self.jax, "keras": self.keras}[library]
