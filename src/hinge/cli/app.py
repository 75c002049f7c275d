"""The program `hinge`: its verbs, its version, its help."""

from __future__ import annotations

from typing import Annotated

import typer

from hinge import __version__
from hinge.cli import activations, demo, examine, partition, revive, swap
from hinge.cli.verbs import Verbs, examples

app = typer.Typer(
    cls=Verbs,
    help="Show what every rectified unit of a network does: dead, blocked, rare, always on, alive.",
    epilog=examples(
        (
            *demo.EXAMPLES[:1],
            *examine.EXAMPLES[:1],
            *partition.EXAMPLES[:1],
            *revive.EXAMPLES[:1],
            *activations.EXAMPLES[1:2],
            "hinge examine --help",
        )
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("examine", epilog=examples(examine.EXAMPLES))(examine.examine)
app.command("partition", epilog=examples(partition.EXAMPLES))(partition.partition)
app.command("revive", epilog=examples(revive.EXAMPLES))(revive.revive)
app.command("swap", epilog=examples(swap.EXAMPLES))(swap.swap)
app.command("activations", epilog=examples(activations.EXAMPLES))(activations.activations)
app.command("demo", epilog=examples(demo.EXAMPLES))(demo.demo)


def main() -> None:
    """Run the program with the arguments of the process."""
    app(prog_name="hinge")


def _say_version(asked: bool) -> None:  # noqa: FBT001 - typer passes a flag's value so
    if asked:
        typer.echo(f"hinge {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    del version  # its callback has done all there is to do
