"""The cells of a plane as a block of a page, which every renderer draws; so SVG comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hinge import page
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.creases import Crease
from hinge.regions.plane.shading import ColourBy, Shading, shading
from hinge.regions.plane.topology import Numbers, starts_of_sides
from hinge.report.text import number

_COLOURS = 6


def map_block(
    mesh: Mesh,
    colour_by: ColourBy = "cell",
    *,
    regions: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    creases: Mapping[str, Sequence[Crease]] | None = None,
    **texts: Any,
) -> page.Map:
    """Build the map: `hinge.report.to_svg` draws it as a file of its own.

    ``colour_by`` and what it needs are those of `shading`. ``creases`` are named; each name
    is a level of its own. ``texts`` are other fields of `hinge.page.Map`: its title, caption,
    labels of axes, titles of cells.
    """
    shades = shading(mesh, colour_by, regions=regions, outputs=outputs)
    named = creases or {}
    x, y = mesh.vertices.T.tolist()
    return page.Map(
        tuple(x),
        tuple(y),
        tuple(starts_of_sides(mesh).tolist()),
        tuple(mesh.offsets.tolist()),
        creases=tuple(
            page.Crease(name, tuple(_chain(mesh, crease) for crease in found), level)
            for level, (name, found) in enumerate(named.items())
        ),
        levels=tuple(named),
        **_key(shades, colour_by),
        **texts,
    )


def _key(shades: Shading, colour_by: ColourBy) -> dict[str, Any]:
    """The shades and what they mean; of cells none: neighbours then differ in colour."""
    if colour_by == "cell":
        return {}
    if colour_by == "region":
        return _regions(shades.values)
    low, high = shades.limits
    values: Reals = (shades.values - low) / (high - low)
    middle = "0" if shades.diverging else ""
    scale = page.Scale(shades.name, number(low), number(high), middle)
    return {"shades": tuple(values.tolist()), "key": scale}


def _regions(regions: Reals) -> dict[str, Any]:
    """The few colours that a page has, given to the regions in turn."""
    count = int(regions.max(initial=-1)) + 1
    names = tuple(
        f"region {k}" if k + _COLOURS >= count else f"regions {k}, {k + _COLOURS}, …"
        for k in range(min(count, _COLOURS))
    )
    return {"shades": tuple((regions % _COLOURS).tolist()), "key": names}


def _chain(mesh: Mesh, crease: Crease) -> tuple[int, ...]:
    """The vertices along a crease."""
    ends = mesh.edges[crease.edges].astype(np.int64)
    forwards = (mesh.vertices[ends[:, 0]] == crease.points[:-1]).all(axis=1)
    starts: Numbers = np.where(forwards, ends[:, 0], ends[:, 1])
    last = ends[-1, 1] if forwards[-1] else ends[-1, 0]
    return (*starts.tolist(), int(last))
