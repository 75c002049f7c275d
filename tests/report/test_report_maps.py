from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from map_cases import QUARTERS, lattice, maps

from hinge.page import Crease, Dots, Map, Page, Scale
from hinge.report import dump, load, to_html, to_junit, to_svg, write_svg
from hinge.report.maps import MapView, map_view

SVG = "{http://www.w3.org/2000/svg}"
HALVES = replace(QUARTERS, shades=(0.0, 0.49, 1.0, nan), key=Scale("output", "low", "high"))


def view_of(block: Map) -> MapView:
    view = map_view(block)
    assert view is not None
    return view


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path)]


def looks(view: MapView) -> dict[str, str]:
    """The look of each cell by its title."""
    return {patch.title: layer.look for layer in view.layers for patch in layer.patches}


def test_cells_lie_where_they_should_and_y_goes_up() -> None:
    view = view_of(QUARTERS)
    patches = {patch.title: patch for layer in view.layers for patch in layer.patches}
    middle = ((view.left + view.right) / 2, (view.top + view.bottom) / 2)
    assert points(patches["south-west"].path) == [
        (view.left, view.bottom),
        (middle[0], view.bottom),
        middle,
        (view.left, middle[1]),
    ]
    assert (view.right - view.left) == (view.bottom - view.top)


def test_neighbours_differ_in_colour() -> None:
    found = looks(view_of(QUARTERS))
    assert len(found) == 4
    for one, other in (("south-west", "south-east"), ("south-west", "north-west")):
        assert found[one] != found[other]


def test_a_scale_is_drawn_in_steps_and_nothing_where_there_is_no_value() -> None:
    view = view_of(HALVES)
    assert looks(view) == {
        "south-west": "scale-0",
        "south-east": "scale-4",
        "north-west": "scale-8",
        "north-east": "blank",
    }
    assert view.scale is not None
    assert (view.scale.name, [text for *_, text in view.scale.texts]) == ("output", ["low", "high"])
    sides = view_of(replace(HALVES, key=Scale("output", "-1", "1", "0")))
    assert looks(sides)["south-east"] == "side-4"
    assert sides.scale is not None
    assert [text for *_, text in sides.scale.texts] == ["-1", "0", "1"]


def test_names_are_indices_and_stand_in_the_key() -> None:
    view = view_of(replace(QUARTERS, shades=(1, 1, 0, 1), key=("cat", "dog")))
    assert looks(view)["north-west"] == "name-0"
    assert looks(view)["north-east"] == "name-1"
    assert [(e.kind, e.text) for e in view.key[:2]] == [("fill", "cat"), ("fill", "dog")]


def test_creases_lie_deep_ones_first_and_what_stands_out_last() -> None:
    view = view_of(QUARTERS)
    assert [(one.look, one.name) for one in view.creases] == [
        ("crease-1 dashed", "relu#2: unit 5"),
        ("crease-0", "relu: unit 0"),
        ("crease-strong", "class boundary"),
    ]
    assert view.creases[0].path.count("M") == 2
    key = [(entry.kind, entry.look, entry.text) for entry in view.key]
    assert key[:3] == [
        ("crease", "crease-0", "relu"),
        ("crease", "crease-1", "relu#2"),
        ("crease", "crease-strong", "class boundary"),
    ]
    assert [text for *_, text in key[3:]] == ["zeros", "ones"]


def test_levels_differ_in_colour_and_in_width() -> None:
    style = re.search(r"<style>(.*?)</style>", to_svg(QUARTERS), re.DOTALL)
    assert style is not None
    for property_, count in (("stroke", 6), ("stroke-width", 6)):
        found = re.findall(rf"\.crease-\d {{ {property_}: ([^;]+);", style[1])[:count]
        assert len(set(found)) == count
    assert "prefers-color-scheme: dark" in style[1]


def test_dots_beyond_the_map_are_counted() -> None:
    view = view_of(QUARTERS)
    assert [len(kind.places) for kind in view.dots] == [1, 1]
    assert view.dots[0].shape != view.dots[1].shape
    assert "1 point of the data beyond the map." in view.remarks


def test_a_dot_on_the_border_is_inside_in_spite_of_rounding() -> None:
    dots = (Dots("d", (2.0 + 4e-16, -1e-15, 2.1), (1.0, 1.0, 1.0)),)
    view = view_of(replace(QUARTERS, dots=dots))
    assert len(view.dots[0].places) == 2


def test_the_file_is_xml_that_refers_to_nothing(tmp_path: Path) -> None:
    text = write_svg(QUARTERS, tmp_path / "map.svg").read_text("utf-8")
    assert text == to_svg(QUARTERS)
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert root.find(f"{SVG}title").text == "Quarters"
    assert root.find(f"{SVG}desc").text == "Quarters: 4 cells"
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert {"south-west", "relu: unit 0", "zeros"} <= set(titles)
    assert {"width", "height", "relu#2"} <= {element.text for element in root.iter(f"{SVG}text")}
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "script" not in text


