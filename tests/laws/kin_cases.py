"""Every kin of the activations with some of its options, and inputs for them, for the laws."""

from __future__ import annotations

import numpy as np
import pytest

from hinge.activations import all_kin

TRIALS = {"pieces": (1, 3), "k": (1, 2, 5), "dim": (0, 1, -1)}
"""Values tried for every option, besides its default."""

REQUIRED = {"k": 2}
SHAPE = (6, 6, 6)
"""Its axes divide by every number of parts tried, and hold every k tried."""


def option_sets(kin):
    names = [option.name for option in kin.options]
    needed = {name: value for name, value in REQUIRED.items() if name in names}
    varied = [{**needed, name: trial} for name in names for trial in TRIALS[name]]
    return [needed, *(one for one in varied if one != needed)]


def along_vector(kin, given):
    """The options for arrays of one axis."""
    return {**given, "dim": 0} if any(option.name == "dim" for option in kin.options) else given


CASES = [
    pytest.param(kin, given, id=f"{kin.name}{given or ''}")
    for kin in all_kin()
    for given in option_sets(kin)
]

VECTOR_CASES = [
    pytest.param(kin, along_vector(kin, given), id=f"{kin.name}{given or ''}")
    for kin in all_kin()
    for given in option_sets(kin)
    if "dim" not in given
]

every_kin = pytest.mark.parametrize("kin", all_kin(), ids=lambda kin: kin.name)
every_case = pytest.mark.parametrize(("kin", "given"), CASES)
every_vector_case = pytest.mark.parametrize(("kin", "given"), VECTOR_CASES)


def required(kin):
    """The least options that a call needs."""
    return option_sets(kin)[0]


def drawn(kin, seed=0, shape=SHAPE, scale=1.0):
    """Random arrays, one for each argument."""
    rng = np.random.default_rng(seed)
    return tuple(scale * rng.normal(size=shape) for _ in kin.arguments)


def apart(kin, seed=0, shape=SHAPE):
    """Arrays whose entries differ from each other and from 0 by more than any step taken."""
    rng = np.random.default_rng(seed)
    count = len(kin.arguments) * int(np.prod(shape))
    values = rng.permutation(np.linspace(-4, 4, count) + 0.003)
    return tuple(values.reshape(len(kin.arguments), *shape))


def tied(kin, seed=0, shape=SHAPE):
    """Arrays of a few whole numbers, so that many entries are equal, and many are 0."""
    rng = np.random.default_rng(seed)
    return tuple(rng.integers(-2, 3, size=shape).astype(float) for _ in kin.arguments)


def one_or_all(arrays):
    """As `interval` and `pullback` take and give them: one array, or a tuple of several."""
    return arrays if len(arrays) > 1 else arrays[0]
