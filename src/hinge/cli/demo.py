"""`hinge demo`: a network whose units die, what Hinge says about it, and how they come back."""

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
    """Train a network on handwritten digits, watch units die of a slip, and revive them.

    Takes some seconds and needs no network: the digits come with scikit-learn.
    """
    from hinge.cli.demonstration import demonstrate  # noqa: PLC0415 - torch is loaded for work only

    raise typer.Exit(demonstrate(out))
