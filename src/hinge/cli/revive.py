"""`hinge revive`: bring the dead units of a model back, and write its weights anew."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hinge.cli.outputs import Outputs, with_weights

EXAMPLES = (
    "hinge revive net.py:net --weights in.safetensors --data x.npz --out out.safetensors",
    "hinge revive net.py:net --weights in.pt --data x.csv --share 10% --out out.safetensors",
    "hinge revive net.py:net --weights in.pt --data x.npz --by redraw --out out.safetensors",
    "hinge revive net.py:net --data x.npz --site 1 --unit 3 --unit 7 --out out.safetensors",
)


class By(StrEnum):
    """The remedies, by their names on the command line."""

    LIFT = "lift"
    REDRAW = "redraw"
    SPLIT = "split"
    RESAMPLE = "resample"


@with_weights
def revive(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Code that makes the model: file.py:factory or package.module:factory.",
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
        typer.Option(metavar="FILE", help="The model's weights: .safetensors or .pt."),
    ] = None,
    by: Annotated[
        By,
        typer.Option(
            help="How: raise biases; draw incoming weights anew; split living units; point "
            "features of a sparse autoencoder at what it rebuilds badly."
        ),
    ] = By.LIFT,
    share: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="The share of the examples on which a lifted unit is to fire.",
            show_default="20%",
        ),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only this site; may be given several times.", show_default="all"
        ),
    ] = None,
    unit: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Only this unit of the one site named; may be given several times.",
            show_default="all that are dead",
        ),
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="NAME", help="The array of an .npz file to run on."),
    ] = None,
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Examples per batch.")] = 256,
    batch_axis: Annotated[
        int, typer.Option(metavar="N", min=0, help="The axis that holds the examples.")
    ] = 0,
    outputs: Outputs,
) -> None:
    """Bring those units of MODEL back that fire on no example of DATA.

    With lift and redraw the model's outputs on DATA stay what they are; train on from there.
    The receipt says what was changed and how far the outputs moved.

    Exit codes:
      0    fine
      2    a mistake, which is named; nothing was written
      130  Ctrl-C; nothing was written
    """
    outputs.check(model, data, weights)
    from hinge.cli.mending import Revival  # noqa: PLC0415 - torch is loaded once work begins

    job = Revival(
        model=model,
        weights=weights,
        data=data,
        name=input_,
        outputs=outputs,
        by=by,
        share=share,
        sites=tuple(site or ()),
        units=tuple(unit or ()),
        batch_size=batch_size,
        batch_axis=batch_axis,
    )
    raise typer.Exit(job.run())
