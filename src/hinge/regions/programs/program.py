"""A network on a domain, written as the few operations that a subdivision has to follow.

A program works on numbered *buffers*, each a vector of floats at every point of the domain.
Buffer 0 holds the point's own coordinates in the domain. Each operation fills one new buffer,
but for `Fold`, which fills none: it says where the domain folds. In exact arithmetic every
buffer is a continuous, piecewise-linear function of the point, and linear between the folds
met so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Linear:
    """``target = matrix @ source + bias``, the numbers stored being the exact ones.

    ``matrix`` is ``(rows, columns)`` float64: an array, or a `scipy.sparse.csr_array` where
    most entries are zero. ``bias`` is ``(rows,)`` float64.
    """

    source: int
    target: int
    matrix: Any
    bias: Reals


@dataclass(frozen=True, eq=False)
class Total:
    """``target`` is the sum of the ``sources``, which are of one length."""

    sources: tuple[int, ...]
    target: int


@dataclass(frozen=True, eq=False)
class Join:
    """``target`` is the ``sources``, one after the other."""

    sources: tuple[int, ...]
    target: int


@dataclass(frozen=True, eq=False)
class Fold:
    """The domain folds where a *form* ``source[columns[i]] - breaks[i]`` changes its sign.

    ``columns`` int64 and ``breaks`` float64, ``(n_forms,)``. No two forms of one fold are
    known to vanish at the same places, and none to have one sign everywhere.
    """

    source: int
    columns: Indices
    breaks: Reals

    @property
    def n_forms(self) -> int:
        """How many forms it has."""
        return len(self.columns)


@dataclass(frozen=True, eq=False)
class Bend:
    """``target`` is a continuous, piecewise-linear function of ``source``, value by value.

    Value j has slope ``slopes[j, 0]`` left of ``breaks[j, 0]``, ``slopes[j, i]`` between
    ``breaks[j, i - 1]`` and ``breaks[j, i]``, and is ``heights[j]`` at ``breaks[j, 0]``.
    ``breaks`` ``(n, p)`` ascend (the last one repeats where a value has fewer), ``slopes``
    ``(n, p + 1)``, ``heights`` ``(n,)``, all float64; p >= 1.
    """

    source: int
    target: int
    breaks: Reals
    slopes: Reals
    heights: Reals


@dataclass(frozen=True, eq=False)
class Larger:
    """``target[j]`` is the larger of ``source[first[j]]`` and ``source[second[j]]``."""

    source: int
    target: int
    first: Indices
    second: Indices


Operation = Linear | Total | Join | Fold | Bend | Larger


def sources(operation: Operation) -> tuple[int, ...]:
    """The buffers that an operation reads."""
    return operation.sources if isinstance(operation, (Total, Join)) else (operation.source,)


@dataclass(frozen=True, eq=False)
class Meaning:
    """What the forms of one `Fold` say of the network: one per entry and break of a step.

    ``step`` names the step, ``winner`` is True for a max. Row i speaks of entry
    ``entries[i]`` of the step's pre-activation (flat, without the batch) and of its
    ``break_index[i]``-th break. Its sign is ``orientation[i]`` times that of the fold's form
    ``forms[i]``; where ``forms[i]`` is -1 it is ``orientation[i]`` (-1, 0 or 1) everywhere.

    Of a max, row i is one match of a knock-out: positive where ``entries[i]`` (a flat entry
    of the step's output) goes on with the second of the two; ``round``, from 0, tells the
    rounds apart, and ``slot`` the matches of one entry in one round. ``matches[i]`` is the
    entry of the round's `Larger` that the match decides.
    """

    step: str
    entries: Indices
    break_index: Indices
    forms: Indices
    orientation: npt.NDArray[np.int8]
    winner: bool = False
    round: int = 0
    slot: Indices | None = None
    matches: Indices | None = None


@dataclass(frozen=True, eq=False)
class Program:
    """Operations in the order in which they are done, from buffer 0 to buffer ``output``.

    ``widths[i]`` is the length of buffer i. ``meanings[k]`` belongs to the k-th `Fold`.
    Right before each `Bend` and each `Larger` stands the fold that decides it. A form that is
    0 throughout a cell may be taken for either sign there: what bends is continuous.
    ``smooth`` names the site at which the program stops because its activation is curved;
    "" where it goes on to the network's output.
    """

    operations: tuple[Operation, ...]
    widths: tuple[int, ...]
    output: int
    meanings: tuple[Meaning, ...]
    smooth: str = ""

    @property
    def folds(self) -> tuple[Fold, ...]:
        """The places where it folds, in order."""
        return tuple(one for one in self.operations if isinstance(one, Fold))

    @property
    def first_words(self) -> tuple[int, ...]:
        """Where each fold's bits begin in a pattern, in words of 64 bits, and the length of all."""
        words = [0]
        for fold in self.folds:
            words.append(words[-1] + -(-fold.n_forms // 64))
        return tuple(words)
