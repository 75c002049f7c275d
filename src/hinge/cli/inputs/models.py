"""MODEL on the command line: a file, or the user's own code that makes a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from hinge.cli.inputs.sources import Reference, refuse_bare_file
from hinge.cli.inputs.user_code import users_code
from hinge.cli.inputs.weights import SAFE_FILES, TORCH_FILES, load_weights
from hinge.errors import ModelError, OptionError
from hinge.network import Network, read

Model = nn.Module | Network


def load_model(text: str, weights: Path | None) -> Model:
    """Return the model that the command line names, with the weights it names.

    Raises
    ------
    HingeError
        There is no such model, it cannot be read or made, or the weights do not fit it.
    """
    reference = Reference.parse(text)
    if reference is not None:
        model = _made(reference)
        if weights is not None:
            load_weights(model, weights)
        return model
    refuse_bare_file(text, "model")
    path = Path(text)
    if path.suffix.lower() in TORCH_FILES + SAFE_FILES:
        raise OptionError(
            "weights alone are no model",
            where=text,
            found=f"the ending {path.suffix!r}",
            do=f"name the code that makes the model: file.py:factory --weights {path}",
        )
    if weights is not None:
        raise OptionError(
            "the model's file has its own weights",
            where="--weights",
            found=f"{weights} beside {text}",
            do="leave out --weights, or name the code that makes the model: file.py:factory",
        )
    return read(path)


def _made(reference: Reference) -> nn.Module:
    """Call the factory, or take the module itself."""
    value: Any = reference.load()
    if not isinstance(value, nn.Module):
        if not callable(value):
            raise _no_module(reference, value)
        with users_code("the factory of the model fails", str(reference)):
            value = value()
    if not isinstance(value, nn.Module):
        raise _no_module(reference, value)
    return value


def _no_module(reference: Reference, value: Any) -> ModelError:
    return ModelError(
        "the code gives no torch.nn.Module",
        where=str(reference),
        found=f"an object of type {type(value).__name__}",
        do="name a function without arguments that returns the module, or the module itself",
    )
