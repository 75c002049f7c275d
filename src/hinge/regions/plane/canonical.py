"""The cells of a network with max steps, without the cuts of matches that decide nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hinge.regions.cells.bits import WORD, Flags, as_words
from hinge.regions.cells.knockouts import knockouts
from hinge.regions.cells.patterns import counting_bits
from hinge.regions.cutting.mesh import Indices, Mesh, Words
from hinge.regions.plane.dissolve import dissolve
from hinge.regions.plane.topology import NONE, Numbers, cells_of_edges
from hinge.regions.programs.program import Program


def canonical(mesh: Mesh, program: Program) -> Mesh:
    """The mesh whose cells are those of the activation pattern, the winners of maxima included.

    A max is cut as a knock-out of pairs, also where a pair's winner loses later. The bits,
    the flat pairs and the marks of such matches are cleared, and cells that then agree are
    joined: the points with one winner are a convex set. Without a max step the mesh is
    returned as it is.
    """
    if not knockouts(program):
        return mesh
    counts = counting_bits(program, mesh.patterns, mesh.flat)
    flat = mesh.flat[_reads(counts, mesh.flat[:, 0], mesh.flat[:, 1])]
    cleared = replace(mesh, patterns=mesh.patterns & counts, flat=flat)
    return dissolve(_relabelled(cleared, counts, program), _differ(cleared))[0]


def _differ(mesh: Mesh) -> Flags:
    """Whether the cells beside each edge differ in pattern or in what is flat there."""
    beside = cells_of_edges(mesh)
    left, right = beside.T
    found = (mesh.patterns[left] != mesh.patterns[right]).any(axis=1)
    if len(mesh.flat):
        words = as_words(mesh.flat, len(mesh.patterns), mesh.patterns.shape[1])
        found |= (words[left] != words[right]).any(axis=1)
    return np.asarray(found | (beside == NONE).any(axis=1), dtype=np.bool_)


def _relabelled(mesh: Mesh, counts: Words, program: Program) -> Mesh:
    """The mesh without the marks of matches that count on neither side of an edge."""
    matches = _matches(program)
    beside = cells_of_edges(mesh)
    sets = {marks: number for number, marks in enumerate(mesh.label_sets)}
    labels = mesh.labels.copy()
    order = np.argsort(mesh.labels, kind="stable")
    ends = np.cumsum(np.bincount(mesh.labels, minlength=len(mesh.label_sets)))
    for marks, end, begin in zip(mesh.label_sets, ends, [0, *ends[:-1]], strict=True):
        doubtful = [mark for mark in marks if mark in matches]
        if doubtful and end > begin:
            edges = order[begin:end]
            labels[edges] = _kept_labels(marks, doubtful, beside[edges], counts, sets)
    return replace(mesh, labels=labels, label_sets=tuple(sets))


def _kept_labels(
    marks: tuple[int, ...],
    doubtful: list[int],
    beside: Numbers,
    counts: Words,
    sets: dict[tuple[int, ...], int],
) -> Numbers:
    """The labels of edges that had one, after each has lost what does not count beside it."""
    tested = np.array(doubtful)
    kept = np.zeros((len(beside), len(doubtful)), np.bool_)
    for cells in beside.T:
        read = _reads(counts, cells[:, None], tested)
        kept |= read & (cells != NONE)[:, None]
    kinds, kind = np.unique(kept, axis=0, return_inverse=True)
    numbers = []
    for row in kinds.tolist():
        lost = {mark for mark, stays in zip(doubtful, row, strict=True) if not stays}
        left = tuple(mark for mark in marks if mark not in lost)
        numbers.append(sets.setdefault(left, len(sets)))
    return np.array(numbers)[kind.ravel()]


def _matches(program: Program) -> frozenset[int]:
    """The marks of all matches of knock-outs."""
    words = program.first_words
    return frozenset(
        mark
        for knockout in knockouts(program)
        for played in knockout.rounds
        for mark in range(WORD * words[played.fold], WORD * words[played.fold + 1])
    )


def _reads(words: Words, cells: Numbers | Indices, marks: Numbers | Indices) -> Flags:
    bits = words[cells, marks // WORD] >> (marks % WORD).astype(np.uint64)
    return np.asarray(bits & np.uint64(1), dtype=np.bool_)
