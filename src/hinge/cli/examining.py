"""The work of `hinge examine`: load, run, report; what was counted is never lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hinge.cli.inputs import Cut, Takes, load_model, open_data
from hinge.cli.outputs import Outputs
from hinge.cli.progress import progress_bar
from hinge.cli.speech import say, say_error
from hinge.cli.verbs import Code
from hinge.diagnosis import Limit
from hinge.errors import HingeError, OptionError
from hinge.examination import Examination, examine


@dataclass(frozen=True)
class Job:
    """One examination, as the command line asks for it."""

    model: str
    data: str
    weights: Path | None
    name: str | None
    batch_size: int
    batch_axis: int
    examples: int | None
    rare: str
    gradients: int
    outputs: Outputs

    def run(self) -> Code:
        """Examine, print, write; return how the program ends."""
        try:
            examination = self._examined()
        except HingeError as error:
            say_error(error)
            if isinstance(error.partial, Examination):
                self.outputs.deliver(_cut_short(error.partial, error), self._title)
            return Code.ERROR
        if examination.census.complete:
            return self.outputs.deliver(examination, self._title)
        if not examination.census.seen:
            raise KeyboardInterrupt  # nothing was counted: as if it had come before the work
        say(f"Interrupted after {examination.census.seen:,} examples.")
        self.outputs.deliver(examination, self._title)
        return Code.INTERRUPTED

    @property
    def _title(self) -> str:
        return f"{self.model} on {self.data}"

    def _examined(self) -> Examination:
        limits = [Limit.parse(limit) for limit in self.outputs.fail_on or ()]
        rare = _share(self.rare)
        earlier = self.outputs.baseline
        baseline = None if earlier is None else Examination.from_json(earlier)
        model = load_model(self.model, self.weights)
        cut = Cut(self.batch_size, self.batch_axis, self.examples)
        data = open_data(self.data, Takes(model, self.model), cut, self.name)
        label = f"Examining {self._title}"
        with progress_bar(label, data.total, quiet=self.outputs.quiet) as progress:
            return examine(
                model,
                data.batches,
                rare=rare,
                limits=limits,
                baseline=baseline,
                batch_axis=self.batch_axis,
                gradients=self.gradients,
                progress=progress,
            )


def _share(text: str) -> float:
    """Read a share as limits are read, such as "1%" or "0.01"."""
    try:
        return Limit.parse(f"rare={text}").share
    except OptionError as error:
        raise OptionError(
            "the share cannot be read",
            where="--rare",
            found=repr(text),
            do="write a share from 0 to 1, such as 1% or 0.01",
        ) from error


def _cut_short(examination: Examination, error: HingeError) -> Examination:
    """Mark what had been counted before an error as partial, and say why."""
    census = examination.census
    notes = (*census.notes, f"Stopped by an error: {error.what} ({error.where}).")
    return replace(examination, census=replace(census, complete=False, notes=notes))
