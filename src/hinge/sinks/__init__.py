"""Where a watch writes what it sees while a network trains: files, trackers, functions."""

from hinge.sinks.accepting import as_sink
from hinge.sinks.call import Call
from hinge.sinks.jsonl import JsonLines, read_jsonl
from hinge.sinks.mlflow import MLflow
from hinge.sinks.record import Numbers, Record
from hinge.sinks.sink import Sink
from hinge.sinks.tensorboard import TensorBoard
from hinge.sinks.wandb import WandB

__all__ = [
    "Call",
    "JsonLines",
    "MLflow",
    "Numbers",
    "Record",
    "Sink",
    "TensorBoard",
    "WandB",
    "as_sink",
    "read_jsonl",
]
