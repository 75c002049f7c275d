"""Cells of a search that only a match without a say has cut, joined to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hinge.regions.box.polytope import facets
from hinge.regions.box.rays import facets_by_programs
from hinge.regions.box.search import LOST, NONE, QHULL, Cell
from hinge.regions.cells.linear_regions import numbered
from hinge.regions.cells.patterns import canonical_patterns
from hinge.regions.cells.signs import Numbers, packed
from hinge.regions.cutting.mesh import Words
from hinge.regions.programs.program import Program

Flags = npt.NDArray[np.bool_]


def words_of(program: Program, positive: Flags) -> Words:
    """The signs of all forms, fold after fold ``(n, m)``, as the patterns of a `Mesh`."""
    starts = np.cumsum([0, *(fold.n_forms for fold in program.folds)])
    words = [np.zeros((len(positive), 0), np.uint64)]
    for first, last in pairwise(starts.tolist()):
        words.append(packed(positive[:, first:last], -(-(last - first) // 64)))
    return np.concatenate(words, axis=1)


def flat_pairs(program: Program, flat: Flags) -> npt.NDArray[np.int32]:
    """The flat forms, fold after fold ``(n, m)``, as the flat pairs of a `Mesh`."""
    marks = [
        64 * first + np.arange(fold.n_forms)
        for fold, first in zip(program.folds, program.first_words, strict=False)
    ]
    cells, forms = np.nonzero(flat)
    numbers = np.concatenate([np.zeros(0, np.int64), *marks])[forms]
    return np.stack([cells, numbers], axis=1).astype(np.int32)


def joined(program: Program, cells: list[Cell]) -> list[Cell]:
    """Join cells whose patterns differ in matches alone that decide nothing there.

    What is left are the cells: where a maximum has the same winner, whoever comes second. A
    pattern holds on a convex set, so that the facets of the whole are those of its parts
    that no part lies behind, and no two cells are left with one pattern.
    """
    if len(cells) <= 1:
        return cells
    words = words_of(program, np.array([cell.positive for cell in cells]))
    if any(meaning.winner for meaning in program.meanings):
        flat = flat_pairs(program, np.array([cell.flat for cell in cells]))
        words = canonical_patterns(program, words, flat)
    _, label = np.unique(words, axis=0, return_inverse=True)
    label = numbered(label.reshape(-1))
    groups: list[list[int]] = [[] for _ in range(int(label.max()) + 1)]
    for number, one in enumerate(label.tolist()):
        groups[one].append(number)
    if len(groups) == len(cells):
        return cells
    return [_union(cells, group, label) for group in groups]


def _union(cells: Sequence[Cell], group: list[int], label: Numbers) -> Cell:
    """One cell from its parts; neighbours are renumbered."""
    parts = [_renumbered(cells[number], label, len(cells)) for number in group]
    if len(parts) == 1:
        return parts[0]
    whole = _stacked(parts, int(label[group[0]]))
    distances = whole.normals @ whole.point + whole.offsets
    by = facets if len(whole.point) <= QHULL else facets_by_programs
    found = by(whole.normals, distances)
    if found is None:  # what is left out is only which half-spaces are superfluous
        return whole
    middle = (found.middles if found.corners is None else found.corners).mean(axis=0)
    shared = [np.flatnonzero(row).tolist() for row in found.equal]
    return replace(
        whole,
        point=whole.point + middle,
        normals=whole.normals[found.rows],
        offsets=whole.offsets[found.rows],
        marks=[tuple(dict.fromkeys(m for i in rows for m in whole.marks[i])) for rows in shared],
        neighbours=np.array([whole.neighbours[rows].max() for rows in shared], np.int64),
        corners=None if found.corners is None else found.corners + whole.point,
    )


def _renumbered(part: Cell, label: Numbers, count: int) -> Cell:
    behind = part.neighbours
    kept = (behind > NONE) & (behind < count)
    others = np.where(behind < 0, behind, LOST)
    others[kept] = label[behind[kept]]
    return replace(part, neighbours=others)


def _stacked(parts: Sequence[Cell], own: int) -> Cell:
    """All half-spaces of the parts but those to each other, some of them superfluous."""
    outer = [part.neighbours != own for part in parts]
    pairs = list(zip(parts, outer, strict=True))
    return replace(
        parts[0],
        point=np.mean([part.point for part in parts], axis=0),
        normals=np.concatenate([part.normals[one] for part, one in pairs]),
        offsets=np.concatenate([part.offsets[one] for part, one in pairs]),
        marks=[part.marks[i] for part, one in pairs for i in np.flatnonzero(one).tolist()],
        neighbours=np.concatenate([part.neighbours[one] for part, one in pairs]),
        corners=None,
        certain=any(part.certain for part in parts),
    )
