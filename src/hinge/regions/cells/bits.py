"""Patterns as bits: single marks read out of the words of all cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hinge.regions.cutting.mesh import Indices, Words

Flags = npt.NDArray[np.bool_]
Marks = npt.NDArray[np.int64]
"""Numbers of forms in a pattern: word ``mark // 64``, bit ``mark % 64``."""

WORD = 64


def read_marks(words: Words, marks: Marks) -> Flags:
    """Whether each pattern has the bits of these marks; ``(F, W)`` words give ``(F, n)``."""
    shifts = (marks % WORD).astype(np.uint64)
    return np.asarray((words[:, marks // WORD] >> shifts) & np.uint64(1), dtype=np.bool_)


def as_words(pairs: Indices, n_cells: int, n_words: int) -> Words:
    """Write pairs (cell, mark), ``(K, 2)``, as words ``(n_cells, n_words)``: a bit for each."""
    words = np.zeros((n_cells, n_words), np.uint64)
    cells, marks = pairs[:, 0], pairs[:, 1]
    bits = np.uint64(1) << (marks % WORD).astype(np.uint64)
    np.bitwise_or.at(words, (cells, marks // WORD), bits)
    return words
