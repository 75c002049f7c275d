"""The map in an examination: there for one or two inputs, silent elsewhere, never in the way."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

import hinge
from hinge import examined_map
from hinge.domains import Box, Polygon
from hinge.examined_map import SAMPLE
from hinge.page import Heading, Lines, Map, Note


@pytest.fixture
def model():
    """Two inputs, six units: the first two off near the data, the third on, three folding."""
    model = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))
    with torch.no_grad():
        model[0].weight[:] = torch.tensor([[1.0, 0], [0, 1], [1, 1], [1, 0], [0, 1], [1, -1]])
        model[0].bias[:] = torch.tensor([-9.0, -9, 9, 0, 0, 0])
        model[2].weight[:] = torch.tensor([[1.0, 2, 4, 8, 16, 32]])
    return model


@pytest.fixture
def data():
    """Examples that fill the square from -1 to 1, its corners among them."""
    inner = torch.rand(1500, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return torch.cat([torch.tensor([[-1.0, -1], [1, 1]]), inner])


def blocks_of(examination, kind):
    return [block for block in examination.page().blocks if isinstance(block, kind)]


def has_map(examination):
    return any(heading.text == "The map" for heading in blocks_of(examination, Heading))


def proof(examination):
    return next(note.text for note in blocks_of(examination, Note) if note.title == "Proven here")


def test_two_inputs_have_a_map_of_the_rectangle_around_the_data(model, data):
    examination = hinge.examine(model, data)
    found = examination.partition
    assert found.complete
    assert found.n_cells == 6  # three lines through one point
    assert np.allclose(found.corners.min(0), -1.2)
    assert np.allclose(found.corners.max(0), 1.2)
    assert has_map(examination)
    assert len(blocks_of(examination, Map)) == 1


def test_the_map_is_that_of_partition(model, data):
    box = Box.around(data.numpy().astype(np.float64), 0.1)
    other = hinge.partition(model, Polygon.rectangle(box.lower, box.upper))
    found = hinge.examine(model, data).partition
    assert np.array_equal(found.vertices, other.vertices)
    assert np.array_equal(found.corners, other.corners)


def test_units_are_named_that_are_off_or_on_for_every_input(model, data):
    told = proof(hinge.examine(model, data))
    assert "units 0-1 are off and unit 2 is on" in told
    assert "rectangle −1.20 to 1.20 by −1.20 to 1.20" in told


def test_no_unit_is_named_that_folds_beside_the_data(model, data):
    """Dead on the data, yet it fires in the margin of the map: not proven."""
    with torch.no_grad():
        model[0].bias[0] = -1.1
    examination = hinge.examine(model, data)
    assert examination.census["1"].verdicts()[0] == "dead"
    assert "unit 1 is off and unit 2 is on" in proof(examination)


def test_where_all_units_fold_none_is_named(data):
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1))
    assert proof(hinge.examine(model, data)).startswith("No unit is off")


def test_the_data_are_dots_on_the_map(model, data):
    (drawn,) = blocks_of(hinge.examine(model, data), Map)
    (dots,) = drawn.dots
    assert SAMPLE / 2 <= len(dots.x) <= SAMPLE
    shown = set(zip(dots.x, dots.y, strict=True))
    assert shown <= set(map(tuple, data.double().tolist()))
    (few,) = blocks_of(hinge.examine(model, data[:20]), Map)
    assert list(zip(few.dots[0].x, few.dots[0].y, strict=True)) == list(
        map(tuple, data[:20].double().tolist())
    )


@pytest.mark.parametrize("size", [1, 7, 256, 5000])
def test_batches_that_come_only_once_have_the_same_map(model, data, size):
    once = hinge.examine(model, ((batch, "label") for batch in data.split(size)))
    whole = hinge.examine(model, data)
    assert once.map.blocks() == whole.map.blocks()


def test_one_input_has_a_line():
    """|x - 1| folds at 1 alone, and the line is drawn over the input itself."""
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        model[0].weight[:], model[0].bias[:] = torch.tensor([[1.0], [-1]]), torch.tensor([-1.0, 1])
        model[2].weight[:], model[2].bias[:] = torch.ones(1, 2), torch.zeros(1)
    examination = hinge.examine(model, torch.tensor([[-1.0], [0.0], [4.0]]))
    assert examination.partition.n_cells == 2
    (lines,) = blocks_of(examination, Lines)
    (line,) = lines.lines
    assert np.allclose(line.x, [-1.5, 1, 4.5])
    assert np.allclose(line.y, [2.5, 0, 3.5])
    assert np.allclose([at for at, _ in lines.marks], 1)
    assert proof(examination).startswith(
        "No unit is off, and none is on, for every input from −1.50"
    )


def test_a_network_that_was_read_has_a_map_too(model, data):
    network = hinge.read(model, data[:2])
    assert hinge.examine(network, data).partition.n_cells == 6


@pytest.mark.parametrize("shape", [(1, 2), (2, 1)])
def test_two_inputs_may_have_any_shape(model, data, shape):
    wrapped = nn.Sequential(nn.Flatten(), *model)
    assert hinge.examine(wrapped, data.reshape(-1, *shape)).partition.n_cells == 6


def test_what_is_not_complete_says_so_and_proves_nothing(model, data):
    examination = hinge.examine(model, data)
    part = dataclasses.replace(examination.partition, complete=False)
    examination = dataclasses.replace(
        examination, map=dataclasses.replace(examination.map, partition=part)
    )
    titles = [note.title for note in blocks_of(examination, Note)]
    assert "Proven here" not in titles
    assert "The map is not complete" in titles
    assert len(blocks_of(examination, Map)) == 1


def test_where_no_cell_is_whole_there_is_a_line_instead_of_a_map(data, monkeypatch):
    torch.manual_seed(0)
    wide = nn.Sequential(nn.Linear(2, 60), nn.ReLU(), nn.Linear(60, 60), nn.ReLU())
    monkeypatch.setattr(examined_map, "BUDGET", {"cells": 1})
    examination = hinge.examine(wide, data)
    assert not examination.partition.complete
    assert examination.partition.n_cells == 0
    assert not blocks_of(examination, Map)
    assert any("more cells" in note.text for note in blocks_of(examination, Note))


def test_examples_with_nan_are_not_on_the_map(model, data):
    bad = torch.cat([data, torch.tensor([[float("nan"), 50.0], [float("inf"), 0.0]])])
    assert np.array_equal(
        hinge.examine(model, bad).partition.corners, hinge.examine(model, data).partition.corners
    )


class Branching(nn.Module):
    """What it does depends on values: it cannot be read."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 3)

    def forward(self, x):
        h = torch.relu(self.inner(x))
        return h if h.sum() > 0 else -h


