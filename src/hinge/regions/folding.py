"""Which units never fold inside the domain: a proof for it, where the mesh is complete."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.regions.bits import Flags, as_words, read_marks
from hinge.regions.meanings import Readings
from hinge.regions.mesh import Mesh, Words
from hinge.regions.topology import Numbers

FOLDS = -1
"""Stands for the piece of an entry that is on several pieces."""


@dataclass(frozen=True, eq=False)
class NeverFolds:
    """The units of one site that are linear on the whole domain, each array ``(n,)``.

    ``verdict`` is ``off`` or ``on`` where the activation has one break: never above it, or
    never below it. With several breaks it is ``piece k``, counted from the left and from 0.
    A unit with several entries (a channel, at each of its positions) has such a verdict where
    all of them agree, and is ``linear`` where each stays on a piece of its own.
    """

    units: Numbers
    verdict: npt.NDArray[np.str_]

    def rows(self, site: str) -> list[tuple[str, int, str]]:
        """One row per unit: site, unit, verdict."""
        pairs = zip(self.units.tolist(), self.verdict.tolist(), strict=True)
        return [(site, unit, verdict) for unit, verdict in pairs]


def never_folds(mesh: Mesh, read: Readings) -> NeverFolds:
    """The units of a site that never fold inside the domain, and where they stay.

    A pre-activation at its break on a whole cell is not above it; one that meets its break
    only on the border of the domain does not fold.
    """
    entries, pieces = pieces_of_entries(mesh, read)
    unit_of = dict(zip(read.entries.tolist(), read.units.tolist(), strict=True))
    units = np.array([unit_of[entry] for entry in entries.tolist()], dtype=np.int64)
    counts = np.bincount(read.entries, minlength=entries.max(initial=-1) + 1)[entries]
    found, verdicts = [], []
    for unit in np.unique(units).tolist():
        mine = units == unit
        if (pieces[mine] != FOLDS).all():
            found.append(unit)
            verdicts.append(_verdict(pieces[mine], counts[mine]))
    return NeverFolds(np.array(found, dtype=np.int64), np.array(verdicts, dtype=np.str_))


def pieces_of_entries(mesh: Mesh, read: Readings) -> tuple[Numbers, Numbers]:
    """The entries of a site that have breaks, and the piece on which each stays, both ``(n,)``.

    The piece is the number of breaks that the entry is above, `FOLDS` where that varies.
    """
    above, varies = _above(mesh, read)
    entries, index = np.unique(read.entries, return_inverse=True)
    pieces = np.bincount(index, weights=above, minlength=len(entries)).astype(np.int64)
    folds = np.bincount(index, weights=varies, minlength=len(entries)) > 0
    return entries, np.where(folds, FOLDS, pieces)


def _above(mesh: Mesh, read: Readings) -> tuple[Flags, Flags]:
    """For each row: whether it is positive on every cell, and whether on some but not on all."""
    positive, not_negative = _everywhere_and_somewhere(mesh)
    marks = np.maximum(read.marks, 0)
    upright = read.orientation > 0
    known, constant = read.marks >= 0, np.zeros(len(marks), np.bool_)
    if not known.any():
        return upright, constant
    # A form is negative where its bit is neither set nor flat.
    above = [read_marks(words[None], marks)[0] for words in positive]
    below = [~read_marks(words[None], marks)[0] for words in reversed(not_negative)]
    everywhere, somewhere = (
        np.where(upright, one, other) for one, other in zip(above, below, strict=True)
    )
    return np.where(known, everywhere, upright), np.where(known, somewhere & ~everywhere, constant)


def _everywhere_and_somewhere(mesh: Mesh) -> tuple[list[Words], list[Words]]:
    """The bits set on all cells and on any, ``(W,)`` each; then the same of set or flat ones."""
    bits = mesh.patterns
    both = bits
    if len(mesh.flat):
        both = bits | as_words(mesh.flat, *bits.shape)
    positive, not_negative = (
        [np.bitwise_and.reduce(words, axis=0), np.bitwise_or.reduce(words, axis=0)]
        for words in (bits, both)
    )
    return positive, not_negative


def _verdict(pieces: Numbers, counts: Numbers) -> str:
    if (pieces != pieces[0]).any() or (counts != counts[0]).any():
        return "linear"
    if counts[0] == 1:
        return "on" if pieces[0] else "off"
    return f"piece {pieces[0]}"
