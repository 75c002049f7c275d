"""The work of `hinge activations`: the list, a card, or a comparison, shown and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hinge.activations import Activation, find
from hinge.activations.card import Card
from hinge.activations.joint_card import JointCard
from hinge.activations.listing import Listing
from hinge.cli.outputs import Outputs
from hinge.cli.progress import progress_bar
from hinge.cli.speech import say
from hinge.cli.verbs import Code
from hinge.errors import OptionError


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    names: tuple[str, ...]
    settings: Mapping[str, Any]
    outputs: Outputs
    compare: bool

    def run(self) -> Code:
        """Show and write it; return how the program ends."""
        self._check()
        if self.compare:
            return self._compared()
        if not self.names:
            return self.outputs.deliver(Listing(), "Activations")
        record = find(self.names[0])
        if isinstance(record, Activation):
            return self.outputs.deliver(Card(record), record.title)
        if self.outputs.svg is not None:
            raise OptionError(
                "a function of several numbers has no graph",
                where=f"--svg {self.outputs.svg}",
                found=record.name,
                do="leave --svg out; --html and --json are there for it too",
            )
        return self.outputs.deliver(JointCard(record), record.title)

    def _check(self) -> None:
        if len(self.names) > 1 and not self.compare:
            raise OptionError(
                "a card is for one activation",
                where="hinge activations NAME",
                found=", ".join(self.names),
                do="name one, or add --compare to measure them beside each other",
            )
        if self.settings and not self.compare:
            raise OptionError(
                "there is nothing to time",
                where=", ".join(f"--{name}" for name in self.settings),
                found="no --compare",
                do="add --compare to measure activations beside each other",
            )
        if self.outputs.svg is not None and (self.compare or not self.names):
            raise OptionError(
                "a picture is drawn of one activation",
                where=f"--svg {self.outputs.svg}",
                found="--compare" if self.compare else "no name",
                do="name one activation, as in: hinge activations gelu --svg gelu.svg",
            )

    def _compared(self) -> Code:
        from hinge.measuring import compare_activations  # noqa: PLC0415 - a card needs no torch

        settings = dict(self.settings)
        if "size" in settings:
            settings["size"] = _whole(settings["size"])
        with progress_bar("Measuring", None, quiet=self.outputs.quiet, noun="steps") as progress:
            found = compare_activations(*self.names, **settings, progress=progress)
        if not found.complete:
            say("Interrupted; this is what was measured until then.")
        code = self.outputs.deliver(found, "Activations compared")
        return code if found.complete else Code.INTERRUPTED


def _whole(text: str) -> int:
    """Read a whole number that may be written as 1e6."""
    try:
        number = float(text)
        if number == int(number):
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise OptionError(
        "the size is no whole number",
        where="--size",
        found=repr(text),
        do="write a number of elements, such as 10000 or 1e6",
    )
