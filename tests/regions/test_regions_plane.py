"""What a user gets of a partitioned plane: laws, known truths, files, pictures, the page."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from known_networks import default_network, square
from torch import nn

import hinge
from hinge.errors import DataError, FileError, OptionError
from hinge.page import Map, Note, Table
from hinge.regions.plane.partition import PlanePartition
from hinge.report import to_html, to_text

SQUARE = hinge.Polygon(square(1))


def dense(weight, bias):
    layer = nn.Linear(len(weight[0]), len(weight)).double()
    layer.weight.data = torch.tensor(weight, dtype=torch.float64)
    layer.bias.data = torch.tensor(bias, dtype=torch.float64)
    return layer


def absolute(scale=1.0, shift=0.0):
    """scale * (|x| + |y|) + shift, and a unit that is off and one that is on in the square."""
    first = dense([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 0], [0, 1]], [0, 0, 0, 0, -5, 5])
    return nn.Sequential(first, nn.ReLU(), dense([[scale] * 4 + [0, 0]], [shift]))


def classifier(seed=0, n_in=2, n_out=3):
    torch.manual_seed(seed)
    layers = (nn.Linear(n_in, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, n_out))
    return nn.Sequential(*layers).double()


def outputs_of(model, inputs):
    with torch.no_grad():
        return model(torch.from_numpy(np.ascontiguousarray(inputs))).numpy()


def middles(found):
    return np.array([cell.mean(axis=0) for cell in found.cells])


@pytest.fixture(scope="module")
def cut():
    model = classifier()
    return model, hinge.partition(model, SQUARE, threads=1)


@pytest.fixture(scope="module")
def plane():
    model, rng = classifier(n_in=7, n_out=4), np.random.default_rng(0)
    domain = hinge.Plane.through(*rng.normal(0, 2, (3, 7)), margin=0.25)
    return model, domain, hinge.partition(model, domain, threads=1)


def stopped():
    """An incomplete partition with cells."""
    found = hinge.partition(
        default_network((64, 64, 64), 0), SQUARE, budget={"cells": 2000}, threads=1
    )
    assert not found.complete
    return found


def test_every_cell_is_found_again_at_its_middle(cut, plane):
    _, found = cut
    assert found.locate(middles(found)).tolist() == list(range(found.n_cells))
    _, domain, other = plane
    assert other.locate(domain.point(middles(other))).tolist() == list(range(other.n_cells))


def test_inputs_outside_are_nowhere(cut, plane):
    _, found = cut
    assert found.locate([[1.5, 0], [0, -1.0001], [0, 0]])[:2].tolist() == [-1, -1]
    _, domain, other = plane
    beside = domain.point(middles(other)[:3]) + np.linspace(0.1, 1, 7)
    assert other.locate(beside).tolist() == [-1] * 3
    with pytest.raises(DataError, match="not of the network's shape"):
        found.locate([1.0, 2.0, 3.0])


def test_the_affine_map_of_a_cell_is_the_network_there(plane):
    model, domain, found = plane
    rng = np.random.default_rng(1)
    for i in range(0, found.n_cells, 3):
        points = domain.point(rng.dirichlet(np.ones(len(found.cells[i])), 4) @ found.cells[i])
        weight, bias = found.affine(i)
        np.testing.assert_allclose(points @ weight.T + bias, outputs_of(model, points), atol=1e-11)


def test_never_folds_agrees_with_the_signs_of_a_dense_sample(cut):
    model, found = cut
    ticks = np.linspace(-1, 1, 401)
    sample = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    told = {(one.site, one.unit): one.state for one in found.never_folds}
    seen = {}
    for depth, site in ((1, "1"), (3, "3")):
        signs = outputs_of(model[:depth], sample) > 0
        seen |= {(site, unit): signs[:, unit].all() for unit in range(12)}
        for unit in range(12):
            some = signs[:, unit].any() and not signs[:, unit].all()
            assert not (some and (site, unit) in told)
            assert bool(found.creases(site, unit)) != ((site, unit) in told)
    assert {one: state == "on" for one, state in told.items()} == {one: seen[one] for one in told}
    assert "on" in told.values()
    assert "off" in told.values()


def test_a_level_set_lies_on_its_level_and_misses_nothing(cut):
    model, found = cut
    low, high = np.quantile(found.outputs[:, 1], [0.3, 0.6])
    for level in (low, high):
        lines = found.level_set(level, output=1)
        ends = lines.points[lines.segments]
        shares = np.linspace(0, 1, 5)[:, None, None, None]
        along = (ends[:, 0] + shares[..., 0] * (ends[:, 1] - ends[:, 0])).reshape(-1, 2)
        np.testing.assert_allclose(outputs_of(model, along)[:, 1], level, atol=1e-12)
        sides = found.outputs[found.edges, 1] - level
        assert len(lines.segments) >= (sides.prod(axis=1) < 0).sum() / 2 > 0
    with pytest.raises(OptionError, match="no such output"):
        found.level_set(0, output=3)


def test_the_decision_boundary_is_where_the_two_largest_are_equal(cut, plane):
    model, found = cut
    assert_on_the_boundary(model, found, lambda c: c)
    model, domain, found = plane
    assert_on_the_boundary(model, found, domain.point)


def assert_on_the_boundary(model, found, point):
    boundary = found.decision_boundary()
    assert len(boundary.segments)
    values = outputs_of(model, point(boundary.segments.mean(axis=1)))
    one, other = (values[np.arange(len(values)), k] for k in boundary.classes.T)
    np.testing.assert_allclose(one, other, atol=1e-11)
    np.testing.assert_allclose(one, values.max(axis=1), atol=1e-11)


def test_an_absolute_value_has_four_cells_and_known_jumps():
    """|x| turns its slope from -1 to 1 where x is 0; the fold of each unit is half of that."""
    found = hinge.partition(absolute(scale=3.0), SQUARE, threads=1)
    assert (found.n_cells, found.n_regions, found.certified, found.complete) == (4, 4, True, True)
    assert found.areas.tolist() == [1.0] * 4
    assert found.area == 4
    assert sorted(found.jumps.tolist()) == [0.0] * 8 + [6.0] * 4
    assert [found.jump("1", unit) for unit in range(6)] == [6.0] * 4 + [0.0] * 2
    assert found.largest_slope == pytest.approx(3 * 2**0.5)
    assert [(one.unit, one.state) for one in found.never_folds] == [(4, "off"), (5, "on")]


def assert_same(one, other):
    """Two saved partitions hold the same bits."""
    for name in ("corners", "origin", "directions"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    for field in fields(one.cut):
        ours, theirs = getattr(one.cut, field.name), getattr(other.cut, field.name)
        if isinstance(ours, tuple):
            assert ours == theirs
        else:
            assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
            assert ours.tobytes() == theirs.tobytes()


def test_json_is_read_back_bit_for_bit(plane, tmp_path):
    _, _, found = plane
    text = found.to_json()
    assert json.loads(text)["schema"] == "hinge/plane-partition"
    file = tmp_path / "plane.json"
    file.write_text(text)
    for again in (PlanePartition.from_json(text), PlanePartition.from_json(Path(file))):
        assert_same(found, again)
        assert again.to_json() == text
        assert (again.n_regions, again.never_folds) == (found.n_regions, found.never_folds)
        for ours, theirs in zip(found.affine(5), again.affine(5), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert to_html(again.page()) == to_html(found.page())


def test_json_of_an_incomplete_partition_is_read_back():
    found = stopped()
    again = PlanePartition.from_json(found.to_json())
    assert_same(found, again)
    assert not again.complete
    assert again.remaining_area == found.remaining_area > 0


def test_json_of_a_network_with_a_max_is_read_back():
    torch.manual_seed(0)
    pool = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    rng = np.random.default_rng(0)
    domain = hinge.Plane.through(*rng.normal(size=(3, 1, 5, 5)))
    found = hinge.partition(nn.Sequential(*pool, nn.Linear(8, 2)).double(), domain, threads=1)
    again = PlanePartition.from_json(found.to_json())
    assert_same(found, again)
    assert (again.n_cells, again.n_regions) == (found.n_cells, found.n_regions)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version": 1', '"version": 2'),
        ("plane-partition", "line-partition"),
        ('"vertices": "', '"vertices": "AAAA'),
        ('"vertices": "', '"vertices": "AAAAAAAA8H8AAAAAAADwfw'),
        ('"edges": "AAAA', '"edges": "AAAB'),
        ('"offsets": "AAAA', '"offsets": "AQAA'),
        ('"sides": "', '"sides": "_'),
        ('"patterns": "', '"patterns": "AAAA'),
        ('"label_sets": [[', '"label_sets": [[9999, '),
        ('"label_sets": [[', '"label_sets": [[-9, '),
        ('"corners": [[', '"corners": [['),
        ('"directions": [[', '"directions": [[1, 2], ['),
        ('"output": ', '"output": 99'),
        ('"shape": [6]', '"shape": [4]'),
    ],
)
def test_damaged_json_is_refused(old, new):
    text = hinge.partition(absolute(), SQUARE, threads=1).to_json()
    assert old in text
    damaged = text.replace(old, new, 1) if old != new else text[: text.index(old)]
    with pytest.raises(FileError):
        PlanePartition.from_json(damaged)


@pytest.mark.parametrize("name", ["edges", "labels", "offsets", "sides", "patterns", "flat"])
def test_arrays_that_do_not_belong_together_are_refused(name):
    one, other = (
        json.loads(hinge.partition(model, SQUARE, threads=1).to_json())
        for model in (classifier(), classifier(seed=1))
    )
    one["mesh"][name] = other["mesh"][name] if name != "flat" else "AQAAAP///38="
    with pytest.raises(FileError, match="not whole"):
        PlanePartition.from_json(json.dumps(one))


def test_geojson_holds_every_cell_and_every_crease(cut):
    _, found = cut
    features = json.loads(found.to_geojson())["features"]
    cells = [one["properties"] for one in features if one["geometry"]["type"] == "Polygon"]
    lines = [one for one in features if one["geometry"]["type"] == "LineString"]
    assert [cell["region"] for cell in cells] == found.region_of.tolist()
    drawn = {(line["properties"]["site"], line["properties"]["unit"]) for line in lines}
    still = {(one.site, one.unit) for one in found.never_folds}
    assert drawn == {(site, unit) for site in "13" for unit in range(12)} - still
    for site, unit in drawn:
        told = [one.points.tolist() for one in found.creases(site, unit)]
        own = [
            line["geometry"]["coordinates"]
            for line in lines
            if (line["properties"]["site"], line["properties"]["unit"]) == (site, unit)
        ]
        assert own == told


@pytest.mark.parametrize("colour_by", [None, "cell", "region", "class", "output", "area"])
def test_the_svg_and_the_plot_are_drawn_in_all_colours(plane, colour_by):
    _, _, found = plane
    assert ET.fromstring(found.to_svg(colour_by)).tag.endswith("svg")  # noqa: S314 - our own text
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib.figure import Figure  # noqa: PLC0415 - optional

    ax = Figure().add_subplot()
    assert found.plot(ax, colour_by=colour_by) is ax
    polygons, boundary = ax.collections[:2]
    assert len(polygons.get_paths()) >= found.n_cells
    assert len(boundary.get_paths()) == len(found.decision_boundary().borders())


def test_an_unknown_colour_is_an_error(cut):
    with pytest.raises(OptionError, match="not coloured by that"):
        cut[1].to_svg("taste")


def test_the_page_names_layers_classes_and_the_boundary(cut):
    _, found = cut
    block, table = found.page().blocks[:2]
    assert isinstance(block, Map)
    assert block.levels == ("layer 1: 1", "layer 2: 3")
    assert [one.name for one in block.creases] == [*block.levels, "decision boundary"]
    assert (block.x_label, block.y_label, block.dots) == ("input 0", "input 1", ())
    points = np.column_stack((block.x, block.y))
    strong = [points[list(chain)] for chain in block.creases[-1].chains]
    borders = [one.points for one in found.decision_boundary().borders()]
    assert [one.tolist() for one in strong] == [one.tolist() for one in borders]
    assert isinstance(table, Table)
    assert [column.name for column in table.columns[2:]] == [
        "fold",
        "proven off",
        "proven on",
        "proven linear",
    ]
    assert [row[1] for row in table.rows] == [12, 12]
    assert all(sum(row[2:]) == row[1] for row in table.rows)
    assert sum(sum(row[3:]) for row in table.rows) == len(found.never_folds)


def test_each_part_of_the_picture_has_the_colour_of_its_class(cut):
    model, found = cut
    block = found.page().blocks[0]
    points = np.column_stack((block.x, block.y))
    for begin, end, winner in zip(block.starts[:-1], block.starts[1:], block.shades, strict=True):
        middle = points[list(block.corners[begin:end])].mean(axis=0)
        assert outputs_of(model, middle).argmax() == winner


def test_the_page_of_a_plane_through_three_inputs_shows_them(plane):
    model, domain, found = plane
    block = found.page().blocks[0]
    places = [(one.x[0], one.y[0]) for one in block.dots]
    assert places == [(0, 0), (1, 0), (0, 1)]
    assert block.x_label == "towards the second input"
    other = hinge.Plane(domain.origin, domain.u, domain.v, SQUARE)
    assert hinge.partition(model, other, threads=1).page().blocks[0].dots == ()


def test_the_zero_of_a_single_output_is_named():
    found = hinge.partition(absolute(shift=-0.5), SQUARE, threads=1)
    *_, zero = found.page().blocks[0].creases
    assert (zero.name, zero.level) == ("output = 0", None)


def test_an_incomplete_partition_shows_its_cells_and_proves_nothing():
    found = stopped()
    page = found.page()
    block, table, *notes = page.blocks
    assert len(block.starts) - 1 >= found.n_cells > 0
    assert page.summary.startswith("At least")
    assert "of the area is not cut yet" in page.summary
    assert [column.name for column in table.columns[3:]] == ["off", "on", "linear"]
    assert any(isinstance(note, Note) and note.tone == "warning" for note in notes)
    assert "proven" not in to_text(page)


def test_without_a_cell_there_is_no_empty_picture():
    found = hinge.partition(absolute(), SQUARE, threads=1)
    mesh = found.cut
    nothing = type(mesh)(
        mesh.vertices[:0],
        mesh.edges[:0],
        mesh.labels[:0],
        (),
        mesh.offsets[:1],
        mesh.sides[:0],
        mesh.patterns[:0],
        mesh.flat[:0],
    )
    none = PlanePartition(
        found.program,
        nothing,
        found.corners,
        found.layouts,
        found.input_shape,
        found.origin,
        found.directions,
        complete=False,
    )
    assert [type(block) for block in none.page().blocks] == [Note]
    assert "No cell was complete" in str(none)
    assert none.never_folds == ()
    assert none.remaining_area == 4
    assert PlanePartition.from_json(none.to_json()).n_cells == 0
    for draw in (none.to_svg, none.plot):
        with pytest.raises(DataError, match="no cell to draw"):
            draw()
