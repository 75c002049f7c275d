"""Creases whose course is known, and units of which it is known that they never fold."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hand_programs import AROUND, SQUARE, random_program, relu_program
from slow_cells import subdivide
from torch import nn

from hinge.layout import Place
from hinge.network import read
from hinge.regions.creases import Creases, flat_cells
from hinge.regions.folding import FOLDS, never_folds, pieces_of_entries
from hinge.regions.lowering import lower
from hinge.regions.meanings import Readings, readings, readings_of, units_of

ABS = ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [0.0] * 4)
"""|x| and |y| are sums of two of these each."""


def drawn(layers, step, unit, corners=AROUND):
    """The creases of one unit of a program of ReLU layers."""
    program = relu_program(*layers)
    mesh = subdivide(program, corners)
    read_ = readings_of(program, step, np.arange(len(layers[int(step[-1])][1])))
    return mesh, Creases(mesh).of_unit(read_, unit)


def test_a_unit_of_the_first_layer_has_one_straight_line():
    layers = ([[4.0, 0.0], [0.0, 1.0]], [-1.0, -0.5]), ([[0.0, 0.0]], [0.0])
    mesh, (line,) = drawn(layers, "relu0", 0, SQUARE)
    assert {x for x, _ in line.points.tolist()} == {0.25}
    assert sorted(y for _, y in line.points.tolist()) == [0.0, 0.5, 1.0]
    assert line.length == 1.0
    assert not line.closed
    up = line.points[0, 1] == 0
    assert all((mesh.patterns[a, 0] & 1) == (not up) for a in line.cells[:, 0].tolist())
    assert all((mesh.patterns[b, 0] & 1) == up for b in line.cells[:, 1].tolist())


def test_a_deeper_unit_bends_at_an_earlier_crease():
    layers = (
        ([[1.0, 0.0], [0.0, 1.0]], [0.0, 8.0]),
        ([[-1.0, 1.0]], [-8.0]),
        ([[0.0]], [0.0]),
    )  # y - max(0, x)
    _, (line,) = drawn(layers, "relu1", 0)
    assert sorted(map(tuple, line.points.tolist())) == [(-1.0, 0.0), (0.0, 0.0), (1.0, 1.0)]


def test_a_ring_closes():
    layers = ABS, ([[1.0] * 4], [-0.5]), ([[0.0]], [0.0])  # |x| + |y| - 1/2
    mesh, (ring,) = drawn(layers, "relu1", 0)
    assert ring.closed
    assert len(ring.points) == 5
    assert ring.length == pytest.approx(4 * math.sqrt(0.5))
    assert (mesh.patterns[ring.cells[:, 0]] != mesh.patterns[ring.cells[:, 1]]).any(axis=1).all()


def test_a_crease_is_split_where_it_crosses_itself():
    layers = ABS, ([[1.0, 1.0, -1.0, -1.0]], [0.0]), ([[0.0]], [0.0])  # |x| - |y|
    _, found = drawn(layers, "relu1", 0)
    assert len(found) == 4
    for line in found:
        assert [0.0, 0.0] in line.points[[0, -1]].tolist()
        assert line.length == pytest.approx(math.sqrt(2))


def test_proportional_entries_and_units_share_the_line():
    program = relu_program(([[1.0, 0.0]], [0.0]), ([[0.0]], [0.0]))
    mesh = subdivide(program, AROUND)
    shared = Readings(
        np.array([0, 1, 2]),
        np.zeros(3, np.int64),
        np.array([0, 0, -1]),
        np.array([1, -1, 1], np.int8),
        np.array([0, 0, 1]),
    )
    assert [line.entry for line in Creases(mesh).of_unit(shared, 0)] == [0, 1]
    assert Creases(mesh).of_unit(shared, 1) == []


def test_every_edge_of_a_mark_is_drawn_once():
    program = random_program([8, 6, 1], 3)
    mesh = subdivide(program, AROUND)
    read_ = readings_of(program, "relu1", np.arange(6))
    for unit in range(6):
        mark = program.first_words[1] * 64 + unit
        marked = [i for i, k in enumerate(mesh.labels) if mark in mesh.label_sets[k]]
        found = Creases(mesh).of_unit(read_, unit)
        assert sorted(edge for line in found for edge in line.edges.tolist()) == marked
        for line in found:
            joints = mesh.edges[line.edges]
            middles = mesh.vertices[joints].mean(axis=1)
            assert ((line.points[:-1] + line.points[1:]) / 2 == middles).all()


def verdicts(weight, bias, corners=AROUND):
    program = relu_program((weight, bias), ([[0.0] * len(bias)], [0.0]))
    mesh = subdivide(program, corners)
    return never_folds(mesh, readings_of(program, "relu0", np.arange(len(bias)))).rows("relu0")


def test_units_that_never_fold_are_off_or_on():
    weight = [[1.0, 0.0]] * 3 + [[0.0, 0.0]] * 2
    found = verdicts(weight, [0.0, 2.0, -2.0, 1.0, -1.0])
    assert found == [
        ("relu0", 1, "on"),
        ("relu0", 2, "off"),
        ("relu0", 3, "on"),
        ("relu0", 4, "off"),
    ]


def test_a_break_met_on_the_border_alone_is_no_fold():
    assert verdicts([[1.0, 0.0], [1.0, 0.0]], [1.0, -1.0]) == [
        ("relu0", 0, "on"),
        ("relu0", 1, "off"),
    ]


def test_zero_everywhere_is_off():
    assert verdicts([[0.0, 0.0]], [0.0]) == [("relu0", 0, "off")]


def test_zero_on_some_cells_is_off_there_and_folds_where_others_are_on():
    # Layer 1 gives max(0, x); layer 2 its double, and its negative, which is never above 0.
    layers = ([[1.0, 0.0]], [0.0]), ([[2.0], [-1.0]], [0.0, 0.0]), ([[0.0, 0.0]], [0.0])
    program = relu_program(*layers)
    mesh = subdivide(program, AROUND)
    read_ = readings_of(program, "relu1", np.arange(2))
    assert never_folds(mesh, read_).rows("relu1") == [("relu1", 1, "off")]
    assert len(flat_cells(mesh, read_, 0)) == 1


def test_a_row_that_looks_the_other_way_is_turned():
    program = relu_program(([[1.0, 0.0], [1.0, 0.0]], [2.0, 0.0]), ([[0.0, 0.0]], [0.0]))
    mesh = subdivide(program, AROUND)
    turned = Readings(
        np.array([0, 1]),
        np.zeros(2, np.int64),
        np.array([0, 1]),
        np.array([-1, -1], np.int8),
        np.array([0, 1]),
    )
    assert never_folds(mesh, turned).rows("s") == [("s", 0, "off")]


def test_several_breaks_and_several_entries():
    program = relu_program(([[1.0, 0.0]], [0.0]), ([[0.0]], [0.0]))
    mesh = subdivide(program, AROUND)
    many = Readings(
        np.array([0, 0, 1, 1, 2, 2, 3, 3]),
        np.array([0, 1] * 4),
        np.array([-1, -1, -1, -1, -1, -1, -1, 0]),
        np.array([1, -1, 1, 1, 1, -1, 1, 1], np.int8),
        np.array([0, 0, 0, 0, 1, 1, 2, 2]),
    )
    entries, pieces = pieces_of_entries(mesh, many)
    assert entries.tolist() == [0, 1, 2, 3]
    assert pieces.tolist() == [1, 2, 1, FOLDS]
    assert never_folds(mesh, many).rows("s") == [("s", 0, "linear"), ("s", 1, "piece 1")]


def test_a_site_without_rows_has_none():
    program = relu_program(([[1.0, 0.0]], [0.0]), ([[0.0]], [0.0]))
    mesh = subdivide(program, AROUND)
    nothing = readings_of(program, "elsewhere", np.arange(1))
    assert never_folds(mesh, nothing).rows("elsewhere") == []
    assert Creases(mesh).of_unit(nothing, 0) == []
    assert flat_cells(mesh, nothing, 0).shape == (0, 2)


def test_units_lie_where_their_place_says():
    assert units_of(Place(2, 2, inner=2), (2, 8)).tolist() == [0, 0, 1, 1, 0, 0, 1, 1] * 2


class _Square:
    """The plane's own square about the origin as the domain of a network of two inputs."""

    dimension = 2
    corners = np.array(AROUND)

    def embedding(self, input_shape):
        return np.eye(2), np.zeros(2)


def test_a_channel_folds_at_each_of_its_positions():
    conv = nn.Conv1d(1, 2, kernel_size=1)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([[[1.0]], [[1.0]]]))
        conv.bias.copy_(torch.tensor([0.5, 4.0]))
    model = nn.Sequential(nn.Unflatten(1, (1, 2)), conv, nn.ReLU(), nn.Flatten(), nn.Linear(4, 1))
    network = read(model, example=torch.zeros(1, 2))
    program = lower(network, _Square())
    mesh = subdivide(program, AROUND)
    (site,) = network.sites
    read_ = readings(program, network, site.name)
    lines = Creases(mesh).of_unit(read_, 0)  # x = -1/2 and y = -1/2
    assert [line.entry for line in lines] == [0, 1]
    assert [set(line.points[:, k]) for k, line in enumerate(lines)] == [{-0.5}, {-0.5}]
    assert never_folds(mesh, read_).rows(site.name) == [(site.name, 1, "on")]
