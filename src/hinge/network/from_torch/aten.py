"""One call of an ATen operator while a program is read, and the table of all that can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hinge.network.building.builder import Builder, Unreadable, Value
from hinge.network.operators.affine import Shape


@dataclass(frozen=True)
class Operation:
    """A call: the operator's name, its arguments by their names in the schema, defaults included.

    ``shape`` is that of its result without the batch; None if the batch is not its first axis
    or there is no one result.
    """

    build: Builder
    name: str
    arguments: Mapping[str, Any]
    shape: Shape | None

    def __getitem__(self, name: str) -> Any:
        found = self.arguments[name]
        if isinstance(found, Lost):
            raise Unreadable("it computes with the size of the batch")
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument, or ``default`` if the schema has none of this name."""
        return self[name] if name in self.arguments else default

    @property
    def x(self) -> Value:
        """The first argument, which must depend on the input."""
        return self.value(next(iter(self.arguments)))

    @property
    def new_shape(self) -> Shape:
        """The result's shape; refused if the batch is not its first axis."""
        if self.shape is None:
            raise Unreadable("the batch is not the first axis of its result")
        return self.shape

    def value(self, name: str) -> Value:
        """Return an argument that must depend on the input."""
        found = self[name]
        if not isinstance(found, Value):
            raise Unreadable(f"its argument {name} does not depend on the input")
        return found

    def constant(self, name: str) -> Any:
        """Return an argument that must not depend on the input: weights, say."""
        found = self[name]
        if isinstance(found, Value):
            raise Unreadable(f"its argument {name} depends on the input")
        return found


class Lost:
    """Stands for a result that is not known: the batch's size, indices of maxima."""


LOST = Lost()

Reader = Callable[[Operation], Any]
