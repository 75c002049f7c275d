"""The work of `hinge demo`: train under a watch, examine, revive, say what to look at."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import safetensors.torch
import typer
from rich.progress import BarColumn, Progress, TextColumn
from torch import nn

from hinge.census.watching import watch
from hinge.cli.digits import MORE, RATE, RATES, SLIP, Digits, Epoch, Training, network_source
from hinge.cli.outputs import Outputs, check_writable
from hinge.cli.progress import progress_bar
from hinge.cli.speech import say, stderr
from hinge.cli.story import Course, Story, dead_units, events_in_words
from hinge.cli.verbs import Code
from hinge.errors import FileError
from hinge.events import Event
from hinge.examination import examine
from hinge.remedies import Redraw, revive
from hinge.report import write_bytes, write_text

MODEL, WEIGHTS, DATA = "model.py", "model.safetensors", "digits.npz"
Show = Callable[[Epoch], None]


def demonstrate(folder: Path) -> Code:
    """Run the demo, with all its files in a folder; return how the program ends."""
    digits = Digits.load()
    _prepare(folder)
    training = Training.begin()
    course, events = _watched(training, digits)
    _save(folder, training.model, digits)
    total = len(digits.labels)
    with progress_bar("Examining the network", total, quiet=False) as progress:
        examination = examine(training.model, digits.pixels, progress=progress)
    other = training.copy()
    say(f"Training on for {len(MORE)} epochs, dead units and all.")
    without = _trained(training, digits)
    say("Reviving the dead units of the same network, and training on just as long.")
    receipt = revive(
        other.model,
        examination.census,
        digits.training.pixels,
        by=Redraw(),
        optimizer=other.optimizer,
    )
    say(f"  {receipt.summary}")
    courses = (course, without, _trained(other, digits))
    story = Story(examination, events, receipt, courses, digits.held_out)
    outputs = Outputs(html=folder / "report.html", json=folder / "report.json")
    code = outputs.deliver(story, f"The network of hinge demo on {total:,} digits")
    typer.echo(_closing(story, folder))
    return code


def _prepare(folder: Path) -> None:
    """Make the folder, and make sure of it before the training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            "the folder of the demo cannot be made",
            where=f"--out {folder}",
            found=error.strerror or str(error),
            do="choose another folder with --out",
        ) from error
    for name in (MODEL, WEIGHTS, DATA, "report.html", "report.json"):
        check_writable(folder / name, "--out")


def _watched(training: Training, digits: Digits) -> tuple[Course, tuple[Event, ...]]:
    """Train under a watch, and tell what it sees as soon as it is sure."""
    say(
        f"Training a network on {len(digits.training.labels):,} handwritten digits. In epoch "
        f"{RATES.index(SLIP) + 1} the\nlearning rate is {SLIP} instead of {RATE}, by mistake."
    )
    epochs: list[Epoch] = []
    told: set[Event] = set()
    with _shown(len(RATES)) as (show, tell), watch(training.model, training.optimizer) as seen:
        for epoch in training.epochs(digits, RATES):
            epochs.append(epoch)
            show(epoch)
            tell(events_in_words([event for event in seen.events if event not in told]))
            told.update(seen.events)
    tell(events_in_words([event for event in seen.events if event not in told]))
    return Course(tuple(epochs)), seen.events


def _trained(training: Training, digits: Digits) -> Course:
    epochs: list[Epoch] = []
    with _shown(len(MORE)) as (show, _):
        for epoch in training.epochs(digits, MORE):
            epochs.append(epoch)
            show(epoch)
    return Course(tuple(epochs), dead_units(training.model, digits))


@contextmanager
def _shown(total: int) -> Iterator[tuple[Show, Callable[[list[str]], None]]]:
    """Show epochs in a bar on a terminal, on lines of their own elsewhere; tell lines above it."""

    def words(epoch: Epoch) -> str:
        return (
            f"epoch {epoch.number:>{len(str(total))}} of {total}  rate {epoch.rate:<4}  "
            f"loss {epoch.loss:.3f}  accuracy {epoch.accuracy:.1%}"
        )

    def tell(lines: list[str]) -> None:
        for line in lines:
            say(line, "yellow")

    console = stderr()
    if not console.is_terminal:
        yield lambda epoch: say(words(epoch)), tell
        return
    with Progress(BarColumn(16), TextColumn("{task.description}"), console=console) as bar:
        task = bar.add_task("", total=total)
        yield (
            lambda epoch: bar.update(task, completed=epoch.number, description=words(epoch)),
            lambda lines: bar.console.print(*lines, sep="\n", style="yellow") if lines else None,
        )


def _save(folder: Path, model: nn.Module, digits: Digits) -> None:
    """Write the network and the digits down, so that they can be examined again."""
    write_text(folder / MODEL, network_source())
    write_bytes(folder / WEIGHTS, safetensors.torch.save(model.state_dict()))
    packed = BytesIO()
    np.savez_compressed(packed, x=digits.pixels.numpy(), y=digits.labels.numpy())
    write_bytes(folder / DATA, packed.getvalue())


def _closing(story: Story, folder: Path) -> str:
    """What to look at, and how to go on."""
    of = (
        f"{shlex.quote(f'{folder / MODEL}:network')} \\\n"
        f"      --weights {shlex.quote(str(folder / WEIGHTS))} \\\n"
        f"      --data {shlex.quote(str(folder / DATA))}"
    )
    program = _program()
    return f"""
What to look at
{story.words}
  The same page, with every unit and its numbers: {folder / "report.html"}
  The code that trained the network: {Path(__file__).with_name("digits.py")}

What to do next: revive the network yourself, which was saved with its dead units:

  {program} revive {of} --by redraw \\
      --out {shlex.quote(str(folder / "revived.safetensors"))}

Or hold a limit in continuous integration. This ends with exit code 1
where more than 5 % of the units are dead:

  {program} examine {of} --fail-on dead=5%"""


def _program() -> str:
    """What to type for `hinge` here: its path where the shell would not find it."""
    beside = Path(sys.executable).with_name("hinge")
    if shutil.which("hinge") or not beside.exists():
        return "hinge"
    near = beside.is_relative_to(Path.cwd())
    return shlex.quote(str(beside.relative_to(Path.cwd()) if near else beside))
