"""`hinge demo`: a network whose units die, and what Hinge has to say about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = ("hinge demo", "hinge demo --out somewhere-else")


def demo(
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write to.")] = Path(
        "hinge-demo"
    ),
) -> None:
    """Train a network on handwritten digits so carelessly that units die, then examine it.

    Takes some seconds and needs no network: the digits come with scikit-learn.
    """
    from hinge.cli.demonstration import demonstrate  # noqa: PLC0415 - torch is loaded for work only

    raise typer.Exit(demonstrate(out))