def test_axes_of_one_kind_keep_their_ratio_and_others_fill_the_room() -> None:
    wide = view_of(replace(QUARTERS, x=tuple(2 * x for x in QUARTERS.x)))
    assert (wide.right - wide.left) == pytest.approx(2 * (wide.bottom - wide.top), abs=2)
    needle = view_of(replace(QUARTERS, y=tuple(1e-9 * y for y in QUARTERS.y)))
    assert needle.bottom - needle.top > 200
    assert len(needle.y_ticks) >= 2


def test_the_largest_cells_are_drawn_and_the_rest_is_said() -> None:
    start = time.perf_counter()
    block = lattice(320, titles=tuple(f"cell {i}" for i in range(320**2)))
    html = to_html(Page("p", blocks=(block,)))
    assert time.perf_counter() - start < 10
    assert len(html.encode()) < 3_000_000
    view = view_of(block)
    assert sum(len(layer.patches) for layer in view.layers) == 4000
    assert "Only the 4\u202f000 largest cells have a text to point at." in view.remarks
    drawn = sum(layer.path.count("z") + len(layer.patches) for layer in view.layers)
    assert drawn == 25_000
    (said,) = [remark for remark in view.remarks if "smaller" in remark]
    assert "77\u202f400 smaller ones, 75.6\u202f% of the area, are not" in said


def test_the_largest_are_the_largest() -> None:
    n = 25_001
    edges = np.concatenate([[0], np.cumsum(1 + np.arange(n) % 7)])
    corners = [c for i in range(n) for c in (2 * i, 2 * i + 2, 2 * i + 3, 2 * i + 1)]
    block = Map(
        tuple(np.repeat(edges, 2).tolist()),
        (0.0, 1.0) * (n + 1),
        tuple(corners),
        tuple(range(0, 4 * n + 1, 4)),
        tuple(float(i % 7 > 0) for i in range(n)),
        Scale("more than the least", "no", "yes"),
    )
    counts = {layer.look: layer.path.count("z") for layer in view_of(block).layers}
    assert counts["scale-8"] == sum(i % 7 > 0 for i in range(n))


def test_too_many_creases_are_counted() -> None:
    crease = Crease("all", ((0, 1),) * 100_000)
    view = view_of(replace(QUARTERS, creases=(crease, replace(crease, level=1))))
    assert "140\u202f000 lines of creases not drawn." in view.remarks
    assert [one.look for one in view.creases] == ["crease-0"]


def test_what_is_not_finite_is_left_out_and_said() -> None:
    broken = replace(QUARTERS, x=(nan, *QUARTERS.x[1:]))
    view = view_of(broken)
    assert set(looks(view)) == {"south-east", "north-west", "north-east"}
    assert "1 cell not finite, left out." in view.remarks
    assert "nan" not in to_svg(broken).lower().replace("dominant", "")
    nothing = replace(QUARTERS, x=(inf,) * 9)
    assert map_view(nothing) is None
    assert "nothing finite" in to_svg(nothing)
    assert "nothing finite" in to_html(Page("p", blocks=(nothing,)))


@given(maps(st.text(max_size=8)))
def test_any_map_is_drawn_within_its_frame(block: Map) -> None:
    ET.fromstring(to_svg(block))  # noqa: S314 - our own text
    view = map_view(block)
    if view is None:
        return
    paths = [one.path for one in view.creases]
    paths += [
        path for layer in view.layers for path in (layer.path, *(p.path for p in layer.patches))
    ]
    for x, y in (place for path in paths for place in points(path)):
        assert view.left <= x <= view.right
        assert view.top <= y <= view.bottom


@pytest.mark.parametrize("noise", [1e-13, -1e-13])
def test_the_last_bits_decide_no_digit(noise: float) -> None:
    block = lattice(7)
    noisy = replace(block, x=tuple(x + noise * (0 < x < 1) for x in block.x))
    assert to_svg(noisy) == to_svg(block)


def test_a_map_is_compared_written_and_no_check() -> None:
    assert replace(QUARTERS) == QUARTERS
    assert hash(QUARTERS) == hash(replace(QUARTERS))
    back = load(dump({"map": HALVES}, "test", 1), "test", 1)["map"]
    assert back["corners"] == list(QUARTERS.corners)
    assert back["key"] == {"name": "output", "low": "low", "high": "high", "middle": ""}
    assert "testcase" not in to_junit(Page("p", blocks=(QUARTERS,)))
