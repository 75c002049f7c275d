"""A bar on stderr while a model runs over data: how far, how fast, how long yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from hinge.cli.speech import say, stderr

Advance = Callable[[int, int | None], None]
"""Called with the examples done and, if known, the examples in all."""


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        done = f"{int(task.completed):,}"
        return Text(done if task.total is None else f"{done} of {int(task.total):,} examples")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s", "dim")


@contextmanager
def progress_bar(label: str, total: int | None, *, quiet: bool) -> Iterator[Advance]:
    """Show a bar on a terminal, one line of text elsewhere, nothing when ``quiet``."""
    console = stderr()
    if quiet or not console.is_terminal:
        if not quiet:
            say(label)
        yield lambda _done, _total: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24))
    timing = (_Count(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, *timing, console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done, _total: bar.update(task, completed=done)
