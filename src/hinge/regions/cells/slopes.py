"""How steep a network is on its domain, and how much the slope jumps across a crease."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hinge.regions.cells.maps import slopes_and_shifts
from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.propagation import BUDGET
from hinge.regions.cells.signs import Cells, Numbers, chunks
from hinge.regions.programs.program import Reals


def steepness(patterns: Patterns, cells: Cells) -> Reals:
    """The spectral norm of each cell's matrix in the domain's coordinates: ``(n,)`` float64.

    It is the largest change of the output per step in the coordinates, both by their
    Euclidean lengths; with one output, the length of the gradient.
    """
    found = np.empty(len(cells))
    done = 0
    for some in chunks(cells, _bytes_per_map(patterns), BUDGET):
        found[done : done + len(some)] = spectral(slopes_and_shifts(patterns, some)[..., :-1])
        done += len(some)
    return found


def largest_slope(patterns: Patterns) -> float:
    """The Lipschitz constant on the domain, in its coordinates; rounded, not a bound."""
    return float(steepness(patterns, np.arange(patterns.n_cells)).max(initial=0.0))


def jumps(patterns: Patterns, pairs: Numbers) -> Reals:
    """How far apart the slopes of neighbours are: ``(P,)`` float64 for ``pairs`` ``(P, 2)``.

    It is the norm of the difference of the two matrices in the domain's coordinates. Since
    the maps agree along the edge between the cells, the difference has rank one, and its
    Frobenius norm, which is taken, is its spectral norm as well.
    """
    found = np.empty(len(pairs))
    done = 0
    for some in chunks(np.arange(len(pairs)), 2 * _bytes_per_map(patterns), BUDGET):
        cells, places = np.unique(pairs[some], return_inverse=True)
        matrices = slopes_and_shifts(patterns, cells)[..., :-1]
        first, second = places.reshape(-1, 2).T
        change = matrices[second] - matrices[first]
        found[done : done + len(some)] = np.sqrt(np.einsum("ijk,ijk->i", change, change))
        done += len(some)
    return found


def jumps_by_mark(
    sizes: Reals, labels: Numbers, label_sets: Sequence[Sequence[int]]
) -> dict[int, float]:
    """The largest jump across the crease of each mark (from 0 on, see `Mesh`).

    ``sizes`` ``(P,)`` are `jumps`, ``labels`` ``(P,)`` the label set of each edge. Where
    several forms have one crease, it counts for each of them.
    """
    largest = np.zeros(len(label_sets))
    np.maximum.at(largest, labels, sizes)
    met = np.zeros(len(label_sets), np.bool_)
    met[labels] = True
    found: dict[int, float] = {}
    for number in np.flatnonzero(met).tolist():
        for mark in label_sets[number]:
            if mark >= 0:
                found[mark] = max(found.get(mark, 0.0), float(largest[number]))
    return found


def spectral(matrices: Reals) -> Reals:
    """The largest singular value of each ``(n_out, d)`` matrix, d being 1 or 2."""
    gram = np.swapaxes(matrices, -1, -2) @ matrices
    if gram.shape[-1] == 1:
        return np.sqrt(gram[:, 0, 0])
    mean, half = gram.trace(axis1=1, axis2=2) / 2, (gram[:, 0, 0] - gram[:, 1, 1]) / 2
    largest: Reals = np.sqrt(mean + np.hypot(half, gram[:, 0, 1]))
    return largest


def _bytes_per_map(patterns: Patterns) -> int:
    widths = patterns.program.widths
    return 8 * 4 * widths[patterns.program.output] * (widths[0] + 1)