def hooked():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    model[0].register_forward_hook(lambda *_: None)
    return model


RELU = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
WITHOUT = {
    "more inputs": (nn.Sequential(nn.Linear(3, 3), nn.ReLU()), torch.randn(9, 3), {}),
    "steps that cannot be read": (Branching(), torch.randn(9, 2), {}),
    "a change of its input": (nn.ReLU(inplace=True), torch.randn(9, 2), {"gradients": 0}),
    "hooks": (hooked(), torch.randn(9, 2), {}),
    "no module": (lambda x: torch.relu(x * 2), torch.randn(9, 2), {}),
    "another call": (RELU, torch.randn(9, 2), {"forward": lambda m, x: m(x)}),
    "another axis": (nn.ReLU(), torch.randn(2, 9), {"batch_axis": 1}),
    "data of one value": (RELU, torch.zeros(9, 2), {}),
    "one input that never varies": (RELU, torch.eye(2)[[0, 0]] * torch.rand(2, 1), {}),
    "tokens": (
        nn.Sequential(nn.Embedding(4, 3), nn.ReLU(), nn.Flatten()),
        torch.ones(9, 2, dtype=torch.int64),
        {},
    ),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_elsewhere_there_is_no_map_and_no_noise(name, capfd):
    model, data, options = WITHOUT[name]
    examination = hinge.examine(model, data, **options)
    assert examination.partition is None
    assert examination.map is None
    assert not has_map(examination)
    assert capfd.readouterr() == ("", "")


def test_sizes_that_change_have_no_map():
    flexible = nn.Sequential(nn.Flatten(), nn.ReLU())
    assert hinge.examine(flexible, [torch.randn(5, 2), torch.randn(5, 3)]).map is None


def test_a_smooth_activation_is_said_in_one_line_and_nothing_is_read(data, monkeypatch):
    monkeypatch.setattr(hinge.network, "read", pytest.fail)
    examination = hinge.examine(nn.Sequential(nn.Linear(2, 3), nn.GELU()), data)
    assert examination.partition is None
    (note,) = (note for note in blocks_of(examination, Note) if "linear pieces" in note.text)
    assert "1 (gelu)" in note.text
    assert not blocks_of(examination, Map)


class Meter:
    """What a model has an eye on itself with."""

    def __init__(self):
        self.values = []


class Remembering(nn.Module):
    """Keeps what it has computed, counts in a buffer, and draws at random while it trains."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5))
        self.meter = Meter()

    def forward(self, x):
        h = self.inner(x)
        self.meter.values.append(h.detach())
        return h


def test_the_model_is_left_as_it_was(data):
    model = Remembering().train()
    model.inner[3].eval()
    model.inner[0].bias.requires_grad_(requires_grad=False)
    model.inner[0].weight.grad = torch.ones(4, 2)
    modes = [module.training for module in model.modules()]
    weights = {name: (value, value.clone()) for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    assert hinge.examine(model, data).partition is not None
    assert [module.training for module in model.modules()] == modes
    for name, value in model.state_dict().items():
        before, copied = weights[name]
        assert value.data_ptr() == before.data_ptr()
        assert torch.equal(value, copied)
    assert not model.inner[0].bias.requires_grad
    assert model.inner[0].weight.requires_grad
    assert torch.equal(model.inner[0].weight.grad, torch.ones(4, 2))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    n_calls = len(model.meter.values)
    hinge.observe(model, data, gradients=1024)
    assert len(model.meter.values) == 2 * n_calls  # it was called for the census alone
    assert torch.equal(torch.get_rng_state(), random)


def test_the_data_are_left_as_they_were(model, data):
    before = data.clone()
    hinge.examine(model, data)
    assert torch.equal(data, before)


def test_json_leaves_the_map_out(model, data):
    examination = hinge.examine(model, data)
    text = examination.to_json()
    again = hinge.Examination.from_json(text)
    assert again.partition is None
    assert not has_map(again)
    assert again.to_json() == text
    assert text == dataclasses.replace(examination, map=None).to_json()


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError, RuntimeError])
def test_no_fault_of_the_map_costs_the_census(model, data, monkeypatch, fault):
    def failing(*_, **__):
        raise fault

    monkeypatch.setattr("hinge.regions.partitioning.partition", failing)
    examination = hinge.examine(model, data, limits=["dead=5%"])
    assert examination.census.seen == len(data)
    assert not examination.passed
    assert examination.map is None


def test_an_examination_that_was_cut_short_has_no_map(model, data):
    def pressed():
        yield data
        raise KeyboardInterrupt

    examination = hinge.examine(model, pressed())
    assert not examination.census.complete
    assert examination.map is None
