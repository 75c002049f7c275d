"""A bar on stderr while work goes on: how far, how fast, how long yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TimeRemainingColumn,
)
from rich.text import Text

from hinge.cli.speech import say, stderr

Advance = Callable[[int, int | None], None]
"""Called with the examples (or steps) done and, if known, those in all."""


class _Count(ProgressColumn):
    def __init__(self, noun: str) -> None:
        super().__init__()
        self.noun = noun

    def render(self, task: Task) -> Text:
        whole = "" if task.total is None else f" of {int(task.total):,}"
        return Text(f"{int(task.completed):,}{whole} {self.noun}", no_wrap=True)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s", "dim")


@contextmanager
def progress_bar(
    label: str, total: int | None, *, quiet: bool, noun: str = "examples"
) -> Iterator[Advance]:
    """Say what is done, and on a terminal show a bar below; say nothing when ``quiet``."""
    console = stderr()
    if not quiet:
        say(label)
    if quiet or not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (SpinnerColumn(), BarColumn(24), _Count(noun), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, of: bar.update(task, completed=done, total=of)
