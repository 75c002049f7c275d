"""Cells as GeoJSON, as a map and as a plot: what is drawn is what the mesh holds."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hand_programs import AROUND, random_program, relu_program
from slow_cells import subdivide
from test_regions_creases import ABS, one_per_entry
from test_regions_dissolve import grid

from hinge.errors import DataError, OptionError
from hinge.page import Scale
from hinge.regions.plane.boundary import decision_boundary
from hinge.regions.plane.creases import Creases
from hinge.regions.plane.geojson import to_geojson
from hinge.regions.plane.geometry import areas
from hinge.regions.plane.map_block import map_block
from hinge.regions.plane.parts import by_class
from hinge.regions.plane.plot import plot_mesh
from hinge.regions.plane.shading import shading
from hinge.regions.plane.topology import n_cells
from hinge.report import to_svg

RING = relu_program(ABS, ([[1.0] * 4], [-0.5]), ([[0.0]], [0.0]))


def ring():
    """The cells of |x| + |y| - 1/2, and its crease."""
    mesh = subdivide(RING, AROUND)
    return mesh, Creases(mesh).of_unit(RING, {"relu1": one_per_entry(1)}, "relu1", 0)


def shading_needs(mesh, colour_by):
    """What these colours need."""
    if colour_by == "class":
        outputs = mesh.vertices @ [[1.0, -1.0], [2.0, 1.0]]
        return {"parts": by_class(decision_boundary(mesh, outputs))}
    numbers = {"region": {"regions": np.arange(n_cells(mesh))}}
    return (numbers | {"output": {"outputs": mesh.vertices @ [1.0, 2.0]}}).get(colour_by, {})


def shoelace(points):
    x, y = np.array(points).T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) / 2


def test_geojson_holds_closed_rings_counter_clockwise_with_their_areas():
    mesh = subdivide(random_program([7, 5, 1], 2), AROUND)
    found = json.loads(to_geojson(mesh))
    assert found["type"] == "FeatureCollection"
    assert found["crs"] is None
    assert "not longitude and latitude" in found["hinge"]["coordinates"]
    assert len(found["features"]) == n_cells(mesh)
    for cell, feature in enumerate(found["features"]):
        (line,) = feature["geometry"]["coordinates"]
        assert line[0] == line[-1]
        assert shoelace(line) == pytest.approx(feature["properties"]["area"])
        assert feature["properties"]["cell"] == cell
        assert "region" not in feature["properties"]


def test_geojson_holds_regions_and_creases():
    mesh, (crease,) = ring()
    regions = np.arange(n_cells(mesh)) // 2
    found = json.loads(to_geojson(mesh, regions=regions, creases=[("relu1", 0, crease)]))
    *cells, line = found["features"]
    assert [cell["properties"]["region"] for cell in cells] == regions.tolist()
    assert line["geometry"] == {"type": "LineString", "coordinates": crease.points.tolist()}
    assert line["properties"] == {"site": "relu1", "unit": 0, "entry": 0, "break_index": 0}


def test_a_map_holds_the_polygons_the_creases_and_the_lines():
    mesh, (crease,) = ring()
    ways = [np.array([[-1.0, -1.0], [1.0, 0.5]]), np.array([[0.0, 0.1], [0.2, 0.3], [0.4, 0.6]])]
    found = map_block(mesh, folds={"relu1": crease.edges}, lines={"way": ways}, title="a ring")
    assert (found.title, found.shades, found.levels) == ("a ring", (), ("relu1",))
    sizes = []
    for begin, end in zip(found.starts[:-1], found.starts[1:], strict=True):
        loop = [*found.corners[begin:end], found.corners[begin]]
        sizes.append(shoelace([(found.x[k], found.y[k]) for k in loop]))
    assert sizes == pytest.approx(areas(mesh).tolist())
    folded, strong = found.creases
    assert (folded.level, strong.level, strong.name) == (0, None, "way")
    (chain,) = folded.chains
    assert set(places(found, chain)) == set(map(tuple, crease.points.tolist()))
    assert len(chain) == len(crease.points)
    assert [places(found, one) for one in strong.chains] == [
        list(map(tuple, way.tolist())) for way in ways
    ]


def places(block, chain):
    return [(block.x[k], block.y[k]) for k in chain]


def test_the_chains_of_a_map_are_the_edges_given():
    mesh = subdivide(random_program([8, 6, 1], 3), AROUND)
    edges = np.arange(0, len(mesh.edges), 2)
    (found,) = map_block(mesh, folds={"relu1": edges}).creases
    drawn = [tuple(sorted(pair)) for chain in found.chains for pair in pairwise(chain)]
    assert sorted(drawn) == sorted(tuple(sorted(pair)) for pair in mesh.edges[edges].tolist())


def test_cells_that_the_boundary_crosses_are_drawn_in_parts_of_one_class():
    mesh = grid(2)
    outputs = mesh.vertices @ [[0.0, 1.0], [0.0, 1.0]] + [1.1, 0.0]
    parts = by_class(decision_boundary(mesh, outputs))
    found = map_block(mesh, "class", parts=parts, titles=["a", "b", "c", "d"])
    assert found.noun == "part"
    assert len(found.titles) == len(found.shades) == len(found.starts) - 1 > n_cells(mesh)
    sizes = dict.fromkeys("abcd", 0.0)
    ones = 0.0
    for polygon, title, winner in zip(parts.polygons(), found.titles, found.shades, strict=True):
        size = shoelace([*polygon, polygon[0]])
        sizes[title] += size
        ones += size * winner
        assert winner == (polygon.mean(axis=0).sum() > 1.1)
    assert list(sizes.values()) == pytest.approx(areas(mesh).tolist())
    assert ones == pytest.approx(0.9**2 / 2)


@pytest.mark.parametrize(
    "colour_by", ["cell", "region", "class", "area", "output", "pattern count"]
)
def test_a_map_is_drawn_as_svg(colour_by):
    mesh, lines = ring()
    given = shading_needs(mesh, colour_by)
    block = map_block(mesh, colour_by, folds={"r": lines[0].edges}, **given)
    assert ET.fromstring(to_svg(block)).tag.endswith("svg")  # noqa: S314 - our own text
    if block.shades:
        assert len(block.shades) == len(block.starts) - 1 >= n_cells(mesh)
        assert max(block.shades) <= (1 if isinstance(block.key, Scale) else len(block.key) - 1)


def test_regions_of_one_colour_are_named_together():
    mesh = grid(4)
    many = map_block(mesh, "region", regions=np.arange(16) // 2)
    assert many.key[:3] == ("regions 0, 6, …", "regions 1, 7, …", "region 2")
    assert map_block(mesh, "region", regions=np.zeros(16)).key == ("region 0",)


def test_shades_are_what_they_are_called():
    mesh = grid(2)
    assert shading(mesh, "area").values == pytest.approx(np.log10([0.25] * 4))
    assert sorted(shading(mesh, "pattern count").values) == [0, 1, 1, 2]
    output = shading(mesh, "output", outputs=mesh.vertices[:, 0])
    assert sorted(output.values) == [0.25, 0.25, 0.75, 0.75]
    assert output.limits == (0.25, 0.75)
    signed = shading(mesh, "output", outputs=mesh.vertices[:, 0] - 0.5)
    assert (output.diverging, signed.diverging) == (False, True)
    assert signed.limits == (-0.25, 0.25)
    assert shading(mesh, "region", regions=[3, 3, 3, 3]).limits == (2.5, 3.5)


@pytest.mark.parametrize(
    ("colour_by", "given"), [("region", {}), ("class", {}), ("output", {"outputs": [1.0]})]
)
def test_colours_without_their_numbers_are_an_error(colour_by, given):
    with pytest.raises(DataError, match="one number for each"):
        shading(grid(2), colour_by, **given)


def test_an_unknown_colour_is_an_error():
    with pytest.raises(OptionError, match="not coloured by that"):
        shading(grid(2), "taste")


@pytest.mark.parametrize(
    "colour_by", ["cell", "region", "class", "area", "output", "pattern count"]
)
def test_a_plot_holds_every_cell(colour_by):
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib.figure import Figure  # noqa: PLC0415 - optional

    mesh, lines = ring()
    ax = Figure().add_subplot()
    given = shading_needs(mesh, colour_by)
    assert plot_mesh(mesh, ax, colour_by, lines=[one.points for one in lines], **given) is ax
    cells, creases = ax.collections[:2]
    assert len(cells.get_paths()) == len(
        given["parts"].cells if "parts" in given else mesh.patterns
    )
    assert len(creases.get_paths()) == 1
    assert ax.get_xlim()[0] <= -1
    ax.figure.canvas.draw()


def test_a_plot_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(OptionError, match="needs matplotlib"):
        plot_mesh(grid(2))
