"""`hinge partition`: the cells of a network on a segment, a plane or a box, exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hinge.cli.outputs import Outputs, with_maps

EXAMPLES = (
    "hinge partition net.onnx --box -1:1,-1:1 --svg cells.svg",
    "hinge partition digits.onnx --plane data.npz@0,5,9 --margin 0.2 --html cells.html",
    "hinge partition digits.onnx --segment data.npz@0,5",
    "hinge partition model.py:network --weights net.safetensors --box -2:2 --shape 2 --count",
)

_WHERE = "Where: one of these"


@with_maps
def partition(
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
    box: Annotated[
        str | None,
        typer.Option(
            metavar="BOX",
            help="A range for each input, as in -1:1,0:2; one range for all of them; or the "
            "box around data: data.npz, or data.npz@0,5 for some of its examples.",
            rich_help_panel=_WHERE,
            show_default=False,
        ),
    ] = None,
    plane: Annotated[
        str | None,
        typer.Option(
            metavar="PLANE",
            help="The triangle of three examples of data, as in data.npz@0,5,9 (counted from 0), "
            "or of three inputs, as in 0,0,1:1,0,1:0,1,1.",
            rich_help_panel=_WHERE,
            show_default=False,
        ),
    ] = None,
    segment: Annotated[
        str | None,
        typer.Option(
            metavar="SEGMENT",
            help="The way from one example to another, as in data.npz@0,5, or between two "
            "inputs, as in -1,0:1,0.",
            rich_help_panel=_WHERE,
            show_default=False,
        ),
    ] = None,
    margin: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            min=0.0,
            help="Go so much further than the plane's three points, or than the data of a box.",
        ),
    ] = 0.0,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights for a factory's model: .safetensors or .pt."),
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="NAME", help="The array of an .npz file to take."),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="SIZES",
            help="The shape of one input, such as 1,28,28, where a factory's model is given "
            "numbers instead of data.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[
        bool, typer.Option("--count", help="Count the cells only, which takes less memory.")
    ] = False,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="LIMITS",
            help="Stop at these limits with what is complete: cells=1e6,seconds=60,bytes=4GiB.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Threads to use.", show_default="all"),
    ] = None,
    outputs: Outputs,
) -> None:
    """Cut a part of MODEL's inputs into the cells on which it is linear.

    A cell is the largest convex set of inputs with one activation pattern; a linear region joins
    neighbouring cells with the same affine map. Segments, planes, and boxes of one or two
    inputs are cut exactly; a box of more inputs is searched.

    Exit codes:
      0    fine
      2    a mistake, which is named
      130  Ctrl-C; what was complete until then is reported
    """
    from hinge.cli.inputs import spelling  # noqa: PLC0415 - torch is loaded once work begins

    spelled = spelling.domain(box=box, plane=plane, segment=segment)
    limits, sizes = spelling.budget(budget), spelling.shape(shape)
    outputs.check(model, spelled.data, weights)
    from hinge.cli.partitioning import Job  # noqa: PLC0415 - torch is loaded once work begins

    job = Job(
        model=model,
        weights=weights,
        spelled=spelled,
        name=input_,
        shape=sizes,
        margin=margin,
        count=count,
        budget=limits,
        threads=threads,
        outputs=outputs,
    )
    raise typer.Exit(job.run())
