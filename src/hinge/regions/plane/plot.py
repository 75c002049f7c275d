"""The cells of a plane drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from hinge.regions.cutting.mesh import Mesh, Reals
from hinge.regions.figures import new_axes
from hinge.regions.plane.parts import Parts, whole
from hinge.regions.plane.shading import ColourBy, Shading, shading

_MANY = 20_000
"""With more cells than this, lines between them would hide them."""

_GOLDEN = 0.6180339887498949
"""Multiples of it, modulo 1, stay apart: numbers that follow each other differ in colour."""


def plot_mesh(
    mesh: Mesh,
    ax: Any = None,
    colour_by: ColourBy = "cell",
    *,
    regions: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    parts: Parts | None = None,
    lines: Sequence[Reals] = (),
) -> Any:
    """Draw the cells into matplotlib's ``ax`` (a new one), and return it.

    ``colour_by`` and what it needs are those of `shading`; ``parts`` are drawn in place of
    the cells, ``lines``, polylines ``(n, 2)``, on top of them. Raises
    `OptionError` where matplotlib is not installed.
    """
    shades = shading(mesh, colour_by, regions=regions, outputs=outputs, parts=parts)
    if ax is None:
        ax = new_axes()
    from matplotlib import collections  # noqa: PLC0415 - optional

    polygons = (parts or whole(mesh)).polygons()
    width = 0.0 if len(polygons) > _MANY else 0.3
    drawn = collections.PolyCollection(polygons, edgecolors="0.25", linewidths=width)
    _colour(drawn, shades)
    ax.add_collection(drawn)
    if len(lines):
        ax.add_collection(collections.LineCollection(lines, colors="black", linewidths=1.2))
    if shades.name:
        ax.figure.colorbar(drawn, ax=ax, label=shades.name)
    ax.autoscale_view()
    ax.set_aspect("equal")
    return ax


def _colour(drawn: Any, shades: Shading) -> None:
    if shades.name:
        drawn.set_array(shades.values)
        drawn.set_clim(*shades.limits)
        drawn.set_cmap("RdBu_r" if shades.diverging else "viridis")
    else:
        drawn.set_array(shades.values * _GOLDEN % 1.0)
        drawn.set_clim(0.0, 1.0)
        drawn.set_cmap("Pastel1")
