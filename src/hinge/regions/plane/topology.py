"""Who is beside whom in a mesh: the cells of an edge, the corners of a cell, the border."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hinge.regions.cutting.mesh import Mesh

Numbers = npt.NDArray[np.int64]

NONE = -1
"""Stands where an edge has no cell."""


def n_cells(mesh: Mesh) -> int:
    """The number of cells."""
    return len(mesh.offsets) - 1


def cells_of_sides(mesh: Mesh) -> Numbers:
    """The cell that each entry of ``mesh.sides`` belongs to, ``(S,)``."""
    return np.repeat(np.arange(n_cells(mesh)), np.diff(mesh.offsets))


def starts_of_sides(mesh: Mesh) -> Numbers:
    """The vertex at which each directed edge of ``mesh.sides`` begins, ``(S,)``."""
    return np.asarray(mesh.edges[mesh.sides >> 1, mesh.sides & 1], dtype=np.int64)


def next_sides(mesh: Mesh) -> Numbers:
    """Where in ``mesh.sides`` the next side of the same cell stands, ``(S,)``."""
    following = np.arange(1, len(mesh.sides) + 1)
    following[mesh.offsets[1:] - 1] = mesh.offsets[:-1]
    return following


def cells_of_edges(mesh: Mesh) -> Numbers:
    """The cells left and right of each edge, ``(E, 2)``; `NONE` outside the domain."""
    found = np.full(2 * len(mesh.edges), NONE, dtype=np.int64)
    found[mesh.sides] = cells_of_sides(mesh)
    return found.reshape(-1, 2)


def neighbours(mesh: Mesh) -> tuple[Numbers, Numbers]:
    """Pairs of cells that share an edge, ``(n, 2)``, and that edge's number, ``(n,)``.

    Two cells that share several edges in one line are there once for each of them.
    """
    beside = cells_of_edges(mesh)
    inner = np.flatnonzero((beside != NONE).all(axis=1))
    return beside[inner], inner


def outer_edges(mesh: Mesh) -> Numbers:
    """The numbers of the edges on the border of the domain."""
    return np.flatnonzero((cells_of_edges(mesh) == NONE).any(axis=1))
