"""Every activation with some of its parameters, and the array libraries, for the laws."""

from __future__ import annotations

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import torch

from hinge.activations import Activation, all_activations

TRIALS = (0.0, 0.3, 1.0, 1.7, -0.6)
"""Values tried for every parameter that allows them, besides its default."""

DTYPES = ("float16", "bfloat16", "float32", "float64")
JAX_DTYPES = ("bfloat16", "float32")  # float64 is off in JAX unless a program asks for it
KINDS = [
    pytest.param(kind, dtype, id=f"{kind}-{dtype}")
    for kind, dtypes in (("numpy", DTYPES), ("torch", DTYPES), ("jax", JAX_DTYPES))
    for dtype in dtypes
]


def parameter_sets(activation: Activation) -> list[dict[str, float]]:
    varied = [
        {parameter.name: trial}
        for parameter in activation.parameters
        for trial in TRIALS
        if parameter.low <= trial <= parameter.high
    ]
    return [{}, *varied]


CASES = [
    pytest.param(activation, given, id=f"{activation.name}{given or ''}")
    for activation in all_activations()
    for given in parameter_sets(activation)
]

every_activation = pytest.mark.parametrize("act", all_activations(), ids=lambda act: act.name)
every_case = pytest.mark.parametrize(("act", "given"), CASES)
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


def grid(act, given, reach=30.0, count=2001):
    """Points on a stretch of the axis, the joints of the function among them."""
    return np.unique([*np.linspace(-reach, reach, count), *joints(act, given), 0.0])
