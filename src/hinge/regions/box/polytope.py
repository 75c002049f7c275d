"""One cell as a polytope: a point well inside, its facets, its corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import HalfspaceIntersection, QhullError

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TOLERANCE = 1e-9
"""Share of a cell's size below which two places are one."""

_NEAREST = 12
"""So many half-spaces per dimension go to Qhull first; those that still cut come after."""

_CENTRING = 3


@dataclass(frozen=True, eq=False)
class Facets:
    """The facets of a cell, and its corners.

    ``rows`` ``(F,)``: one half-space for each facet; ``equal`` ``(F, n)`` marks all that share
    it; ``middles`` ``(F, d)`` a point inside of each, ``margins`` ``(F,)`` its distance from
    all half-spaces that do not. ``corners`` ``(k, d)``; None where only facets were sought.
    ``left_out``: how many half-spaces touch the cell in less than a facet, or nearly so.
    """

    rows: Indices
    equal: Flags
    middles: Reals
    margins: Reals
    corners: Reals | None
    left_out: int


def centred(normals: Reals, distances: Reals, points: Reals, inward: Reals) -> tuple[Reals, Reals]:
    """Move points to places further inside of their cells, ``B`` of them at once.

    ``normals`` ``(B, n, d)`` unit or 0, ``distances`` ``(B, n)`` from ``points`` ``(B, d)``,
    not below 0. First along ``inward`` ``(B, d)``, then along axes, then away from the nearest
    half-space: each time to the middle of the chord. Returns points and distances.
    """
    dimension = points.shape[1]
    axes = np.eye(dimension)
    points, distances = points.copy(), distances.copy()
    everywhere = np.arange(len(points))
    for turn in range(1 + _CENTRING * (dimension + 2)):
        kind = turn % (dimension + 2)
        if turn == 0:
            along = inward
        elif kind < dimension:
            along = np.broadcast_to(axes[kind], points.shape)
        else:
            held = np.where(np.abs(normals).sum(axis=2) > 0, distances, np.inf)
            along = normals[everywhere, held.argmin(axis=1)]
        rate = np.einsum("bnd,bd->bn", normals, along)
        with np.errstate(divide="ignore", invalid="ignore"):
            until = np.where(rate != 0, -distances / rate, np.nan)
        ahead = np.where(rate < 0, until, np.inf).min(axis=1)
        behind = np.where(rate > 0, until, -np.inf).max(axis=1)
        closed = np.isfinite(ahead) & np.isfinite(behind)
        step = np.where(closed, ahead, 0.0) / 2 + np.where(closed, behind, 0.0) / 2
        points += step[:, None] * along
        distances = np.maximum(distances + rate * step[:, None], 0.0)
    return points, distances


def facets(normals: Reals, distances: Reals) -> Facets | None:
    """The facets of ``normals @ x + distances >= 0`` about 0, a point inside, by Qhull's duality.

    ``normals`` ``(n, d)`` are unit vectors, ``distances`` ``(n,)`` above 0; the half-spaces
    bound a polytope. None where Qhull finds none: a cell that is too flat for float64.
    """
    dimension = normals.shape[1]
    if dimension == 1:
        corners = np.array([[-distances[normals[:, 0] > 0].min()], [0.0]])
        corners[1] = distances[normals[:, 0] < 0].min()
        return _sorted_out(normals, distances, corners)
    nearest = np.argsort(distances)[: _NEAREST * dimension]
    used = np.zeros(len(distances), bool)
    used[nearest] = True
    used[-2 * dimension :] = True  # the sides of the box
    while True:
        halfspaces = np.column_stack([-normals[used], -distances[used]])
        try:
            corners = HalfspaceIntersection(halfspaces, np.zeros(dimension)).intersections
        except QhullError:
            return None
        if not np.isfinite(corners).all():
            return None
        size = np.abs(corners).max()
        cuts = (normals @ corners.T + distances[:, None]).min(axis=1) < -TOLERANCE * size
        if not (cuts & ~used).any():
            return _sorted_out(normals, distances, corners)
        used |= cuts


def _sorted_out(normals: Reals, distances: Reals, corners: Reals) -> Facets:
    """Tell facets by their corners: half-spaces that hold enough of them, and not at an edge."""
    dimension = normals.shape[1]
    tolerance = TOLERANCE * float(np.abs(corners).max())
    heights = normals @ corners.T + distances[:, None]
    on = np.abs(heights) <= tolerance
    held = np.flatnonzero(on.sum(axis=1) >= dimension)
    middles = (on[held] @ corners) / on[held].sum(axis=1)[:, None]
    return judged(normals, distances, held, middles, corners=corners, tolerance=tolerance)


def judged(
    normals: Reals,
    distances: Reals,
    held: Indices,
    middles: Reals,
    *,
    corners: Reals | None,
    tolerance: float,
) -> Facets:
    """Join half-spaces that share a facet; leave out those that only touch an edge or a corner."""
    away = np.abs(distances[held][:, None] - distances) <= tolerance
    turned = np.abs(normals[held][:, None, :] - normals).max(axis=2)
    equal = away & (turned <= 10 * TOLERANCE)
    room = normals @ middles.T + distances[:, None]
    margins = np.where(equal.T, np.inf, room).min(axis=0)
    first = equal.argmax(axis=1) == held
    kept = first & (margins > tolerance)
    return Facets(
        held[kept],
        equal[kept],
        middles[kept],
        margins[kept],
        corners,
        int(np.count_nonzero(first & ~kept)),
    )
