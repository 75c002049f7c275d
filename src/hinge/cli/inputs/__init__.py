"""What the command line names: a model, its weights, and data to run it on."""

from hinge.cli.inputs.data import Cut, Data, open_data
from hinge.cli.inputs.models import Model, load_model
from hinge.cli.inputs.takes import Takes

__all__ = ["Cut", "Data", "Model", "Takes", "load_model", "open_data"]
