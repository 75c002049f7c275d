"""RReLU, whose slopes are drawn again from the seed wherever they are needed."""

from hinge.kernels.gpu.programs.language import jit, tl
from hinge.kernels.gpu.programs.mathematics import along_line


@jit
def slopes(counter, lower, step, seed):
    """lower + step·(upper 24 bits of a word), of four words for each counter."""
    one, two, three, four = tl.randint4x(seed, counter)
    words = tl.interleave(tl.interleave(one, three), tl.interleave(two, four))
    return lower + step * (words.to(tl.uint32, bitcast=True) >> 8).to(tl.float32)


@jit(do_not_specialize=["seed"])
def rrelu(x, y, size, lower, step, seed, COUNTERS: tl.constexpr):
    """x, or x times its slope where x <= 0; 4·COUNTERS elements."""
    first = tl.program_id(0).to(tl.int64) * COUNTERS
    at = 4 * first + tl.arange(0, 4 * COUNTERS)
    inside = at < size
    slope = slopes(first + tl.arange(0, COUNTERS), lower, step, seed)
    number = tl.load(x + at, mask=inside).to(tl.float32)
    tl.store(y + at, tl.where(number > 0, number, along_line(slope, number)), mask=inside)


@jit(do_not_specialize=["seed"])
def rrelu_backward(gradient, kept, out, size, lower, step, seed, COUNTERS: tl.constexpr):
    """The gradient, or the gradient times the slope; ``kept`` has the signs of x."""
    first = tl.program_id(0).to(tl.int64) * COUNTERS
    at = 4 * first + tl.arange(0, 4 * COUNTERS)
    inside = at < size
    slope = slopes(first + tl.arange(0, COUNTERS), lower, step, seed)
    sign = tl.load(kept + at, mask=inside).to(tl.float32)
    incoming = tl.load(gradient + at, mask=inside).to(tl.float32)
    below = tl.where(sign <= 0, incoming * slope, sign)  # NaN stays
    tl.store(out + at, tl.where(sign > 0, incoming, below), mask=inside)
