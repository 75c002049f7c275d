"""What is the same on a whole domain is no form, and its sign is known exactly."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from regions_models import Call, Flat, dense_network, fractions_of, signs_of
from torch import nn

import hinge
from hinge.regions.programs.evaluation import program_values
from hinge.regions.programs.lowering import lower
from hinge.regions.programs.program import Bend, Fold, Linear


class Shortcut(nn.Module):
    """x, and x plus what the body makes of it, one after the other."""

    def __init__(self, *body):
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x):
        return torch.cat([x, x + self.body(x)], 1)


def bordered():
    """Three images of 8 x 8 that differ in the middle 3 x 3 only; the border is not 0."""
    images = np.random.default_rng(3).normal(size=(3, 1, 8, 8))
    for image in images[1:]:
        keep = image[:, 2:5, 2:5].copy()
        image[:] = images[0]
        image[:, 2:5, 2:5] = keep
    return images


def on_empty_ground():
    images = np.zeros((3, 1, 8, 8))
    images[:, :, 2:5, 2:5] = np.random.default_rng(4).normal(size=(3, 1, 3, 3))
    return images


NETWORKS = {
    "pooled": lambda: nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 3, 2),
        nn.LeakyReLU(0.1),
        nn.MaxPool2d(2, 1),
        nn.Flatten(),
        nn.Linear(12, 2),
    ),
    "overlapping": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 2), nn.ReLU6(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(2, 2, 1), nn.ReLU()
    ),
    "shortcut": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 2),
        Shortcut(nn.Conv2d(2, 2, 1), nn.ReLU()),
        nn.LeakyReLU(0.2),
        nn.MaxPool2d(2),
    ),
}
IMAGES = {"bordered": bordered, "on empty ground": on_empty_ground}


def lowered(name, images):
    torch.manual_seed(5)
    network = hinge.read(NETWORKS[name]().double().eval(), torch.from_numpy(images))
    return lower(network, hinge.Plane.through(*images))


@pytest.mark.parametrize("ground", IMAGES)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_form_left_varies(name, ground):
    """At points far apart, so that no unit is on one side of its breaks at all of them."""
    program = lowered(name, IMAGES[ground]())
    points = np.random.default_rng(6).normal(scale=30, size=(300, 2))
    buffers = program_values(program, points)
    left = [buffers[fold.source][:, fold.columns] for fold in program.folds]
    assert all((np.ptp(values, axis=0) > 1e-9).all() for values in left)
    assert sum((meaning.forms < 0).sum() for meaning in program.meanings) > 20


@pytest.mark.parametrize("ground", IMAGES)
@pytest.mark.parametrize("name", NETWORKS)
def test_rows_that_are_constant_have_the_sign_of_fractions(name, ground):
    program = lowered(name, IMAGES[ground]())
    operations, number, seen = program.operations, -1, set()
    buffers = fractions_of(program, [0.3, -2.5])
    for before, operation in pairwise(operations):
        if not isinstance(before, Fold):
            continue
        number += 1
        meaning = program.meanings[number]
        for row in np.flatnonzero(meaning.forms < 0).tolist():
            x = buffers[operation.source]
            if isinstance(operation, Bend):
                entry = meaning.entries[row]
                at = Fraction(float(operation.breaks[entry, meaning.break_index[row]]))
                value = x[entry] - at
            else:
                match = meaning.matches[row]
                value = x[operation.second[match]] - x[operation.first[match]]
            sign = (value > 0) - (value < 0)
            assert meaning.orientation[row] == sign
            seen.add(sign)
    assert {-1, 1} <= seen


def test_equal_constants_meet_in_no_form():
    """On empty ground a channel is one number: its maxima are of equals, of sign 0."""
    program = lowered("pooled", on_empty_ground())
    first_round = program.meanings[1]
    assert first_round.winner
    assert (first_round.orientation[first_round.forms < 0] == 0).sum() >= 3 * 2 * 7


def test_a_sum_is_exact_where_floats_round():
    """The doubles 0.1 + 0.2 - 0.3 are 2**-55 too much, and 1e16 * 0.1 is more than 1e15."""
    weights = [[0.0, 0.0]] * 3
    after = [[1.0, 1.0, -1.0], [1e16, 1.0, 0.0]]
    found = dense_network((weights, [0.1, 0.2, 0.3]), (after, [0.0, -1e15]))
    program = lower(found, Flat(itself=True))
    exact = [
        Fraction(0.1) + Fraction(0.2) - Fraction(0.3),
        Fraction(10**16) * Fraction(0.1) + Fraction(0.2) - 10**15,
    ]
    assert program.meanings[1].forms.tolist() == [-1, -1]
    assert program.meanings[1].orientation.tolist() == [(x > 0) - (x < 0) for x in exact]
    assert signs_of(program, fractions_of(program, [0.0, 0.0]))[1].tolist() == []


def test_a_single_moving_input_keeps_a_row():
    """Weights of 0 on what moves do not count, any other does; in arrays and sparse alike."""
    for size in (2, 40):
        first = np.zeros((size, 2))
        first[0, 0] = 1.0
        second = np.zeros((3, size))
        second[0, 1], second[1, 0], second[2] = 2.0, 5e-324, 1.0
        program = lower(
            dense_network((first, [1.0] * size), (second, [0.0] * 3)), Flat(itself=True)
        )
        linear = program.operations[3]
        assert isinstance(linear, Linear)
        assert program.meanings[0].forms.tolist() == [0] + [-1] * (size - 1)
        assert program.meanings[1].forms.tolist() == [-1, 0, 1]
        assert program.meanings[1].orientation[0] == 1


def test_the_larger_of_a_constant_and_what_moves_is_a_form():
    model = Call(lambda x: torch.maximum(x, torch.tensor([0.25, 0.5], dtype=torch.float64)))
    found = hinge.read(
        nn.Sequential(nn.Linear(2, 2).double(), model, nn.ReLU()), torch.zeros(2, 2).double()
    )
    program = lower(found, Flat(itself=True))
    assert program.folds[0].n_forms == 2


def test_a_plane_with_a_border_is_cut_like_its_middle():
    """Without padding and with a border of 0, the empty part of the images may as well be away."""
    images = on_empty_ground()
    images[:, :, 5:] = images[:, :, :, 5:] = 0
    torch.manual_seed(7)
    whole = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Conv2d(2, 2, 2), nn.ReLU()).double()
    found = hinge.partition(whole, hinge.Plane.through(*images), threads=1)
    middle = images[:, :, :7, :7].copy()
    cut = hinge.partition(whole, hinge.Plane.through(*middle), threads=1)
    assert found.n_cells == cut.n_cells > 10
    assert found.certified
