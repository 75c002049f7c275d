"""The facets of a cell in many dimensions: by rays first, by linear programs where rays miss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from hinge.regions.box.polytope import TOLERANCE, Facets, judged

Reals = npt.NDArray[np.float64]

_RAYS = 64
"""Rays per dimension; what they hit are facets, so that no linear program is needed for it."""


def facets_by_programs(normals: Reals, distances: Reals) -> Facets | None:
    """The facets of ``normals @ x + distances >= 0`` about 0; as `polytope.facets`, no corners.

    A half-space holds a facet if on its plane some point is inside all others with room to
    spare: a linear program (HiGHS) in d + 1 unknowns. The mean of the places where rays from 0
    hit a facet is such a point too; and what does not reach the bounding box of the cell, 2 d
    programs, needs none.
    """
    dimension = normals.shape[1]
    low, high = _bounding_box(normals, distances)
    if not (np.isfinite(low).all() and (high > low).all()):
        return None
    size = float(np.maximum(np.abs(low), np.abs(high)).max())
    near = (np.minimum(normals * low, normals * high).sum(axis=1) + distances) <= TOLERANCE * size
    rows = np.flatnonzero(near)
    middles = _hit(normals[rows], distances[rows], dimension)
    for i in np.flatnonzero(np.isnan(middles[:, 0])):
        middles[i] = _deepest(normals[rows], distances[rows], i)
    found = ~np.isnan(middles[:, 0])
    return judged(
        normals, distances, rows[found], middles[found], corners=None, tolerance=TOLERANCE * size
    )


def _bounding_box(normals: Reals, distances: Reals) -> tuple[Reals, Reals]:
    dimension = normals.shape[1]
    ends = np.full((2, dimension), np.nan)
    for side, sign in enumerate((1.0, -1.0)):
        for axis in range(dimension):
            cost = np.zeros(dimension)
            cost[axis] = sign
            solved = linprog(cost, -normals, distances, bounds=(None, None), method="highs")
            if solved.status == 0:
                ends[side, axis] = solved.x[axis]
    return ends[0], ends[1]


def _hit(normals: Reals, distances: Reals, dimension: int) -> Reals:
    """The mean of the places where rays hit each half-space first, NaN where none does.

    Rays run along the normals and in random directions, the same ones each time.
    """
    random = np.random.default_rng(0).standard_normal((_RAYS * dimension, dimension))
    directions = np.concatenate([-normals, random])
    with np.errstate(divide="ignore"):
        rate = -(directions @ normals.T)
        until = np.where(rate > 0, distances / rate, np.inf)
    first = until.argmin(axis=1)
    places = directions * until[np.arange(len(directions)), first][:, None]
    total = np.zeros_like(normals)
    np.add.at(total, first, places)
    count = np.bincount(first, minlength=len(normals))
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count[:, None])


def _deepest(normals: Reals, distances: Reals, row: np.intp) -> Reals:
    """The point on one plane that is furthest inside all others; NaN where none is inside."""
    dimension = normals.shape[1]
    beside = normals @ normals[row] < 1 - TOLERANCE
    solved = linprog(
        np.append(np.zeros(dimension), -1.0),
        np.column_stack([-normals, np.ones(len(normals))])[beside],
        distances[beside],
        np.append(normals[row], 0.0)[None, :],
        [-distances[row]],
        bounds=[(None, None)] * dimension + [(0, None)],
        method="highs",
    )
    return np.asarray(solved.x[:dimension]) if solved.status == 0 else np.full(dimension, np.nan)
