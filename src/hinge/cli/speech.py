"""What is said on stderr: errors in their four parts, and remarks on the way."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hinge.errors import HingeError


def stderr() -> Console:
    """Make a console for what is not a result."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(text: str, style: str = "dim") -> None:
    """Say a remark."""
    stderr().print(Text(text, style), soft_wrap=True)


def say_error(error: HingeError) -> None:
    """Say what was wrong, where, what was found and what to do, as one paragraph."""
    from hinge.report.text import printable  # noqa: PLC0415 - only an error needs the renderers

    console = stderr()
    console.print(Text.assemble(("Error: ", "bold red"), (printable(error.what), "bold")))
    parts = (("where:", error.where), ("found:", error.found), ("do this:", error.do))
    if not console.is_terminal:
        for name, text in parts:
            console.print(Text(f"  {name:<8} {printable(text)}"), soft_wrap=True)
        return
    lines = Table.grid(padding=(0, 1))
    for name, text in parts:
        lines.add_row(" ", Text(name, "dim"), Text(printable(text), overflow="fold"))
    console.print(lines)
