"""The cells of a plane as a block of a page, which every renderer draws; so SVG comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from hinge import page
from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.plane.parts import Parts, whole
from hinge.regions.plane.paths import paths
from hinge.regions.plane.shading import ColourBy, Shading, shading
from hinge.regions.plane.topology import Numbers, n_cells
from hinge.report.text import number

_COLOURS = 6


def map_block(
    mesh: Mesh,
    colour_by: ColourBy = "cell",
    *,
    folds: Mapping[str, Numbers] | None = None,
    lines: Mapping[str, Sequence[Reals]] | None = None,
    regions: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    parts: Parts | None = None,
    titles: Sequence[str] = (),
    **texts: Any,
) -> page.Map:
    """Build the map: `hinge.report.to_svg` draws it as a file of its own.

    ``colour_by`` and what it needs are those of `shading`; ``parts`` are drawn in place of
    the cells. ``folds`` are edges of the mesh (their numbers), each name a level of its own;
    ``lines`` are polylines ``(n, 2)`` that stand out from these. ``titles`` has a line about
    each cell. ``texts`` are other fields of `hinge.page.Map`: its title, caption, labels of
    axes, dots.
    """
    drawn, named, many = parts or whole(mesh), folds or {}, lines or {}
    shades = shading(mesh, colour_by, regions=regions, outputs=outputs, parts=parts)
    points = np.concatenate([drawn.points, *(one for some in many.values() for one in some)])
    x, y = points.T.tolist()
    creases = [
        page.Crease(name, chains(mesh, edges), level)
        for level, (name, edges) in enumerate(named.items())
    ]
    return page.Map(
        tuple(x),
        tuple(y),
        tuple(drawn.corners.tolist()),
        tuple(drawn.offsets.tolist()),
        titles=tuple(titles[cell] for cell in drawn.cells.tolist()) if titles else (),
        creases=(*creases, *_standing_out(many, len(drawn.points))),
        levels=tuple(named),
        noun="cell" if len(drawn.cells) == n_cells(mesh) else "part",
        **_key(shades, colour_by),
        **texts,
    )


def chains(mesh: Mesh, edges: Numbers) -> tuple[tuple[int, ...], ...]:
    """The vertices along the longest ways that some edges make without branching."""
    ends = mesh.edges[edges].astype(np.int64)
    joined = paths(ends)
    return tuple(tuple(joined.nodes(ends, k).tolist()) for k in range(len(joined)))


def _standing_out(lines: Mapping[str, Sequence[Reals]], first: int) -> Iterator[page.Crease]:
    """Polylines whose points follow each other from number ``first`` on."""
    for name, many in lines.items():
        ends = first + np.cumsum([0, *(len(one) for one in many)])
        found = tuple(tuple(range(*pair)) for pair in pairwise(ends.tolist()))
        first = int(ends[-1])
        if found:
            yield page.Crease(name, found, None)


def _key(shades: Shading, colour_by: ColourBy) -> dict[str, Any]:
    """The shades and what they mean; of cells none: neighbours then differ in colour."""
    if colour_by == "cell":
        return {}
    if colour_by == "region":
        return _regions(shades.values)
    if colour_by == "class":
        return _classes(shades.values)
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


def _classes(classes: Reals) -> dict[str, Any]:
    """A name for each output up to the last that wins somewhere."""
    count = int(classes.max(initial=-1)) + 1
    names = tuple(f"output {k} is the largest" for k in range(count))
    return {"shades": tuple(classes.tolist()), "key": names}
