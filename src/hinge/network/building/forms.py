"""Changes of shape as steps: slices, splits, flips, repeats, pads, concatenations, upsampling."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hinge.network.building.arithmetic import Term, as_tensor, reshaped
from hinge.network.building.builder import Builder, Unreadable, Value
from hinge.network.operators.shapes import Pad, Permute, Take


def permuted(build: Builder, x: Value, order: Sequence[int]) -> Value:
    """Return the axes in another order; the batch must stay first."""
    new = tuple(axis % x.rank for axis in order)
    if new[0] != 0:
        raise Unreadable("it moves the batch from the first axis")
    if new == tuple(range(x.rank)):
        return x
    return build.affine(x, Permute(input_shape=x.shape, order=new))


def swapped(build: Builder, x: Value, first: int, second: int) -> Value:
    """Return two axes exchanged."""
    order = list(range(x.rank))
    order[first], order[second] = order[second], order[first]
    return permuted(build, x, order)


def taken(build: Builder, x: Value, axis: int, index: Sequence[int] | Tensor) -> Value:
    """Return the positions ``index`` along an axis; negative ones count from the end."""
    along = x.axis(axis)
    length = x.shape[along - 1]
    wanted = torch.as_tensor(index, dtype=torch.int64).flatten()
    if bool(((wanted < -length) | (wanted >= length)).any()):
        raise Unreadable("it takes positions that do not exist")
    wanted = wanted % length if length else wanted
    if torch.equal(wanted, torch.arange(length)):
        return x
    return build.affine(x, Take(input_shape=x.shape, axis=along, index=wanted))


def sliced(
    build: Builder,
    x: Value,
    axis: int,
    start: int | None,
    stop: int | None,
    *,
    step: int = 1,
) -> Value:
    """``x[start:stop:step]`` along an axis; the batch may only be taken whole."""
    if axis in (0, -x.rank):
        if (start or 0) == 0 and step == 1 and (stop is None or stop >= 2**31 - 1):
            return x
        raise Unreadable("it takes some examples of the batch")
    kept = range(x.shape[x.axis(axis) - 1])[start:stop:step]
    return taken(build, x, axis, torch.arange(len(kept)) * kept.step + kept.start)


def selected(build: Builder, x: Value, axis: int, position: int) -> Value:
    """Return one position along an axis, which disappears."""
    along = x.axis(axis)
    one = taken(build, x, along, [position])
    return reshaped(build, one, (*one.shape[: along - 1], *one.shape[along:]))


def split(build: Builder, x: Value, axis: int, lengths: Sequence[int]) -> list[Value]:
    """Return pieces of these lengths along an axis."""
    along, start, pieces = x.axis(axis), 0, []
    for length in lengths:
        pieces.append(sliced(build, x, along, start, start + length))
        start += length
    return pieces


def squeezed(build: Builder, x: Value, axes: Sequence[int] | None) -> Value:
    """Drop axes of length 1: these, or all but the batch."""
    chosen = range(1, x.rank) if axes is None else x.axes([a for a in axes if a % x.rank])
    kept = (n for axis, n in enumerate(x.shape, 1) if axis not in chosen or n != 1)
    return reshaped(build, x, tuple(kept))


def unsqueezed(build: Builder, x: Value, axes: Sequence[int]) -> Value:
    """Insert axes of length 1, at these places of the result."""
    rank = x.rank + len(axes)
    shape = list(x.shape)
    for axis in sorted(axis % rank for axis in axes):
        if axis == 0:
            raise Unreadable("it puts an axis before the batch")
        shape.insert(axis - 1, 1)
    return reshaped(build, x, tuple(shape))


def joined(build: Builder, terms: Sequence[Term], axis: int) -> Value:
    """Concatenate values and constants."""
    like = next(term for term in terms if isinstance(term, Value))
    along = like.axis(axis)
    values = [t if isinstance(t, Value) else build.constant(_example(t, like)) for t in terms]
    return values[0] if len(values) == 1 else build.concat(values, along)


def stacked(build: Builder, terms: Sequence[Term], axis: int) -> Value:
    """Concatenate along a new axis."""
    like = next(term for term in terms if isinstance(term, Value))
    along = axis % (like.rank + 1)
    pieces: list[Term] = [
        unsqueezed(build, term, [along])
        if isinstance(term, Value)
        else as_tensor(term).unsqueeze(along)
        for term in terms
    ]
    return joined(build, pieces, along)


def padded(build: Builder, x: Value, pads: Sequence[int], mode: str, value: float) -> Value:
    """Pad as `torch.nn.functional.pad` does: the last axis first, two numbers each."""
    if len(pads) % 2 or any(pads[2 * (x.rank - 1) :]):
        raise Unreadable("it pads the batch")
    pads = tuple(int(pad) for pad in pads[: 2 * (x.rank - 1)])
    if not any(pads):
        return x
    if mode == "constant":
        return build.affine(x, Pad(input_shape=x.shape, pads=pads, value=float(value)))
    for pair in range(len(pads) // 2):
        before, after = pads[2 * pair : 2 * pair + 2]
        axis = x.rank - 1 - pair
        x = taken(build, x, axis, _mirrored(x.shape[axis - 1], before, after, mode))
    return x


def resampled(build: Builder, x: Value, indices: Sequence[Sequence[int]]) -> Value:
    """Return the last axes at these positions: nearest upsampling."""
    for axis, index in enumerate(indices, x.rank - len(indices)):
        x = taken(build, x, axis, index)
    return x


def _mirrored(length: int, before: int, after: int, mode: str) -> Tensor:
    positions = torch.arange(-before, length + after)
    if mode in ("replicate", "edge"):
        return positions.clamp(0, length - 1)
    if mode in ("circular", "wrap"):
        return positions % length
    if mode == "reflect" and max(before, after) < length:
        folded = positions.abs()
        return torch.where(folded < length, folded, 2 * (length - 1) - folded)
    raise Unreadable(f"it pads in the mode {mode!r}, or by more than there is")


def _example(constant: Term, like: Value) -> Tensor:
    tensor = as_tensor(constant)  # type: ignore[arg-type]  # a Value was sorted out before
    if tensor.ndim != like.rank or tensor.shape[0] != 1:
        raise Unreadable("it joins a constant that differs between the examples of a batch")
    return tensor[0]
