"""`hinge partition`: which domain it asks for, and what it does with what it is given."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
from cli_cases import assert_mistake

import hinge
from hinge import Box, Plane, Polygon, Segment
from hinge.cli import partitioning
from hinge.cli.progress import Advance
from hinge.errors import ModelError
from hinge.page import Map, Note, Page
from hinge.regions.line.partition import LinePartition
from hinge.regions.plane.partition import PlanePartition

MODEL = ("partition", "net.onnx")
TRIANGLE = Map((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0, 1, 2), (0, 3))
FLAT = """
from torch import nn

def one(): return nn.Sequential(nn.Linear(1, 2), nn.ReLU())
def two(): return nn.Sequential(nn.Linear(2, 2), nn.ReLU())
def three(): return nn.Sequential(nn.Flatten(), nn.Linear(3, 2), nn.ReLU())
"""
DEEP = """
import torch
from torch import nn

def net(width):
    torch.manual_seed(0)
    hidden = [nn.Linear(2, width), nn.ReLU()]
    for _ in range(2):
        hidden += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(width, 2))

def middling(): return net(64)
def large(): return net(384)
"""


@dataclass
class Found:
    """A partition as far as the program looks at it."""

    complete: bool = True
    n_cells: int = 7

    def page(self) -> Page:
        return Page("", "7 cells.", (TRIANGLE,))

    def to_json(self) -> str:
        return '{"cells": 7}'

    def to_geojson(self) -> str:
        return '{"type": "FeatureCollection"}'


class Searched(Found):
    """One that has neither a picture nor a map."""

    to_geojson = None

    def page(self) -> Page:
        return Page("", "", (Note("searched"),))


@pytest.fixture
def asked(monkeypatch):
    """Stand in for the verb; return what it was asked for."""
    calls: list[dict] = []

    def partition(network, domain, **options):
        calls.append({"network": network, "domain": domain, **options})
        return Found()

    monkeypatch.setattr(hinge, "partition", partition, raising=False)
    return calls


def stand_in(monkeypatch, partition) -> None:
    monkeypatch.setattr(hinge, "partition", partition, raising=False)


def test_a_plane_goes_through_three_examples(work, run, asked, examples):
    result = run(*MODEL, "--plane", "data.npz@299,5,9", "--margin", "0.5")
    assert result.exit_code == 0, result.output
    plane = asked[0]["domain"]
    assert isinstance(plane, Plane)
    middle = np.full((1, 2), 1 / 3)
    assert plane.point([(0, 0), (1, 0), (0, 1)]) == pytest.approx(examples[[299, 5, 9]])
    assert np.ptp(plane.corners, axis=0) == pytest.approx([1.5, 1.5])
    assert plane.corners.mean(axis=0) == pytest.approx(middle[0])
    assert asked[0]["network"].input_shape == (3,)


def test_a_segment_joins_two_examples_or_two_inputs(work, run, asked, examples):
    run(*MODEL, "--segment", "data.npz@1,2")
    run(*MODEL, "--segment", "-1,0,0:1,0,0.5")
    first, second = (call["domain"] for call in asked)
    assert isinstance(first, Segment)
    assert np.array_equal(first.point([[0], [1]]), examples[[1, 2]].astype(float))
    assert second.a.tolist() == [-1, 0, 0]
    assert second.b.tolist() == [1, 0, 0.5]


def test_boxes_of_many_inputs_are_boxes(work, run, asked, examples):
    run(*MODEL, "--box", "-1:1,0:2,-3:-2")
    run(*MODEL, "--box", "-1:2")
    run(*MODEL, "--box", "data.npz")
    run(*MODEL, "--box", "data.npz@3,4")
    boxes = [call["domain"] for call in asked]
    assert all(isinstance(box, Box) for box in boxes)
    assert boxes[0].lower.tolist() == [-1, 0, -3]
    assert (boxes[1].lower.tolist(), boxes[1].upper.tolist()) == ([-1] * 3, [2] * 3)
    assert np.array_equal(boxes[2].upper, examples.max(axis=0))
    assert np.array_equal(boxes[3].lower, examples[[3, 4]].min(axis=0))


def test_boxes_of_one_and_two_inputs_are_cut_exactly(folder, run, asked):
    (folder / "flat.py").write_text(FLAT)
    assert run("partition", "flat.py:two", "--box", "-1:1,0:2").exit_code == 0
    assert run("partition", "flat.py:one", "--box", "-1:1", "--shape", "1").exit_code == 0
    square, segment = (call["domain"] for call in asked)
    assert isinstance(square, Polygon)
    assert square.corners.tolist() == [[-1, 0], [1, 0], [1, 2], [-1, 2]]
    assert isinstance(segment, Segment)
    assert (segment.a.tolist(), segment.b.tolist()) == ([-1], [1])


def test_a_model_made_by_code_is_told_the_shape(folder, run, asked):
    (folder / "flat.py").write_text(FLAT)
    alone = run("partition", "flat.py:three", "--box", "0:1")
    assert_mistake(alone, "--box", "--shape")
    assert run("partition", "flat.py:three", "--box", "0:1", "--shape", "1,3").exit_code == 0
    assert asked[0]["domain"].lower.shape == (1, 3)


def test_options_are_handed_on(work, run, asked):
    run(*MODEL, "--box", "0:1", "--count", "--threads", "2", "--budget", "cells=1e3,seconds=9")
    call = asked[0]
    assert (call["count_only"], call["threads"]) == (True, 2)
    assert call["budget"] == {"cells": 1000, "seconds": 9}
    run(*MODEL, "--box", "0:1")
    assert (asked[1]["count_only"], asked[1]["threads"], asked[1]["budget"]) == (False, None, None)


def test_all_outputs_are_written(work, run, asked):
    files = ("--svg", "o.svg", "--html", "o.html", "--json", "o.json", "--geojson", "o.geojson")
    result = run(*MODEL, "--box", "0:1", *files)
    assert result.exit_code == 0, result.output
    assert "net.onnx on box 0:1" in result.stdout
    assert "<svg" in (work / "o.svg").read_text()
    assert "7 cells." in (work / "o.html").read_text()
    assert json.loads((work / "o.geojson").read_text())["type"] == "FeatureCollection"
    assert all(f"Wrote o.{kind}" in result.stderr for kind in ("svg", "html", "json", "geojson"))


@pytest.mark.parametrize("option", ["--svg", "--geojson"])
def test_what_cannot_be_drawn_is_said_and_the_rest_is_written(work, run, monkeypatch, option):
    stand_in(monkeypatch, lambda *_, **__: Searched())
    result = run(*MODEL, "--box", "0:1", option, "out", "--json", "o.json")
    assert_mistake(result, option, "leave out")
    assert "Wrote o.json" in result.stderr
    assert "Wrote out" not in result.stderr
    assert (work / "o.json").exists()
    assert not (work / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("none", "--box -1:1")),
        (("--box", "0:1", "--segment", "data.npz@0,1"), ("--box and --segment",)),
        (("--box", "1:0"), ("--box", "'1:0'")),
        (("--box", "0:1,0:1"), ("shape", "(3,)")),
        (("--box", "nothing.npz"), ("nothing.npz", "check the path")),
        (("--plane", "data.npz@0,1,300"), ("300", "the last example is 299")),
        (("--plane", "data.npz@4,4,5"), ("one line",)),
        (("--plane", "data.npz@0,1,2", "--input", "z"), ("--input", "'z'")),
        (("--segment", "0,0,0:0,0,0"), ("equal",)),
        (("--segment", "data.npz@0,1", "--margin", "1"), ("--margin",)),
        (("--box", "0:1", "--margin", "1"), ("--margin",)),
        (("--box", "0:1", "--budget", "days=1"), ("--budget",)),
        (("--box", "0:1", "--count", "--svg", "o.svg"), ("--svg", "--count")),
        (("--box", "data.npz", "--html", "data.npz"), ("--html", "an input")),
        (("--box", "data.npz@0,1", "--html", "data.npz"), ("--html", "an input")),
        (("--box", "0:1", "--svg", "nowhere/o.svg"), ("--svg", "does not exist")),
    ],
)
def test_mistakes_are_one_paragraph(work, run, asked, arguments, words):
    assert_mistake(run(*MODEL, *arguments), *words)
    assert not asked


def test_an_error_on_the_way_keeps_what_is_complete(work, run, monkeypatch):
    def fails(*_, **__):
        raise ModelError("it broke", where="a", found="b", do="c", partial=Found(complete=False))

    stand_in(monkeypatch, fails)
    result = run(*MODEL, "--box", "0:1", "--json", "o.json")
    assert_mistake(result, "it broke")
    assert "7 cells." in result.stdout
    assert (work / "o.json").exists()


def test_a_spent_budget_is_said(work, run, monkeypatch):
    stand_in(monkeypatch, lambda *_, **__: Found(complete=False))
    result = run(*MODEL, "--box", "0:1")
    assert result.exit_code == 0
    assert "budget was used up" in result.stderr


def test_ctrl_c_reports_what_is_complete(work, run, monkeypatch):
    def interrupted(*_, **__):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return Found(complete=False)

    stand_in(monkeypatch, interrupted)
    result = run(*MODEL, "--box", "0:1", "--json", "o.json")
    assert result.exit_code == 130
    assert "Interrupted; 7 cells were complete" in result.stderr
    assert "7 cells." in result.stdout
    assert (work / "o.json").exists()


def test_ctrl_c_while_the_page_is_made_says_what_was_found(work, run, monkeypatch):
    class Slow(Found):
        def page(self) -> Page:
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("the signal was not heard")

    stand_in(monkeypatch, lambda *_, **__: Slow())
    result = run(*MODEL, "--box", "0:1")
    assert result.exit_code == 130
    assert "7 cells had been found" in result.stderr


def test_the_help_has_examples_and_every_domain(run):
    text = run("partition", "--help").stdout
    assert "hinge partition net.onnx --box -1:1,-1:1 --svg cells.svg" in text
    for option in ("--box", "--plane", "--segment", "--budget", "--geojson"):
        assert option in text


def test_the_known_network_is_cut_as_it_must_be(work, run):
    """Its units fold where x0 = 0 and where x1 = 0, which meet on a side of the triangle."""
    triangle = ("--plane", "-1,-1,0:1,-1,0:-1,1,0")
    result = run(*MODEL, *triangle, "--svg", "cells.svg", "--html", "cells.html")
    assert result.exit_code == 0, result.output
    assert "3 cells" in result.stdout
    assert (work / "cells.svg").read_text().count("<title>cell ") == 3
    assert "3 cells, counted exactly" in run(*MODEL, *triangle, "--count").stdout
    assert "2 cells" in run(*MODEL, "--segment", "-1,-1,0:1,1,0").stdout


def test_what_is_written_is_read_back(work, run):
    triangle = ("--plane", "-1,-1,0:1,-1,0:-1,1,0")
    files = ("--json", "o.json", "--geojson", "o.geojson", "--svg", "o.svg")
    result = run(*MODEL, *triangle, *files)
    assert result.exit_code == 0, result.output
    found = PlanePartition.from_json(work / "o.json")
    assert found.n_cells == 3
    assert sorted(found.areas.tolist()) == pytest.approx([0.125, 0.125, 0.25])
    features = json.loads((work / "o.geojson").read_text())["features"]
    kinds = [feature["geometry"]["type"] for feature in features]
    assert (kinds.count("Polygon"), kinds.count("LineString")) == (3, 2)
    drawn = (work / "o.svg").read_text()
    assert all(f">{name} input<" in drawn for name in ("first", "second", "third"))
    assert run(*MODEL, "--segment", "-1,-1,0:1,1,0", "--json", "line.json").exit_code == 0
    assert LinePartition.from_json(work / "line.json").n_cells == 2
    assert run(*MODEL, "--box", "-1:1", "--json", "box.json").exit_code == 0
    assert json.loads((work / "box.json").read_text())["schema"] == "hinge/box-partition"


def test_a_budget_keeps_the_cells_that_were_complete(folder, run):
    (folder / "deep.py").write_text(DEEP)
    files = ("--json", "o.json", "--svg", "o.svg", "--html", "o.html")
    square = ("partition", "deep.py:middling", "--box", "-1:1,-1:1")
    result = run(*square, "--budget", "cells=2000", *files)
    assert result.exit_code == 0, result.output
    assert "budget was used up" in result.stderr
    assert "At least" in result.stdout
    found = PlanePartition.from_json(folder / "o.json")
    assert not found.complete
    assert 0 < found.n_cells < 10_000
    assert (folder / "o.svg").read_text().count("<title>cell ") >= min(found.n_cells, 4000)


@pytest.fixture
def press_at_first_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C when the first complete cells are told of, however fast the machine is."""

    @contextmanager
    def pressing(*_: object, **__: object) -> Iterator[Advance]:
        yield lambda cells, _total: signal.raise_signal(signal.SIGINT) if cells else None

    monkeypatch.setattr(partitioning, "progress_bar", pressing)


@pytest.mark.usefixtures("press_at_first_cells")
def test_ctrl_c_keeps_the_cells_that_were_complete(folder, run):
    (folder / "deep.py").write_text(DEEP)
    result = run("partition", "deep.py:large", "--box", "-1:1,-1:1", "--json", "o.json")
    assert result.exit_code == 130, result.output
    assert "cells were complete until then" in result.stderr
    assert "stopped before it was complete" in result.stdout
    found = PlanePartition.from_json(folder / "o.json")
    assert not found.complete
    assert found.n_cells > 0


def test_a_domain_of_another_size_is_named(work, run):
    assert_mistake(run(*MODEL, "--segment", "-1,0:1,0"), "shape", "(2,)", "(3,)")
