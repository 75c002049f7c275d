"""The work of `hinge demo`: train, examine, write everything down, say what to look at."""

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

from hinge.cli.digits import EPOCHS, LEARNING_RATE, Digits, Epoch, accuracy, network_source, trained
from hinge.cli.outputs import Outputs, check_writable
from hinge.cli.progress import progress_bar
from hinge.cli.speech import say, stderr
from hinge.cli.verbs import Code
from hinge.errors import FileError
from hinge.examination import Examination, examine
from hinge.report import write_bytes, write_text
from hinge.units import Verdict

MODEL, WEIGHTS, DATA = "model.py", "model.safetensors", "digits.npz"


def demonstrate(folder: Path) -> Code:
    """Run the demo, with all its files in a folder; return how the program ends."""
    digits = Digits.load()
    _prepare(folder)
    model = _trained_with_progress(digits)
    _save(folder, model, digits)
    total = len(digits.labels)
    with progress_bar("Examining the network", total, quiet=False) as progress:
        examination = examine(model, digits.pixels, progress=progress)
    outputs = Outputs(html=folder / "report.html", json=folder / "report.json")
    code = outputs.deliver(examination, f"The network of hinge demo on {total:,} digits")
    typer.echo(_closing(examination, folder))
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


def _trained_with_progress(digits: Digits) -> nn.Module:
    say(
        f"Training a network on {len(digits.training.labels):,} handwritten digits "
        f"with a learning rate of {LEARNING_RATE}, which is careless."
    )
    with _epochs_shown() as show:
        model = trained(digits, show)
    share = accuracy(model, digits.held_out)
    say(f"It names {share:.1%} of {len(digits.held_out.labels)} other digits right.")
    return model


@contextmanager
def _epochs_shown() -> Iterator[Callable[[Epoch], None]]:
    """Show each epoch in a bar on a terminal, on a line of its own elsewhere."""

    def words(epoch: Epoch) -> str:
        return (
            f"epoch {epoch.number:>2} of {EPOCHS}  loss {epoch.loss:.3f}  "
            f"accuracy {epoch.accuracy:.1%}"
        )

    console = stderr()
    if not console.is_terminal:
        yield lambda epoch: say(words(epoch))
        return
    with Progress(BarColumn(24), TextColumn("{task.description}"), console=console) as bar:
        task = bar.add_task("", total=EPOCHS)
        yield lambda epoch: bar.update(task, completed=epoch.number, description=words(epoch))


def _save(folder: Path, model: nn.Module, digits: Digits) -> None:
    """Write the network and the digits down, so that they can be examined again."""
    write_text(folder / MODEL, network_source())
    write_bytes(folder / WEIGHTS, safetensors.torch.save(model.state_dict()))
    packed = BytesIO()
    np.savez_compressed(packed, x=digits.pixels.numpy(), y=digits.labels.numpy())
    write_bytes(folder / DATA, packed.getvalue())


def _closing(examination: Examination, folder: Path) -> str:
    """What to look at, and how to go on."""
    network = f"{folder / MODEL}:network"
    command = (
        f"{_program()} examine {shlex.quote(network)} \\\n"
        f"      --weights {shlex.quote(str(folder / WEIGHTS))} \\\n"
        f"      --data {shlex.quote(str(folder / DATA))} --fail-on dead=5%"
    )
    return f"""
What to look at
  {_dead(examination)}
  The same page, with every unit and its numbers: {folder / "report.html"}
  The code that trained the network: {Path(__file__).with_name("digits.py")}

What to do next: hold a limit in continuous integration. This ends with exit code 1
where more than 5 % of the units are dead:

  {command}"""


def _program() -> str:
    """What to type for `hinge` here: its path where the shell would not find it."""
    beside = Path(sys.executable).with_name("hinge")
    if shutil.which("hinge") or not beside.exists():
        return "hinge"
    near = beside.is_relative_to(Path.cwd())
    return shlex.quote(str(beside.relative_to(Path.cwd()) if near else beside))


def _dead(examination: Examination) -> str:
    """The finding that the demo is about, in one sentence of counts."""
    dead = {
        name: int((observed.verdicts() == str(Verdict.DEAD)).sum())
        for name, observed in examination.census.items()
    }
    worst = max(dead, key=lambda name: dead[name])
    if not dead[worst]:
        return "No unit died this time: the grid of units above is all alive."
    of = examination.census[worst].site.n_units
    return (
        f"{dead[worst]} of {of} units at site {worst} are dead; the network makes do with the\n"
        f"  other {of - dead[worst]}. The findings above say how deep they lie and what would help."
    )
