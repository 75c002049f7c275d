"""A gate of one tensor times another, and its two gradients from the two alone.

A finite linear part meets the gate's limit. An infinite one passes through a gate that is open,
however little, and not through one that is shut; 0·∞ at a root of the gate is NaN.
"""

from hinge.kernels.gpu.programs.language import jit, tl
from hinge.kernels.gpu.programs.mathematics import LARGEST, clamped
from hinge.kernels.gpu.programs.tiles import tile


@jit
def _met(gate, linear, HINGED: tl.constexpr):
    """What to multiply: the gate's input, and the linear part that arrives there.

    Before an infinite linear part the gate's input stays where no gate underflows: beyond ±10
    none changes its sign. ``HINGED``: the gate is shut below 0.
    """
    infinite = tl.abs(linear) > LARGEST
    finite = tl.abs(gate) <= LARGEST
    near = tl.where(infinite & finite, clamped(gate, 10.0), gate)
    if HINGED:
        linear = tl.where(infinite & (gate < 0), 0.0, linear)
    return near, linear


@jit
def values(
    a,
    b,
    y,
    step,
    rows,
    columns,
    GATE: tl.constexpr,
    HINGED: tl.constexpr,
    TALL: tl.constexpr,
    WIDE: tl.constexpr,
):
    """y = gate(a)·b. Rows of a and b are ``step`` elements apart, those of y lie together."""
    row, column, inside = tile(rows, columns, TALL, WIDE)
    at = row * step + column
    gate = tl.load(a + at, mask=inside).to(tl.float32)
    linear = tl.load(b + at, mask=inside).to(tl.float32)
    gate, linear = _met(gate, linear, HINGED)
    tl.store(y + row * columns + column, GATE(gate, 1.0, 0.0) * linear, mask=inside)


@jit
def gradients(
    gradient,
    a,
    b,
    out_a,
    out_b,
    step,
    rows,
    columns,
    GATE: tl.constexpr,
    SLOPE: tl.constexpr,
    HINGED: tl.constexpr,
    TALL: tl.constexpr,
    WIDE: tl.constexpr,
):
    """Those of a and b, laid out as a and b are, from the gradient of y."""
    row, column, inside = tile(rows, columns, TALL, WIDE)
    at = row * step + column
    incoming = tl.load(gradient + row * columns + column, mask=inside).to(tl.float32)
    gate = tl.load(a + at, mask=inside).to(tl.float32)
    linear = tl.load(b + at, mask=inside).to(tl.float32)
    tl.store(out_b + at, incoming * GATE(gate, 1.0, 0.0), mask=inside)
    gate, linear = _met(gate, linear, HINGED)
    tl.store(out_a + at, incoming * (SLOPE(gate, 1.0, 0.0) * linear), mask=inside)
