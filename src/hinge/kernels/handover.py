"""Where torch's own functions serve as well as the kernels: small tensors, and plain functions.

A call of ours costs about 10 µs more than one of torch's, which a kernel must win back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hinge.kernels.native import native

Interval = tuple[float, float]

EVERYWHERE: Interval = (-math.inf, math.inf)
"""Torch is right for every input, the infinities included: nobody has to look."""

FINITE: Interval = (-3e38, 3e38)

ALWAYS = 1 << 62
"""No tensor is so large that the kernel would beat torch."""


@dataclass(frozen=True)
class Handover:
    """When torch's own function takes a call on the processor, for one kind of dtype.

    ``below``: tensors with fewer elements go to torch. ``right``: the open interval of inputs
    on which torch's function and its derivative are as accurate as the kernel's; one
    input outside it, and the kernel serves. None: nowhere.
    """

    below: int
    right: Interval | None = EVERYWHERE


@dataclass(frozen=True)
class Handovers:
    """What holds for float32, for bfloat16 and float16, and for float64, which has no kernel."""

    single: Handover
    half: Handover
    double: Interval | None = EVERYWHERE


def _alike(
    below: int, right: Interval | None = EVERYWHERE, double: Interval | None = EVERYWHERE
) -> Handovers:
    return Handovers(Handover(below, right), Handover(below, right), double)


NEVER = Handovers(Handover(0, None), Handover(0, None), double=None)

# Above this the kernel costs as much as torch and keeps the output, which the next layer keeps
# anyway, where torch keeps the input besides.
_LARGE = 1 << 21

# Torch's tanh is that of Intel's vector library, quick on Intel's processors alone.
_TANH = ALWAYS if native.is_intel else 30_000

# Where torch gives 0, NaN or infinity for what is none of it, or loses digits in the tail.
_SILU = (-80.0, 1e37)
_MISH = (-80.0, 1e37)
_HARDSWISH = (-1e37, 1e37)
_GELU_HALF = (-4.0, 1e37)

HANDOVERS: Mapping[str, Handovers] = {
    "relu": _alike(ALWAYS),
    "leaky_relu": _alike(_LARGE),
    "relu6": _alike(_LARGE),
    "hardtanh": _alike(_LARGE),
    "hardshrink": _alike(_LARGE),
    "softshrink": _alike(_LARGE),
    "thresholded_relu": _alike(_LARGE),
    "sigmoid": _alike(ALWAYS),
    "tanh": Handovers(Handover(_TANH), Handover(20_000)),
    "elu": _alike(12_000),
    "selu": _alike(12_000),
    "celu": Handovers(Handover(12_000), Handover(12_000), double=None),
    "softplus": _alike(12_000, double=None),
    "logsigmoid": _alike(12_000, (-1e37, 80.0), double=None),
    "hardswish": Handovers(
        Handover(600_000, _HARDSWISH), Handover(600_000, (-1e4, 1e4)), double=None
    ),
    "silu": Handovers(Handover(300_000, _SILU), Handover(600_000, (-80.0, 1e4)), double=None),
    "mish": Handovers(Handover(2_000, _MISH), Handover(2_000, (-80.0, 1e4)), double=None),
    "gelu_tanh": Handovers(Handover(0, None), Handover(6_000, _GELU_HALF), double=None),
    "squared_relu": _alike(20_000, FINITE, double=None),
    "prelu": _alike(20_000, FINITE, double=None),
    "star_relu": Handovers(Handover(50_000, (-3e38, 1e19)), Handover(0, None), double=None),
    "rrelu": _alike(3_000, FINITE, double=None),
    "crelu": _alike(30_000),
    "glu": Handovers(Handover(8_000, (-80.0, 1e19)), Handover(8_000, (-80.0, 200.0))),
    "reglu": _alike(30_000, FINITE),
    "swiglu": Handovers(Handover(15_000, (-80.0, 1e19)), Handover(0, None)),
}
"""By the record's name; measured by `benchmarks/activations.py` and `benchmarks/accuracy.py`."""


def handover(name: str, dtype: str) -> Handover:
    """What holds for a record on tensors of a dtype, as "float32"; float64 has no kernel."""
    known = HANDOVERS.get(name, NEVER)
    if dtype == "float64":
        return Handover(ALWAYS, known.double)
    return known.single if dtype == "float32" else known.half
