"""Makes a sink of what users have at hand: a path, a function, a writer, a run."""

from __future__ import annotations

import os
from typing import Any

from hinge.errors import OptionError
from hinge.sinks.call import Call
from hinge.sinks.jsonl import JsonLines
from hinge.sinks.mlflow import MLflow, is_mlflow_run
from hinge.sinks.sink import Sink
from hinge.sinks.tensorboard import TensorBoard, writes_summaries
from hinge.sinks.wandb import WandB, is_run

_DO = (
    "pass a path that ends in .jsonl, a function of one record, a SummaryWriter, a run of wandb "
    "or MLflow, or a sink of hinge.sinks"
)


def as_sink(x: Any) -> Sink:
    """Make a sink of anything that a watch can write to.

    ``x`` is a sink; a path that ends in ``.jsonl`` (`JsonLines`); a ``SummaryWriter``
    (`TensorBoard`); a run of wandb (`WandB`) or MLflow (`MLflow`); or a function of one
    record (`Call`).

    >>> as_sink(print).numbers(16, {"hinge/relu/dead": 3.0})
    Numbers(step=16, values={'hinge/relu/dead': 3.0})

    Raises
    ------
    OptionError
        It is none of these.
    HingeError
        The sink cannot be made; see the class.
    """
    if isinstance(x, type):
        raise _refused(f"the class {x.__name__}, not an object of it")
    sink = known_sink(x)
    if sink is not None:
        return sink
    if isinstance(x, str | os.PathLike):
        if not os.fsdecode(x).endswith(".jsonl"):
            raise _refused(f"the path {os.fsdecode(x)!r}")
        return JsonLines(x)
    if callable(x):
        return Call(x)
    raise _refused(f"a {type(x).__name__}")


def known_sink(x: Any) -> Sink | None:
    """Make a sink of a sink, a writer or a run; None if it is none of these."""
    if isinstance(x, Sink):
        return x
    if writes_summaries(x):
        return TensorBoard(x)
    if is_run(x):
        return WandB(x)
    if is_mlflow_run(x):
        return MLflow(x)
    return None


def _refused(found: str) -> OptionError:
    return OptionError("a watch cannot write to this", where="sinks", found=found, do=_DO)
