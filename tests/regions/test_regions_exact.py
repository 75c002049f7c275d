"""Exact arithmetic on programs: against fractions, and against counts that are known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from regions_models import MODELS, Flat, dense_network, fractions_of, network, signs_of
from regions_slowly import Slowly
from torch import nn

import hinge
from hinge.regions.exactly import oracle as exact
from hinge.regions.exactly.integers import whole
from hinge.regions.exactly.oracle import Oracle
from hinge.regions.exactly.rational import ExactProgram
from hinge.regions.programs.evaluation import program_values
from hinge.regions.programs.lowering import lower
from hinge.regions.programs.program import Bend, Fold, Linear, Meaning, Program

ITSELF = Flat(itself=True)
UNIT = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
SQUARE = 2 * UNIT - 1


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_are_integers_over_a_power_of_two(values):
    integers, shift = whole(np.array(values, np.float64))
    assert [Fraction(int(one), 2**shift) for one in integers] == [Fraction(one) for one in values]
    assert shift == 0 or any(int(one) % 2 for one in integers)


@pytest.mark.parametrize("coarse", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_values_are_those_of_fractions(name, coarse):
    """Coarse points take the paths of small numbers, fine ones those of large numbers."""
    program = lower(network(name), Flat())
    prepared = ExactProgram(program)
    random = np.random.default_rng(3)
    for _ in range(2):
        size = 8 if coarse else 2**62
        numbers = [int(one) * (1 if coarse else 3**40) for one in random.integers(-size, size, 2)]
        below = 4 if coarse else 7**50
        run = prepared.run(numbers, below)
        wanted = fractions_of(program, [Fraction(one, below) for one in numbers])
        assert [run.fractions(i) for i in range(len(wanted))] == wanted


def uneven():
    """A program of one Bend whose pieces all differ, one break repeated, and no slope 0."""
    breaks = np.array([[-0.5, 0.25, 0.25], [-0.1, 0.1, 0.3]])
    slopes = np.array([[0.7, -0.3, 9.0, 2.0], [-1.1, 0.4, 1.3, 0.2]])
    entries = np.array([0, 0, 1, 1, 1])
    index = np.array([0, 2, 0, 1, 2])
    bias = np.array([0.2, -0.1])
    meaning = Meaning("bend", entries, index, np.arange(5), np.ones(5, np.int8))
    return Program(
        (
            Linear(0, 1, np.array([[1.0, 0.5], [0.1, -2.0]]), bias),
            Fold(1, entries, breaks[entries, index]),
            Bend(1, 2, breaks, slopes, np.array([0.3, -0.6])),
        ),
        (2, 2, 2),
        2,
        (meaning,),
    )


def copies():
    """A network with units that are multiples of others, of both signs."""
    rows = np.array([[1.0, 2.0], [-1.0, -2.0], [-3.0, 0.5], [6.0, -1.0], [0.0, 0.0]])
    mixed = ([[1.0, 2.0, 4.0, 8.0, 16.0]], [-3.0])
    return lower(dense_network((rows, [0.5, -0.5, 0.25, -0.5, 1.0]), mixed), ITSELF)


PROGRAMS = {
    **{name: lambda name=name: lower(network(name), Flat()) for name in MODELS},
    "uneven": uneven,
    "copies": copies,
}


def test_a_bend_of_uneven_pieces():
    program = uneven()
    points = np.random.default_rng(6).normal(size=(50, 2))
    floats = program_values(program, points)[2]
    for point, found in zip(points.tolist(), floats, strict=True):
        wanted = fractions_of(program, point)[2]
        assert ExactProgram(program).run(*over_one(point)).fractions(2) == wanted
        np.testing.assert_allclose(found, [float(one) for one in wanted], rtol=1e-13, atol=1e-15)


def over_one(point):
    """Doubles as integers over one denominator."""
    integers, shift = whole(np.array(point))
    return integers.tolist(), 2**shift


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_affine_map_is_that_of_the_points_around_it(name):
    """Taken by the signs at a point, it agrees there and at a point very close by, exactly."""
    program = PROGRAMS[name]()
    prepared = ExactProgram(program)
    for point in np.random.default_rng(4).normal(size=(8, 2)).tolist():
        x = [Fraction(one) for one in point]
        buffers = fractions_of(program, x)
        positive = [signs > 0 for signs in signs_of(program, buffers)]
        near = [one + Fraction(1, 2**200) for one in x]
        for at in (x, near):
            integers, shift = prepared.affine(positive)
            found = [
                sum(Fraction(int(a), 2**shift) * c for a, c in zip(row, [*at, 1], strict=True))
                for row in integers
            ]
            assert found == fractions_of(program, at)[program.output]


@pytest.mark.parametrize("name", MODELS)
def test_signs_at_vertices_are_those_of_fractions(name):
    program = lower(network(name), Flat())
    corners = SQUARE if name == "images" else 4 * SQUARE
    cells = Slowly(program, corners)
    assert len(cells.cells) > 1
    last = len(program.folds) - 1
    for vertex in range(0, len(cells.births), max(1, len(cells.births) // 25)):
        *above, below = cells.oracle.point(vertex)
        signs = signs_of(program, fractions_of(program, [Fraction(one, below) for one in above]))
        for fold in (0, last):
            wanted = np.array([[vertex, fold]])
            found = Oracle(program, corners).signs(np.array(cells.births), wanted)
            np.testing.assert_array_equal(found, signs[fold])
        _, _, _, fold, form = cells.births[vertex]
        assert fold < 0 or signs[fold][form] == 0


def test_cells_of_known_networks_are_counted_right():
    """The default torch network 2-32-32-32-1, seed 0, on [-1, 1] squared: see 1,180 cells."""
    torch.manual_seed(0)
    layers = [nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32)]
    model = nn.Sequential(*layers, nn.ReLU(), nn.Linear(32, 1))
    found = Slowly(lower(hinge.read(model, torch.zeros(2, 2)), ITSELF), SQUARE)
    assert (len(found.cells), len(found.births)) == (1180, 1255)


def tent(depth):
    first = [[2.0, 0.0], [4.0, 0.0], [0.0, 2.0], [0.0, 4.0]]
    bias = [0.0, -2.0, 0.0, -2.0]
    later = np.array(first) @ np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])
    output = ([1.0, -1.0, 1.0, -1.0], [-0.73])
    return dense_network((first, bias), *[(later, bias)] * (depth - 1), output=output)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_tents_have_a_power_of_four_of_cells(depth):
    assert len(Slowly(lower(tent(depth), ITSELF), UNIT).cells) == 4**depth


@pytest.mark.parametrize("m", [4, 8])
def test_triangles_with_triple_points_everywhere(m):
    rows = [(m, 0, -i) for i in range(1, m)] + [(0, m, -i) for i in range(1, m)]
    rows += [(m, m, -k) for k in range(1, 2 * m)]
    found = dense_network((np.array(rows, float)[:, :2], np.array(rows, float)[:, 2]))
    assert len(Slowly(lower(found, ITSELF), UNIT).cells) == 2 * m * m


def test_copies_of_units_change_no_count():
    random = np.random.default_rng(5)
    first, bias = random.normal(size=(8, 2)), random.normal(size=8) / 2
    second, offset = random.normal(size=(8, 8)), random.normal(size=8)
    plain = Slowly(lower(dense_network((first, bias), (second, offset)), ITSELF), SQUARE)
    copies = dense_network(
        (np.vstack([first, 2 * first, -first]), np.concatenate([bias, 2 * bias, -bias])),
        (np.hstack([second / 4, second * 3 / 8, 0 * second]), offset),
    )
    program = lower(copies, ITSELF)
    assert [fold.n_forms for fold in program.folds] == [8, 8]
    found = Slowly(program, SQUARE)
    assert (len(found.cells), len(found.births)) == (len(plain.cells), len(plain.births))


def test_signs_on_a_segment():
    """The tent on a segment: kinks at multiples of a quarter, in exact arithmetic."""

    class Side:
        dimension = 1

        def embedding(self, input_shape):
            return np.array([[1.0], [0.0]]), np.zeros(2)

    program = lower(tent(2), Side())
    oracle = Oracle(program, np.array([[0.0], [1.0]]))
    births = np.array([[0, 0, 0, -1, -1], [1, 1, 0, -1, -1], [7, 0, 1, 0, 1], [9, 0, 7, 1, 1]])
    assert oracle.signs(births, np.array([[7, 1]])).tolist() == [1, 1]
    assert (oracle.point(7), oracle.point(9)) == ((1, 2), (1, 4))
    assert oracle.signs(births[:0], np.array([[9, 1]])).tolist() == [1, 0]
    assert program.meanings[1].orientation[2:].tolist() == [0, -1]  # of y, which is 0 throughout


def test_what_is_forgotten_is_born_again(monkeypatch):
    monkeypatch.setattr(exact, "MOST_POINTS", 3)
    monkeypatch.setattr(exact, "MOST_NUMBERS", 1)
    program = lower(network("mlp"), Flat())
    small = Slowly(program, SQUARE)
    monkeypatch.undo()
    assert len(small.oracle._points) == 3
    assert len(small.cells) == len(Slowly(program, SQUARE).cells)


def test_an_edge_that_a_form_does_not_cut_is_refused():
    program = lower(dense_network(([[1.0, 0.0]], [-2.0])), ITSELF)
    births = np.array([[i, i, 0, -1, -1] for i in range(4)] + [[4, 0, 3, 0, 0]])
    with pytest.raises(ZeroDivisionError):
        Oracle(program, UNIT).signs(births, np.zeros((0, 2), np.int64))
