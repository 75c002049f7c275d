"""Creases whose course is known, and units of which it is known that they never fold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_programs import AROUND, SQUARE, random_program, relu_program
from slow_cells import subdivide
from torch import nn

from hinge.errors import OptionError
from hinge.layout import Place
from hinge.network import read
from hinge.regions.cells.layouts import Layout, layouts
from hinge.regions.cells.meanings import Readings, readings
from hinge.regions.cells.never_folds import NeverFolds, never_folds
from hinge.regions.cells.patterns import Patterns
from hinge.regions.plane.creases import Creases, flat_cells
from hinge.regions.plane.geometry import centroids
from hinge.regions.programs.lowering import lower

ABS = ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [0.0] * 4)
"""|x| and |y| are sums of two of these each."""


def drawn(layers, step, unit, corners=AROUND):
    """The creases of one unit of a program of ReLU layers."""
    program = relu_program(*layers)
    mesh = subdivide(program, corners)
    known = {step: one_per_entry(len(layers[int(step[-1])][1]))}
    return mesh, Creases(mesh).of_unit(program, known, step, unit)


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
    shared = Readings(np.array([0, 1]), np.zeros(2, np.int64), np.array([0, 0]))
    assert [line.entry for line in Creases(mesh).of_rows(shared)] == [0, 1]


def test_every_edge_of_a_mark_is_drawn_once():
    program = random_program([8, 6, 1], 3)
    mesh = subdivide(program, AROUND)
    for unit in range(6):
        mark = program.first_words[1] * 64 + unit
        marked = [i for i, k in enumerate(mesh.labels) if mark in mesh.label_sets[k]]
        found = Creases(mesh).of_rows(readings(program, "relu1", np.array([unit])))
        assert sorted(edge for line in found for edge in line.edges.tolist()) == marked
        for line in found:
            along, off = np.diff(line.points, axis=0), centroids(mesh)[line.cells]
            for side, sign in ((0, 1), (1, -1)):
                x, y = (off[:, side] - line.points[:-1]).T
                assert (sign * (along[:, 0] * y - along[:, 1] * x) > 0).all()
            joints = mesh.edges[line.edges]
            middles = mesh.vertices[joints].mean(axis=1)
            assert ((line.points[:-1] + line.points[1:]) / 2 == middles).all()


def verdicts(*layers, step="relu0"):
    """Unit and state of the units of a step that never fold."""
    program = relu_program(*layers)
    mesh = subdivide(program, AROUND)
    known = {f"relu{k}": one_per_entry(len(layer[1])) for k, layer in enumerate(layers[:-1])}
    found = never_folds(Patterns(program, mesh.patterns, mesh.flat), known)
    return [(one.unit, one.state) for one in found if one.site == step]


def one_per_entry(n):
    """The layout of a dense layer."""
    return Layout((n,), Place(1, n))


def test_units_that_never_fold_are_off_or_on():
    weight = [[1.0, 0.0]] * 3 + [[0.0, 0.0]] * 2
    layers = (weight, [0.0, 2.0, -2.0, 1.0, -1.0]), ([[0.0] * 5], [0.0])
    assert verdicts(*layers) == [(1, "on"), (2, "off"), (3, "on"), (4, "off")]


def test_a_break_met_on_the_border_alone_is_no_fold():
    layers = ([[1.0, 0.0], [1.0, 0.0]], [1.0, -1.0]), ([[0.0] * 2], [0.0])
    assert verdicts(*layers) == [(0, "on"), (1, "off")]


def test_zero_everywhere_is_off():
    assert verdicts(([[0.0, 0.0]], [0.0]), ([[0.0]], [0.0])) == [(0, "off")]


def test_zero_on_some_cells_is_off_there_and_folds_where_others_are_on():
    # Layer 1 gives max(0, x); layer 2 its double, and its negative, which is never above 0.
    layers = ([[1.0, 0.0]], [0.0]), ([[2.0], [-1.0]], [0.0, 0.0]), ([[0.0, 0.0]], [0.0])
    assert verdicts(*layers, step="relu1") == [(1, "off")]
    program = relu_program(*layers)
    mesh = subdivide(program, AROUND)
    found = flat_cells(mesh, readings(program, "relu1", np.array([0, 1])))
    left = np.flatnonzero(mesh.patterns[:, 0] == 0)
    assert sorted(map(tuple, found.tolist())) == [(int(left[0]), 0), (int(left[0]), 1)]


def test_a_form_that_looks_the_other_way_is_turned():
    program = relu_program(([[1.0, 0.0], [1.0, 0.0]], [2.0, 0.0]), ([[0.0, 0.0]], [0.0]))
    mesh = subdivide(program, AROUND)
    turned = replace(program.meanings[0], orientation=np.array([-1, -1], np.int8))
    patterns = Patterns(replace(program, meanings=(turned,)), mesh.patterns, mesh.flat)
    assert never_folds(patterns, {"relu0": one_per_entry(2)}) == (NeverFolds("relu0", 0, "off"),)


def test_a_flat_form_that_looks_the_other_way_is_positive_nowhere():
    # -max(0, x) is 0 or below; turned about it is above 0 on the right alone.
    program = relu_program(([[1.0, 0.0]], [0.0]), ([[-1.0]], [0.0]), ([[0.0]], [0.0]))
    mesh = subdivide(program, AROUND)
    turned = replace(program.meanings[1], orientation=np.array([-1], np.int8))
    program = replace(program, meanings=(program.meanings[0], turned))
    some, every = Patterns(program, mesh.patterns, mesh.flat).positive(1)
    assert (some.tolist(), every.tolist()) == ([True], [False])


@pytest.mark.parametrize("seed", range(6))
def test_a_row_is_positive_somewhere_or_everywhere_as_counted(seed):
    program = random_program([6, 6, 1], seed)
    mesh = subdivide(program, AROUND)
    flips = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), 6)
    meanings = tuple(replace(one, orientation=flips) for one in program.meanings)
    patterns = Patterns(replace(program, meanings=meanings), mesh.patterns, mesh.flat)
    for fold in range(2):
        counts, _ = patterns.counts(fold)
        some, every = patterns.positive(fold)
        assert (some == (counts > 0)).all()
        assert (every == (counts == len(mesh.patterns))).all()


def test_a_step_without_rows_has_no_creases():
    program = relu_program(([[1.0, 0.0]], [0.0]), ([[0.0]], [0.0]))
    mesh = subdivide(program, AROUND)
    nothing = readings(program, "elsewhere", np.arange(1))
    assert Creases(mesh).of_rows(nothing) == []
    assert flat_cells(mesh, nothing).shape == (0, 2)


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
    known = layouts(network)
    lines = Creases(mesh).of_unit(program, known, site.name, 0)  # x = -1/2 and y = -1/2
    assert [line.entry for line in lines] == [0, 1]
    assert [set(line.points[:, k]) for k, line in enumerate(lines)] == [{-0.5}, {-0.5}]
    patterns = Patterns(program, mesh.patterns, mesh.flat)
    assert never_folds(patterns, known) == (NeverFolds(site.name, 1, "on"),)
    with pytest.raises(OptionError, match="no such unit"):
        Creases(mesh).of_unit(program, known, site.name, 2)
