"""The parts of an axis: the inputs, or the outputs, of a function of several numbers."""

from __future__ import annotations

from collections.abc import Sequence

from hinge.activations.arrays import Array, Namespace
from hinge.errors import DataError, OptionError

Parts = tuple[Array, ...]
"""Arrays of one shape. A function of several numbers takes one number from each."""


def axis_of(shape: Sequence[int], dim: int, where: str) -> int:
    """Find the axis that ``dim`` means, counted from the front.

    Raises `DataError` for an array without axes and `OptionError` for an axis it has not.
    """
    rank = len(shape)
    if rank == 0:
        raise DataError(
            "the function works along an axis, and this array has none",
            where=where,
            found=f"dim={dim}, an input of shape ()",
            do="pass an array with at least one axis, as x.reshape(1, -1)",
        )
    if not -rank <= dim < rank:
        raise OptionError(
            "the input has no such axis",
            where=where,
            found=f"dim={dim}, an input of shape {tuple(shape)}",
            do=f"pass a dim from {-rank} to {rank - 1}",
        )
    return dim % rank


def divides(size: int, count: int, where: str, found: str) -> None:
    """Check that an axis of this size holds ``count`` parts of equal size."""
    if size % count:
        raise DataError(
            f"the axis does not divide into {count} parts of equal size",
            where=where,
            found=f"size {size} at {found}",
            do=f"give that axis a size that is a multiple of {count}, or name another axis",
        )


def split(x: Array, xp: Namespace, axis: int, count: int, *, neighbours: bool) -> Parts:
    """Take ``count`` parts out of an axis, which changes places with the last one in each.

    The parts are blocks of the axis; of ``neighbours``, part i holds every entry whose
    place is i modulo ``count``.
    """
    moved = xp.swapaxes(x, axis, -1)
    *rest, size = moved.shape
    if neighbours:
        grouped = moved.reshape((*rest, size // count, count))
        return tuple(grouped[..., number] for number in range(count))
    grouped = moved.reshape((*rest, count, size // count))
    return tuple(grouped[..., number, :] for number in range(count))


def join(parts: Parts, xp: Namespace, axis: int, *, neighbours: bool) -> Array:
    """Put parts together again; undoes `split`."""
    if neighbours:
        grouped = xp.stack(parts, -1)
        *rest, size, count = grouped.shape
        return xp.swapaxes(grouped.reshape((*rest, size * count)), axis, -1)
    return xp.swapaxes(xp.concatenate(parts, -1), axis, -1)
