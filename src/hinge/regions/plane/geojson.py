"""The cells of a plane, and creases, as GeoJSON: for every tool that reads polygons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from hinge.regions.cutting.mesh import Mesh
from hinge.regions.plane.creases import Crease
from hinge.regions.plane.geometry import areas
from hinge.regions.plane.topology import starts_of_sides

_ABOUT = (
    "x and y are coordinates in the plane of the domain, in its own units. They are not "
    "longitude and latitude, which RFC 7946 takes for granted."
)


def to_geojson(
    mesh: Mesh,
    *,
    regions: npt.ArrayLike | None = None,
    creases: Iterable[tuple[str, int | None, Crease]] = (),
) -> str:
    """A FeatureCollection (RFC 7946): a Polygon for each cell, a LineString for each crease.

    A cell has the properties ``cell`` (its number), ``area`` and, where ``regions`` ``(F,)``
    are given, ``region``; a crease, given with its site and unit (None if not known), has
    ``site``, ``unit``, ``entry`` and ``break_index``. ``crs`` is null, which readers of the
    format's first edition (2008) take for "none"; the member ``hinge`` says what the
    coordinates are. Numbers have all their digits.
    """
    features = [*_cells(mesh, regions), *(_line(*one) for one in creases)]
    head = {"type": "FeatureCollection", "crs": None, "hinge": {"coordinates": _ABOUT}}
    listed = ",\n".join(json.dumps(feature, allow_nan=False) for feature in features)
    return json.dumps(head)[:-1] + ', "features": [\n' + listed + "\n]}\n"


def _cells(mesh: Mesh, regions: npt.ArrayLike | None) -> Iterator[dict[str, Any]]:
    corners = mesh.vertices[starts_of_sides(mesh)].tolist()
    sizes = areas(mesh).tolist()
    number = None if regions is None else np.asarray(regions).tolist()
    bounds = zip(mesh.offsets[:-1].tolist(), mesh.offsets[1:].tolist(), strict=True)
    for cell, (begin, end) in enumerate(bounds):
        ring = [*corners[begin:end], corners[begin]]
        properties: dict[str, Any] = {"cell": cell, "area": sizes[cell]}
        if number is not None:
            properties["region"] = number[cell]
        yield _feature("Polygon", [ring], properties)


def _line(site: str, unit: int | None, crease: Crease) -> dict[str, Any]:
    properties = {
        "site": site,
        "unit": unit,
        "entry": crease.entry,
        "break_index": crease.break_index,
    }
    return _feature("LineString", crease.points.tolist(), properties)


def _feature(kind: str, coordinates: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}
