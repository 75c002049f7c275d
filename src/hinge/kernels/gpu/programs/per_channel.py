"""Functions with parameters of each channel: a pass forward, and one backward that also sums.

The tensor is a matrix. Either its rows are channels, taken in turn (``ALONG``): row r belongs to
channel r % channels. Or its columns are: column c belongs to channel c // run, where ``run``
columns of one channel lie together.
"""

from hinge.kernels.gpu.programs.language import jit, tl
from hinge.kernels.gpu.programs.tiles import tile


@jit
def _read(parameters, channel, exists, channels, COUNT: tl.constexpr):
    """Up to four parameters of the channels; those that there are not are 0."""
    at = parameters + channel
    p0 = tl.load(at, mask=exists, other=0.0)
    p1 = tl.zeros_like(p0)
    p2 = tl.zeros_like(p0)
    p3 = tl.zeros_like(p0)
    if COUNT > 1:
        p1 = tl.load(at + channels, mask=exists, other=0.0)
    if COUNT > 2:
        p2 = tl.load(at + 2 * channels, mask=exists, other=0.0)
        p3 = tl.load(at + 3 * channels, mask=exists, other=0.0)
    return p0, p1, p2, p3


@jit
def values(
    x,
    y,
    parameters,
    rows,
    columns,
    channels,
    run,
    FUNCTION: tl.constexpr,
    COUNT: tl.constexpr,
    ALONG: tl.constexpr,
    TALL: tl.constexpr,
    WIDE: tl.constexpr,
):
    """y = f(x)."""
    row, column, inside = tile(rows, columns, TALL, WIDE)
    if ALONG:
        p0, p1, p2, p3 = _read(parameters, row % channels, row < rows, channels, COUNT)
    else:
        p0, p1, p2, p3 = _read(parameters, column // run, column < columns, channels, COUNT)
    at = row * columns + column
    number = tl.load(x + at, mask=inside).to(tl.float32)
    tl.store(y + at, FUNCTION(number, p0, p1, p2, p3), mask=inside)


@jit
def gradients_along(
    gradient,
    x,
    out,
    parameters,
    sums,
    plane,
    rows,
    columns,
    channels,
    DERIVATIVES: tl.constexpr,
    COUNT: tl.constexpr,
    TALL: tl.constexpr,
    WIDE: tl.constexpr,
):
    """The gradient of x; for each row of each tile, the sums of the parameters' gradients.

    ``sums`` is (COUNT, rows, tiles side by side), of ``plane`` elements for each parameter.
    """
    row, column, inside = tile(rows, columns, TALL, WIDE)
    p0, p1, p2, p3 = _read(parameters, row % channels, row < rows, channels, COUNT)
    at = row * columns + column
    number = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    incoming = tl.load(gradient + at, mask=inside, other=0.0).to(tl.float32)
    slope, d0, d1, d2, d3 = DERIVATIVES(number, p0, p1, p2, p3)
    tl.store(out + at, incoming * slope, mask=inside)
    across = tl.cdiv(columns, WIDE)
    to = sums + row * across + tl.program_id(0) % across
    tl.store(to, tl.sum(incoming * d0, 1)[:, None], mask=row < rows)
    if COUNT > 1:
        tl.store(to + plane, tl.sum(incoming * d1, 1)[:, None], mask=row < rows)
    if COUNT > 2:
        tl.store(to + 2 * plane, tl.sum(incoming * d2, 1)[:, None], mask=row < rows)
        tl.store(to + 3 * plane, tl.sum(incoming * d3, 1)[:, None], mask=row < rows)


@jit
def gradients_across(
    gradient,
    x,
    out,
    parameters,
    sums,
    plane,
    rows,
    columns,
    channels,
    run,
    deep,
    DERIVATIVES: tl.constexpr,
    COUNT: tl.constexpr,
    TALL: tl.constexpr,
    WIDE: tl.constexpr,
):
    """The gradient of x; for each column, the sums of the parameters' gradients.

    A program goes down ``deep`` tiles, one below the other. ``sums`` is (COUNT, programs one
    below the other, columns), of ``plane`` elements for each parameter.
    """
    across = tl.cdiv(columns, WIDE)
    down = tl.program_id(0) // across
    column = (tl.program_id(0) % across).to(tl.int64) * WIDE + tl.arange(0, WIDE)[None, :]
    exists = column < columns
    p0, p1, p2, p3 = _read(parameters, column // run, exists, channels, COUNT)
    s0 = tl.zeros([TALL, WIDE], tl.float32)
    s1 = tl.zeros([TALL, WIDE], tl.float32)
    s2 = tl.zeros([TALL, WIDE], tl.float32)
    s3 = tl.zeros([TALL, WIDE], tl.float32)
    for step in range(deep):
        row = (down.to(tl.int64) * deep + step) * TALL + tl.arange(0, TALL)[:, None]
        inside = (row < rows) & exists
        at = row * columns + column
        number = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
        incoming = tl.load(gradient + at, mask=inside, other=0.0).to(tl.float32)
        slope, d0, d1, d2, d3 = DERIVATIVES(number, p0, p1, p2, p3)
        tl.store(out + at, incoming * slope, mask=inside)
        s0 += incoming * d0
        s1 += incoming * d1
        s2 += incoming * d2
        s3 += incoming * d3
    to = sums + down.to(tl.int64) * columns + column
    tl.store(to, tl.sum(s0, 0)[None, :], mask=exists)
    if COUNT > 1:
        tl.store(to + plane, tl.sum(s1, 0)[None, :], mask=exists)
    if COUNT > 2:
        tl.store(to + 2 * plane, tl.sum(s2, 0)[None, :], mask=exists)
        tl.store(to + 3 * plane, tl.sum(s3, 0)[None, :], mask=exists)
