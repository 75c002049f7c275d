"""Where a tile of a matrix lies: its rows and columns, and which of them exist."""

from hinge.kernels.gpu.programs.language import jit, tl


@jit
def tile(rows, columns, TALL: tl.constexpr, WIDE: tl.constexpr):
    """The tile that this program treats, of those in row-major order.

    Its rows (TALL, 1) and columns (1, WIDE), in 64 bits, and where both exist (TALL, WIDE).
    """
    across = tl.cdiv(columns, WIDE)
    row = (tl.program_id(0) // across).to(tl.int64) * TALL + tl.arange(0, TALL)[:, None]
    column = (tl.program_id(0) % across).to(tl.int64) * WIDE + tl.arange(0, WIDE)[None, :]
    return row, column, (row < rows) & (column < columns)
