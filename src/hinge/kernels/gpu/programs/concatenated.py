"""CReLU: relu(x) and relu(-x) side by side, and the gradient of x from the two."""

from hinge.kernels.gpu.programs.language import jit, tl
from hinge.kernels.gpu.programs.mathematics import MINUS
from hinge.kernels.gpu.programs.tiles import tile


@jit
def crelu(x, y, rows, columns, TALL: tl.constexpr, WIDE: tl.constexpr):
    """Rows of x become rows of y of twice the length."""
    row, column, inside = tile(rows, columns, TALL, WIDE)
    number = tl.load(x + row * columns + column, mask=inside).to(tl.float32)
    to = y + 2 * row * columns + column
    tl.store(to, tl.where(number < 0, 0.0, number), mask=inside)
    tl.store(to + columns, tl.where(number > 0, 0.0, number * MINUS), mask=inside)


@jit
def crelu_backward(gradient, y, out, rows, columns, TALL: tl.constexpr, WIDE: tl.constexpr):
    """The gradient of the half that is above 0, turned for the second; NaN where y is NaN."""
    row, column, inside = tile(rows, columns, TALL, WIDE)
    at = 2 * row * columns + column
    positive = tl.load(y + at, mask=inside).to(tl.float32)
    negative = tl.load(y + at + columns, mask=inside).to(tl.float32)
    rising = tl.load(gradient + at, mask=inside).to(tl.float32)
    falling = tl.load(gradient + at + columns, mask=inside).to(tl.float32) * MINUS
    slope = tl.where(positive > 0, rising, tl.where(negative > 0, falling, 0.0))
    result = tl.where(positive == positive, slope, positive)
    tl.store(out + row * columns + column, result, mask=inside)
