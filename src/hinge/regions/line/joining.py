"""Joins the pieces of a segment that only a match without a say has cut."""

from __future__ import annotations

import numpy as np

from hinge.regions.cells.patterns import canonical_patterns
from hinge.regions.cutting.mesh import Chain
from hinge.regions.programs.program import Program


def joined(program: Program, chain: Chain) -> Chain:
    """Return the chain whose points are kinks: neighbours with one pattern are one piece.

    Where the network has no maxima that is the chain itself.
    """
    if not any(meaning.winner for meaning in program.meanings):
        return chain
    patterns = canonical_patterns(program, chain.patterns, chain.flat)
    begins = np.ones(len(patterns), np.bool_)
    begins[1:] = (patterns[1:] != patterns[:-1]).any(axis=1)
    if begins.all():
        return chain
    kept = np.flatnonzero(np.append(begins, True))
    piece = np.cumsum(begins) - 1
    flat = chain.flat[begins[chain.flat[:, 0]]].copy()
    flat[:, 0] = piece[flat[:, 0]]
    return Chain(
        chain.points[kept], chain.labels[kept], chain.label_sets, chain.patterns[begins], flat
    )
