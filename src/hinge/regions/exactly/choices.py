"""Which piece of each Bend, and which of the two of each Larger, a cell takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from hinge.regions.programs.program import Bend, Fold, Indices, Larger, Meaning, Program

Words = npt.NDArray[np.uint64]
Booleans = npt.NDArray[np.bool_]


def positive_forms(program: Program, pattern: Words) -> list[Booleans]:
    """Return for each fold which of its forms are positive, from a pattern as a `Mesh` has it."""
    bits = np.unpackbits(pattern.astype("<u8").view(np.uint8), bitorder="little").astype(bool)
    starts = program.first_words
    return [
        bits[64 * start : 64 * start + fold.n_forms]
        for fold, start in zip(program.folds, starts[:-1], strict=True)
    ]


def positive_rows(meaning: Meaning, positive: Booleans) -> Booleans:
    """Return for each row of a meaning whether it is positive, from its fold's forms."""
    constant = meaning.orientation > 0
    if not len(positive):
        return constant
    signs = positive[meaning.forms]
    return np.where(meaning.forms < 0, constant, signs == constant)


def choices(program: Program, positive: Sequence[Booleans]) -> Iterator[tuple[int, Indices]]:
    """Yield for each `Bend` and `Larger` its target, and for each of its entries a choice.

    ``positive`` tells for each fold which forms are positive, as `positive_forms` does. The
    choice of a `Bend` is the number of a piece (a column of its slopes); of a `Larger` it is
    0 for the first of the two and 1 for the second.
    """
    number, before = -1, None
    for operation in program.operations:
        if isinstance(operation, Fold):
            number += 1
            before = program.meanings[number], positive[number]
        elif isinstance(operation, (Bend, Larger)) and before is not None:
            yield operation.target, _choice(operation, *before)


def _choice(operation: Bend | Larger, meaning: Meaning, positive: Booleans) -> Indices:
    rows = positive_rows(meaning, positive)
    size = len(operation.heights if isinstance(operation, Bend) else operation.first)
    found = np.zeros(size, np.int64)
    places = meaning.entries if meaning.matches is None else meaning.matches
    # Breaks ascend, and so do a value's rows: its piece begins at the last break passed.
    np.maximum.at(found, places[rows], meaning.break_index[rows] + 1)
    return found
