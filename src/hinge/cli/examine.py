"""`hinge examine`: what every unit of a model does on the data, as a page and as an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hinge.cli.outputs import Outputs, with_outputs

EXAMPLES = (
    "hinge examine net.onnx --data data.npz",
    "hinge examine net.pt2 --data images/ --html report.html",
    "hinge examine model.py:network --weights net.safetensors --data data.csv",
    "hinge examine model.py:network --data model.py:loader --fail-on dead=5%",
)


@with_outputs
def examine(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="net.onnx, net.pt2, or code that makes the model: file.py:factory or "
            "package.module:factory.",
            show_default=False,
        ),
    ],
    *,
    data: Annotated[
        str,
        typer.Option(
            metavar="DATA",
            help="A .npz, .npy, .csv or .parquet file, a folder of images, or code that yields "
            "batches: file.py:loader or package.module:loader.",
            show_default=False,
        ),
    ],
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights for a factory's model: .safetensors or .pt."),
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="NAME", help="The array of an .npz file to run on."),
    ] = None,
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Examples per batch.")] = 256,
    batch_axis: Annotated[
        int, typer.Option(metavar="N", min=0, help="The axis that holds the examples.")
    ] = 0,
    examples: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Stop after so many examples.", show_default="all"),
    ] = None,
    rare: Annotated[
        str,
        typer.Option(
            metavar="SHARE", help="A unit that fires on a smaller share of the examples is rare."
        ),
    ] = "1%",
    gradients: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Examples on which to watch whether gradients arrive."
        ),
    ] = 1024,
    outputs: Outputs,
) -> None:
    """Say of every unit of MODEL what it does on DATA, and what would help.

    Exit codes:
      0    fine, and all limits kept
      1    a limit of --fail-on or --baseline is not kept
      2    a mistake, which is named
      130  Ctrl-C; what was counted until then is reported
    """
    outputs.check(model, data, weights)
    from hinge.cli.examining import Job  # noqa: PLC0415 - torch is loaded once work begins

    job = Job(
        model=model,
        data=data,
        weights=weights,
        name=input_,
        batch_size=batch_size,
        batch_axis=batch_axis,
        examples=examples,
        rare=rare,
        gradients=gradients,
        outputs=outputs,
    )
    raise typer.Exit(job.run())
