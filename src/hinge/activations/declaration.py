"""What is declared of one activation, and what its parameters may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from typing import Any

from hinge.activations.arrays import to_numpy
from hinge.activations.form import Form, Parameters
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.errors import OptionError, UnsupportedError


@dataclass(frozen=True, eq=False)
class Declaration:
    """The fields of a record, and its parameters in a call and in other libraries.

    The parameters named in ``ascending`` must not fall, from each to the next.
    ``training`` says what is different while a network is trained, "" where nothing is.
    ``advantages``, ``drawbacks`` and ``use`` are short sentences about what no measurement
    shows.
    """

    name: str
    title: str
    form: Form
    source: str
    names: Names = field(default_factory=Names)
    parameters: tuple[Parameter, ...] = ()
    ascending: tuple[str, ...] = ()
    training: str = ""
    advantages: tuple[str, ...] = ()
    drawbacks: tuple[str, ...] = ()
    use: str = ""

    def filled(self, parameters: Parameters) -> dict[str, Any]:
        """A value for every parameter, checked. Raises `OptionError`."""
        where = f"{self.name}(...)"
        known = [parameter.name for parameter in self.parameters]
        unknown = [name for name in parameters if name not in known]
        if unknown:
            raise OptionError(
                f"{self.title} has no such parameter",
                where=where,
                found=", ".join(unknown),
                do=f"pass {', '.join(known)}" if known else "pass no parameter; it has none",
            )
        filled = {
            parameter.name: parameter.checked(
                parameters.get(parameter.name, parameter.default), where
            )
            for parameter in self.parameters
        }
        if filled and all(isinstance(value, float) for value in filled.values()):
            self._check_order(filled, where)
        return filled

    def accepts(self, parameters: Parameters) -> bool:
        """Whether it can be called with these parameters."""
        try:
            self.filled(parameters)
        except OptionError:
            return False
        return True

    def arguments(self, library: str, given: Parameters) -> dict[str, Any]:
        """The arguments that make the function of "torch", "jax" or "keras" this one.

        Raises `UnsupportedError` where the library has none with these parameters.
        """
        names, filled = self.names, self.filled(given)
        takes = names.takes.get(library, {one: one for one in filled})
        held = [
            one.name
            for one in self.parameters
            if one.name not in takes.values() and filled[one.name] != one.default
        ]
        if held or not names.in_library(library):
            raise self._absent(library, held)
        chosen = {theirs: filled[ours] for theirs, ours in takes.items()}
        return {**chosen, **names.fixed.get(library, {})}

    def torch_module(self, **parameters: Any) -> Any:
        """Build torch's own module for it, a `torch.nn.Module`.

        A learned parameter becomes the module's parameter: a number, or an array with one
        value for each index of the input's axis 1. Raises `UnsupportedError` for others, and
        where torch has no such module.
        """
        given = self.filled(parameters)
        learned = {one.name for one in self.parameters if one.learned}
        options = self.arguments("torch", given)
        if not self.names.torch_module:
            raise self._absent("torch.nn")
        modules = import_module("hinge.activations.modules")
        return modules.build(
            self.names.torch_module,
            {name: value for name, value in options.items() if name not in learned},
            {name: value for name, value in options.items() if name in learned},
        )

    def _checked(self, parameters: Parameters) -> dict[str, Any]:
        """Every parameter's value, arrays in NumPy, for the facts."""
        given = self.filled(parameters)
        return {
            name: to_numpy(number) if hasattr(number, "shape") else number
            for name, number in given.items()
        }

    def _absent(self, library: str, held: Sequence[str] = ()) -> UnsupportedError:
        return UnsupportedError(
            f"{library} has no {self.title}" + (" with this parameter" if held else ""),
            where=f"{self.name}, in {library}",
            found=f"no parameter {', '.join(held)}" if held else "no function of its own",
            do="call the activation itself, which takes arrays of every library",
        )

    def _check_order(self, given: Parameters, where: str) -> None:
        breaks = self.form.breaks(given)
        named = [given[name] for name in self.ascending]
        if all(a < b for a, b in pairwise(breaks)) and all(a <= b for a, b in pairwise(named)):
            return
        raise OptionError(
            "the parameters are out of order",
            where=where,
            found=", ".join(f"{name}={value:g}" for name, value in given.items()),
            do="pass parameters in ascending order, so that each branch ends right of the last",
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Declaration) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"hinge.activations.{self.name}"
