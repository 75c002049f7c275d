"""What all verbs share: a user's mistake is one paragraph, Ctrl-C is heeded, help has examples."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from hinge.cli.interrupts import second_press_ends
from hinge.cli.speech import say, say_error
from hinge.errors import HingeError


class Code(IntEnum):
    """How the program ends."""

    FINE = 0
    BROKEN = 1
    """A limit that was asked for is not kept."""
    ERROR = 2
    INTERRUPTED = 130
    """What a shell expects after Ctrl-C: 128 + SIGINT."""


class Verbs(TyperGroup):
    """Runs a verb and turns what it raises into words and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb that was asked for."""
        try:
            with second_press_ends():
                return super().invoke(ctx)
        except HingeError as error:
            say_error(error)
            raise typer.Exit(Code.ERROR) from None
        except KeyboardInterrupt:
            say("Interrupted before there was anything to report.")
            raise typer.Exit(Code.INTERRUPTED) from None


def examples(commands: tuple[str, ...]) -> str:
    """Write commands for the end of a help text, each on one line that can be pasted."""
    return "\n".join(["[bold]Examples[/bold]", *(f"  {escape(command)}" for command in commands)])
