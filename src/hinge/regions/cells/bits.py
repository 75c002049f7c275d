"""Patterns as bits: pairs of cell and mark written as words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hinge.regions.cutting.mesh import Indices, Words

Flags = npt.NDArray[np.bool_]

WORD = 64
"""A mark is bit ``mark % WORD`` of word ``mark // WORD``."""


def as_words(pairs: Indices, n_cells: int, n_words: int) -> Words:
    """Write pairs (cell, mark), ``(K, 2)``, as words ``(n_cells, n_words)``: a bit for each."""
    words = np.zeros((n_cells, n_words), np.uint64)
    cells, marks = pairs[:, 0], pairs[:, 1]
    bits = np.uint64(1) << (marks % WORD).astype(np.uint64)
    np.bitwise_or.at(words, (cells, marks // WORD), bits)
    return words
