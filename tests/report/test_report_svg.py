from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from math import inf, nan

import pytest

from hinge.page import Line, Lines
from hinge.report import to_svg
from hinge.report.svg import HEIGHT, WIDTH, lines_view

STEP = Lines(
    (Line("f′", (-1.0, 0.0, 0.0, 0.0, 1.0), (0, 0, nan, 1, 1), ((0, 0),)),),
    title="a <step>",
    x_label="x",
    marks=((0.0, "kink"), (7.0, "far & away")),
)


def test_the_file_is_xml_that_refers_to_nothing() -> None:
    text = to_svg(STEP)
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.find("{*}title").text == "a <step>"
    assert "script" not in text
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "prefers-color-scheme: dark" in text


def test_a_jump_lifts_the_pen_and_its_value_is_a_dot() -> None:
    view = lines_view(STEP)
    assert view is not None
    (line,) = view.lines
    assert [len(stroke.split()) for stroke in line.path.split("M")[1:]] == [2, 2]
    ((x, y),) = line.dots
    assert line.path.split(" ")[1] == f"{x},{y}"
    assert (x, y) == (view.zero_across, view.zero_down)
    assert (view.marks, view.said) == ([x], "kink at 0")
    assert view.beyond == ["far & away at 7, beyond the axis"]


@pytest.mark.parametrize("noise", [1e-13, -1e-13])
def test_the_last_bits_decide_no_digit(noise: float) -> None:
    """Many of these heights lie right between two digits: a pixel has 1/123 of the axis."""
    x = tuple(i / 16 for i in range(-64, 65))
    clean, noisy = (
        Lines((Line("f", x, tuple(at / 2 + shift * (abs(at) < 4) for at in x)),))
        for shift in (0.0, noise)
    )
    assert to_svg(noisy) == to_svg(clean)


def test_every_point_lies_within_the_picture() -> None:
    wild = Lines((Line("f", (-1e308, 0.0, inf, 3.0), (1e308, -inf, 0.0, -1e308), ((nan, 1.0),)),))
    view = lines_view(wild)
    assert view is not None
    points = re.findall(r"([\d.]+),([\d.]+)", view.lines[0].path)
    assert len(points) == 2
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in points)


def test_nothing_to_draw_is_said() -> None:
    empty = Lines((Line("f", (nan,), (1.0,)),))
    assert lines_view(empty) is None
    assert "nothing finite" in to_svg(empty)
