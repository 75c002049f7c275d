"""`hinge swap`: replace an activation throughout a model, and write the weights that go with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hinge.cli.outputs import Outputs, with_weights

EXAMPLES = (
    "hinge swap net.py:net relu leaky_relu --set negative_slope=0.01 --out out.safetensors",
    "hinge swap net.py:net relu prelu --preserve --weights in.pt --out out.safetensors",
    "hinge swap net.py:net relu gelu --where features.3 --data x.npz --out out.safetensors",
)


@with_weights
def swap(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Code that makes the model: file.py:factory or package.module:factory.",
            show_default=False,
        ),
    ],
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD", help="The activation to replace, such as relu.", show_default=False
        ),
    ],
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW", help="What comes there, such as leaky_relu.", show_default=False
        ),
    ],
    *,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=NUMBER",
            help="A parameter of NEW; may be given several times.",
            show_default=False,
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Only this module and what lies below; may be given several times.",
            show_default="all",
        ),
    ] = None,
    preserve: Annotated[
        bool,
        typer.Option(
            "--preserve", help="Choose parameters of NEW that leave the function as it is."
        ),
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The model's weights: .safetensors or .pt."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Measure on these how far the outputs move; also gives learned parameters one "
            "value per channel. As for hinge examine.",
            show_default=False,
        ),
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="NAME", help="The array of an .npz file to run on."),
    ] = None,
    outputs: Outputs,
) -> None:
    """Replace OLD by NEW wherever MODEL holds it as a module.

    The file written holds weights alone: the receipt says what to change in the code of the
    factory, so that it makes the model that they are for.

    Exit codes:
      0    fine
      2    a mistake, which is named; nothing was written
      130  Ctrl-C; nothing was written
    """
    from hinge.cli.inputs import spelling  # noqa: PLC0415 - torch is loaded once work begins

    options = spelling.settings(set_ or ())
    outputs.check(model, data, weights)
    from hinge.cli.mending import Exchange  # noqa: PLC0415 - torch is loaded once work begins

    job = Exchange(
        model=model,
        weights=weights,
        data=data,
        name=input_,
        outputs=outputs,
        old=old,
        new=new,
        options=options,
        where=tuple(where or ()),
        preserve=preserve,
    )
    raise typer.Exit(job.run())
