"""Every activation with some of its parameters, and the array libraries, for the laws."""

from __future__ import annotations

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import torch

from hinge.activations import Activation, all_activations

TRIALS = (0.0, 0.3, 1.7, -0.6, 1.0)
"""Values tried for every parameter that allows them, besides its default."""

LARGE = (-1e4, -710.0, -100.0, -89.0, -20.0, 20.0, 89.0, 100.0, 710.0, 1e4)
SMALL = (-1e-3, -1e-30, 1e-30, 1e-3)

DTYPES = ("float16", "bfloat16", "float32", "float64")
KINDS = [("numpy", dtype) for dtype in DTYPES] + [("torch", dtype) for dtype in DTYPES]
KINDS.append(("jax", "float32"))  # float64 is off in JAX unless a program asks for it


def parameter_sets(activation: Activation) -> list[dict[str, float]]:
    """The defaults, and every parameter changed alone; three values each if there are many."""
    varied = []
    for parameter in activation.parameters:
        sets = [{parameter.name: trial} for trial in TRIALS if trial != parameter.default]
        accepted = [given for given in sets if activation.accepts(given)]
        varied += accepted[: 3 if len(activation.parameters) > 1 else None]
    return [{}, *varied]


def named(activation: Activation, given: dict[str, float]):
    """One case of a law, with its name."""
    values = ",".join(f"{name}={value:g}" for name, value in given.items())
    return pytest.param(activation, given, id=f"{activation.name}({values})")


CASES = [(act, given) for act in all_activations() for given in parameter_sets(act)]
CALLS = [(act, given) for act in all_activations() for given in parameter_sets(act)[:3]]
"""The cases for laws that are slow, or the same for every value."""

every_activation = pytest.mark.parametrize("act", all_activations(), ids=lambda act: act.name)
every_case = pytest.mark.parametrize(("act", "given"), [named(*case) for case in CASES])
every_call = pytest.mark.parametrize(("act", "given"), [named(*case) for case in CALLS])
every_kind = pytest.mark.parametrize(("kind", "dtype"), KINDS)


def made(values, kind, dtype):
    """The values as an array of one library; values outside the dtype become infinite."""
    numpy_dtype = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    with np.errstate(over="ignore"):
        array = np.asarray(values, dtype=np.float64).astype(numpy_dtype)
    if kind == "numpy":
        return array
    if kind == "jax":
        return jnp.asarray(array)
    return torch.from_numpy(array.astype(np.float64)).to(getattr(torch, dtype))


def read(array):
    """An array of any library as float64."""
    if isinstance(array, torch.Tensor):
        return array.detach().double().numpy()
    return np.asarray(array).astype(np.float64)


def breaks(act, given):
    """Where one branch follows another."""
    return act.form.breaks({p.name: given.get(p.name, p.default) for p in act.parameters})


def joints(act, given):
    """The declared points at which the shape of the function changes."""
    return act.form.joints({p.name: given.get(p.name, p.default) for p in act.parameters})


def jumps(act, given):
    """Where the value jumps, and its limits on both sides."""
    return act.form.jumps({p.name: given.get(p.name, p.default) for p in act.parameters})


def points(act, given):
    """A few hundred points, always as many, on a stretch, at the joints and in the tails."""
    chosen = np.concatenate([grid(act, given, count=401), LARGE, SMALL])
    return np.resize(chosen, 448)


def grid(act, given, reach=30.0, count=2001):
    """Points on a stretch of the axis, the joints of the function among them."""
    return np.unique([*np.linspace(-reach, reach, count), *joints(act, given), 0.0])
