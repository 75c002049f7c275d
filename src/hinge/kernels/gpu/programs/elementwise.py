"""Runs a function over all elements of a tensor: its value, or its derivative times a gradient."""

from hinge.kernels.gpu.programs.language import jit, tl


@jit
def values(x, y, size, p, q, FUNCTION: tl.constexpr, BLOCK: tl.constexpr):
    """y = f(x)."""
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    number = tl.load(x + at, mask=inside).to(tl.float32)
    tl.store(y + at, FUNCTION(number, p, q), mask=inside)


@jit
def gradients(gradient, x, out, size, p, q, SLOPE: tl.constexpr, BLOCK: tl.constexpr):
    """out = gradient·f'(x), 0 where f' is 0."""
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    number = tl.load(x + at, mask=inside).to(tl.float32)
    incoming = tl.load(gradient + at, mask=inside).to(tl.float32)
    slope = SLOPE(number, p, q)
    tl.store(out + at, tl.where(slope == 0, 0.0, incoming * slope), mask=inside)
