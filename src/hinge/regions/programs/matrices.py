"""Operators of a network as matrices whose entries are exactly the stored weights.

An entry is taken from the weights by its place, or counted out by moving numbers about, so
that no algorithm of torch can round it. Means have the entries 1 / count in float64: these
are the stored numbers, as they are for a run in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from hinge.errors import ModelError
from hinge.network import (
    AdaptiveAveragePool,
    AveragePool,
    Constant,
    Convolution,
    Dense,
    Expand,
    Operator,
    Pad,
    Permute,
    Reshape,
    Scale,
    Sum,
    Take,
)

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.int32]

MOST_ENTRIES = 2**27
"""Non-zero entries beyond which a matrix is refused: 2 GiB with their places."""

DENSE_SHARE = 0.25
"""The share of entries that are not zero above which a matrix is kept as an array."""

_CHUNK = 64


def exact(operator: Operator, step: str) -> tuple[Any, Reals]:
    """Return ``W`` and ``b`` of an operator, on values in C order: float64, as stored.

    ``W`` ``(rows, columns)`` is an array, or a `scipy.sparse.csr_array` where at most a
    quarter of its entries is not zero; ``b`` is ``(rows,)``. Raises `ModelError`, which
    names the ``step``, for weights that are no finite numbers and for too many of them.
    """
    wide = operator.to(torch.float64)
    rows = prod(wide.output_shape)
    shift = wide.shift
    bias = (
        np.zeros(rows)
        if shift is None
        else _numbers(shift.double().expand(wide.output_shape)).reshape(rows)
    )
    for name, held in (("weights", _weights(wide)), ("constant", bias)):
        if not np.isfinite(held).all():
            raise ModelError(
                f"its {name} are not all finite",
                where=f"step {step!r} ({operator})",
                found=f"{np.count_nonzero(~np.isfinite(held)):,} infinite or not a number",
                do="load weights that are finite; hinge.observe works on any model that runs",
            )
    return compact(_matrix(wide, step)), bias + 0.0  # adding 0 turns -0 into 0


def compact(matrix: Any) -> Any:
    """Return a sparse matrix without stored zeros, as an array if it is not sparse enough."""
    rows = sparse.csr_array(matrix)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    size = prod(rows.shape)
    return rows.toarray() if rows.nnz > DENSE_SHARE * size else rows


def _matrix(operator: Operator, step: str) -> Any:
    if isinstance(operator, Dense):
        entries = prod(operator.input_shape) * operator.weight.shape[0]
    elif isinstance(operator, Convolution):
        entries = _slides(operator)
    else:
        entries = prod(operator.input_shape) + prod(operator.output_shape)
    if entries > MOST_ENTRIES:
        raise ModelError(
            "its matrix is too large to be followed exactly",
            where=f"step {step!r} ({operator})",
            found=f"up to {entries:,} entries that are not zero",
            do=f"cut a smaller model, with matrices of at most {MOST_ENTRIES:,} entries",
        )
    maker: Callable[[Any], Any] = _MAKERS.get(type(operator), by_unit_vectors)
    return maker(operator)


def by_unit_vectors(operator: Operator) -> Any:
    """Return the matrix of any operator: its values on unit vectors, some at a time."""
    columns, rows = prod(operator.input_shape), prod(operator.output_shape)
    found = []
    for start in range(0, columns, _CHUNK):
        some = range(start, min(start + _CHUNK, columns))
        units = torch.zeros((len(some), columns), dtype=torch.float64)
        units[:, start : start + len(some)].fill_diagonal_(1)
        images = operator.linear(units.reshape(len(some), *operator.input_shape))
        found.append(sparse.csr_array(_numbers(images).reshape(len(some), rows)))
    return sparse.vstack(found, format="csr").T


def _dense(operator: Dense) -> Any:
    weight = _numbers(operator.weight)
    before = prod(operator.input_shape[: operator.axis - 1])
    after = prod(operator.input_shape[operator.axis :])
    if before == after == 1:
        return weight
    inner = sparse.kron(sparse.csr_array(weight), sparse.eye_array(after))
    return sparse.kron(sparse.eye_array(before), inner)


def _scale(operator: Scale) -> Any:
    shape = operator.input_shape
    factor = torch.ones(()) if operator.factor is None else operator.factor
    return sparse.diags_array(_numbers(factor.double().expand(shape)).reshape(-1))


def _constant(operator: Constant) -> Any:
    return sparse.csr_array((operator.value.numel(), prod(operator.input_shape)))


def _moved(operator: Operator) -> Any:
    """Each value is an old one or 0: number the old ones from 1, and see where they go."""
    columns = prod(operator.input_shape)
    numbers = torch.arange(1, columns + 1, dtype=torch.float64).reshape(1, *operator.input_shape)
    source = _numbers(operator.linear(numbers)).reshape(-1).astype(np.int64) - 1
    rows = np.flatnonzero(source >= 0)
    entries = (np.ones(len(rows)), (rows, source[rows]))
    return sparse.coo_array(entries, shape=(len(source), columns))


def _sum(operator: Sum) -> Any:
    shape = operator.input_shape
    kept = [1 if axis in operator.axes else n for axis, n in enumerate(shape, 1)]
    rows = np.broadcast_to(np.arange(prod(kept)).reshape(kept), shape).reshape(-1)
    entries = (np.full(prod(shape), 1 / operator.divisor), (rows, np.arange(prod(shape))))
    return sparse.coo_array(entries, shape=(prod(kept), prod(shape)))


def _pool(operator: AveragePool | AdaptiveAveragePool) -> Any:
    """The pool of one channel, once for each."""
    rank = len(operator.kernel if isinstance(operator, AveragePool) else operator.size)
    outer, inner = operator.input_shape[:-rank], operator.input_shape[-rank:]
    one = by_unit_vectors(replace(operator, input_shape=(1, *inner)))
    return sparse.kron(sparse.eye_array(prod(outer)), one)


def _convolution(operator: Convolution) -> Any:
    """Each weight joins the places of two grids; transposed, the roles of the grids change."""
    weight = _numbers(operator.weight.flatten(2))
    fine, coarse = operator.input_shape[1:], operator.output_shape[1:]
    if operator.transposed:
        fine, coarse = coarse, fine
    per_group = len(weight) // operator.groups
    wide = np.arange(len(weight), dtype=np.int32)[:, None]
    inner = np.arange(weight.shape[1], dtype=np.int32)
    narrow = (wide // per_group) * weight.shape[1] + inner
    values, on_coarse, on_fine = [], [], []
    for at, offset in enumerate(product(*map(range, operator.weight.shape[2:]))):
        here, there = _aligned(operator, offset, fine, coarse)
        values.append(np.repeat(weight[:, :, at, None], len(here), axis=2).ravel())
        shape = (*narrow.shape, len(here))
        on_coarse.append(np.broadcast_to(wide[..., None] * prod(coarse) + here, shape).ravel())
        on_fine.append(np.broadcast_to(narrow[..., None] * prod(fine) + there, shape).ravel())
    rows, columns = np.concatenate(on_coarse), np.concatenate(on_fine)
    if operator.transposed:
        rows, columns = columns, rows
    size = (prod(operator.output_shape), prod(operator.input_shape))
    return sparse.coo_array((np.concatenate(values), (rows, columns)), shape=size)


def _aligned(
    operator: Convolution, offset: tuple[int, ...], fine: tuple[int, ...], coarse: tuple[int, ...]
) -> tuple[Places, Places]:
    """Which place of the coarse grid meets which of the fine one under a weight at ``offset``."""
    here, there = np.zeros(1, np.int32), np.zeros(1, np.int32)
    for axis, at in enumerate(offset):
        places = np.arange(coarse[axis], dtype=np.int32)
        met = places * operator.stride[axis] - operator.padding[axis] + at * operator.dilation[axis]
        inside = (met >= 0) & (met < fine[axis])
        here = (here[:, None] * coarse[axis] + places[inside]).ravel()
        there = (there[:, None] * fine[axis] + met[inside]).ravel()
    return here, there


def _slides(operator: Convolution) -> int:
    coarse = operator.input_shape if operator.transposed else operator.output_shape
    return operator.weight.numel() * prod(coarse[1:])


def _weights(operator: Operator) -> Reals:
    held = [_numbers(t.double()).ravel() for t in operator.tensors.values()]
    return np.concatenate(held) if held else np.zeros(0)


def _numbers(tensor: Tensor) -> Reals:
    return tensor.detach().cpu().numpy()


_MAKERS: dict[type, Callable[[Any], Any]] = {
    Dense: _dense,
    Scale: _scale,
    Constant: _constant,
    Convolution: _convolution,
    AveragePool: _pool,
    AdaptiveAveragePool: _pool,
    Sum: _sum,
    **dict.fromkeys((Reshape, Permute, Take, Expand, Pad), _moved),
}
