"""Weights from a file into a model, without running anything that the file holds."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from hinge.cli.paths import existing_file
from hinge.errors import FileError, ModelError

TORCH_FILES = (".pt", ".pth", ".bin", ".ckpt")
SAFE_FILES = (".safetensors",)
_NESTS = ("state_dict", "model_state_dict", "model", "weights")
_WRAPPERS = ("module.", "_orig_mod.", "model.")
_NAMED = 5
_USE_SAFETENSORS = (
    "save the weights alone where the model was made: "
    "safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
)


def load_weights(model: nn.Module, path: Path) -> None:
    """Fill a model's parameters and buffers from a ``.safetensors`` or ``.pt`` file.

    A checkpoint that holds the weights under a usual key is opened, and the prefixes that
    torch's wrappers add are taken off.

    Raises
    ------
    FileError
        The file is missing, damaged, of another kind, or holds pickled objects.
    ModelError
        The weights are of another model: names or shapes differ.
    """
    found = _tied(_unwrapped(_read(existing_file(path)), model), model)
    wanted = model.state_dict()
    complaints = [
        *_differing(wanted, found),
        *_listed("missing", [name for name in wanted if name not in found]),
        *_listed("not in the model", [name for name in found if name not in wanted]),
    ]
    if complaints:
        raise ModelError(
            "the weights are of another model",
            where=str(path),
            found="; ".join(complaints),
            do="pass the weights of this model, or the code that made the model they are of",
        )
    model.load_state_dict(found)


def words_of(path: Path | None) -> dict[str, str]:
    """What a ``.safetensors`` file says of its weights beside them; nothing of other files."""
    if path is None or path.suffix.lower() not in SAFE_FILES:
        return {}
    with safe_open(path, "pt") as file:
        return dict(file.metadata() or {})


def _tied(found: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """The weights, shared ones by all their names; `safetensors.torch.save_model` keeps one."""
    names: dict[int, list[str]] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        names.setdefault(id(tensor), []).append(name)
    shared = {
        name: found[there]
        for same in names.values()
        for there in [name for name in same if name in found][:1]
        for name in same
    }
    return {**shared, **found}


def _read(path: Path) -> Any:
    suffix = path.suffix.lower()
    if suffix not in TORCH_FILES + SAFE_FILES:
        raise FileError(
            "the file is of no kind that holds weights",
            where=str(path),
            found=f"the ending {suffix!r}",
            do="pass a .safetensors file, or a .pt file with nothing but weights",
        )
    try:
        if suffix in SAFE_FILES:
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on storage types of old files; nothing to act on
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise _pickled(path, error) from error
    except MemoryError:
        raise
    except Exception as error:
        raise FileError(
            "the file with the weights is damaged, or of another kind",
            where=str(path),
            found=f"{type(error).__name__}: {_first_line(error)}",
            do="copy or save it again; " + _USE_SAFETENSORS,
        ) from error


def _pickled(path: Path, error: UnpicklingError) -> FileError:
    named = re.search(r"GLOBAL ([\w.]+)", str(error))
    return FileError(
        "the file holds pickled objects, which could run any code, and is not opened",
        where=str(path),
        found=f"an object of {named[1]}" if named else "a pickle that is not weights alone",
        do=_USE_SAFETENSORS,
    )


def _unwrapped(loaded: Any, model: nn.Module) -> dict[str, Tensor]:
    """The weights in what a file held, by the names that the model uses, where they can be told."""
    if isinstance(loaded, Mapping):
        inner = [loaded[key] for key in _NESTS if isinstance(loaded.get(key), Mapping)]
        loaded = inner[0] if inner else loaded
    weights = {
        str(name): value
        for name, value in (loaded.items() if isinstance(loaded, Mapping) else ())
        if isinstance(value, Tensor)
    }
    return _without_wrappers(weights, model.state_dict())


def _without_wrappers(
    weights: dict[str, Tensor], wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Take off what wrappers around the model put before all names, one after the other."""
    for prefix in _WRAPPERS:
        wrapped = bool(weights) and all(name.startswith(prefix) for name in weights)
        if wrapped and not any(name.startswith(prefix) for name in wanted):
            inner = {name.removeprefix(prefix): value for name, value in weights.items()}
            return _without_wrappers(inner, wanted)
    return weights


def _differing(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    both = [name for name in wanted if name in found]
    shapes = {name: (tuple(wanted[name].shape), tuple(found[name].shape)) for name in both}
    lines = [
        f"{name} has shape {there}, not {here}"
        for name, (here, there) in shapes.items()
        if here != there
    ]
    return [*lines[:_NAMED], *_more(len(lines))]


def _listed(label: str, names: list[str]) -> list[str]:
    return [f"{label}: {', '.join([*names[:_NAMED], *_more(len(names))])}"] if names else []


def _more(n: int) -> list[str]:
    return [f"and {n - _NAMED:,} more"] if n > _NAMED else []


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]
