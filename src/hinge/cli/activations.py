"""`hinge activations`: the list of activations, the card of one, or several measured."""

from __future__ import annotations

from typing import Annotated

import typer

from hinge.cli.outputs import Outputs, with_files

EXAMPLES = (
    "hinge activations",
    "hinge activations gelu --svg gelu.svg",
    "hinge activations --compare relu gelu mish",
)


@with_files
def activations(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="One name for its card, in any spelling; with --compare, the names to measure. "
            "Nothing for the list of all.",
            show_default=False,
        ),
    ] = None,
    *,
    compare: Annotated[
        bool, typer.Option("--compare", help="Measure them beside each other on this machine.")
    ] = False,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="Elements to time on, such as 10000 or 1e6.", show_default="1e6"
        ),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE",
            help="float32, float64, bfloat16 or float16.",
            show_default="float32",
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Threads to time with.", show_default="1")
    ] = None,
    library: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Whose modules to measure: hinge or torch.", show_default="hinge"
        ),
    ] = None,
    outputs: Outputs,
) -> None:
    """List the activations, show the card of one, or measure some beside each other.

    Exit codes:
      0    fine
      2    a mistake, which is named
      130  Ctrl-C; what was measured until then is reported
    """
    outputs.check()
    from hinge.cli.showing import Request  # noqa: PLC0415 - torch is loaded once work begins

    settings = {"size": size, "dtype": dtype, "threads": threads, "library": library}
    given = {name: value for name, value in settings.items() if value is not None}
    request = Request(tuple(names or ()), given, outputs, compare=compare)
    raise typer.Exit(request.run())
