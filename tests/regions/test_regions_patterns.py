"""Patterns say on which piece each unit is and who wins each maximum."""

from __future__ import annotations

import numpy as np
import torch
from regions_sampled import NO_FLAT, chain, dense, network, on_segment, on_square, sampled, words_at
from test_regions_maps import varied
from torch import nn

import hinge
from hinge.regions.cells.patterns import Patterns, canonical_patterns
from hinge.regions.cells.signs import packed, unpacked


def states_at(net, points):
    program = on_square(net)
    patterns = Patterns(program, words_at(program, points), NO_FLAT)
    return patterns.states(np.arange(len(points)))


def test_bits_packed_and_unpacked_are_the_same():
    bits = np.random.default_rng(0).random((5, 130)) < 0.5
    words = packed(bits, 3)
    assert (words[:, 1] >> np.uint64(3) & np.uint64(1)).tolist() == bits[:, 67].tolist()
    np.testing.assert_array_equal(unpacked(words)[:, :130], bits)


def test_the_piece_of_a_unit_is_the_number_of_breaks_below_its_pre_activation():
    net = varied()
    points = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    given, found = net.pre_activations(points), states_at(net, points)
    breaks = {"leaky": [0], "hard": [-0.4, 0.7]}
    for step in net.activations:
        z = given[step.name].numpy().reshape(len(points), -1)
        wanted = sum((z > at).astype(int) for at in breaks.get(step.name, [0]))
        assert found[step.name].dtype == np.int8
        np.testing.assert_array_equal(found[step.name], wanted)


def test_winners_are_the_places_of_the_largest_values():
    net = varied()
    points = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    x = torch.tensor(points)
    values = {}
    for step in net.steps:
        inputs = [x if name == "input" else values[name] for name in step.inputs]
        values[step.name] = step.apply(*inputs)
    pool = next(step for step in net.steps if step.kind == "Max")
    read = values[pool.inputs[0]]
    _, wanted = nn.functional.max_pool2d(read, 3, 2, 1, return_indices=True)
    plane = 36 * np.arange(2)[None, :, None]
    wanted = wanted.numpy().reshape(len(points), 2, -1) + plane
    np.testing.assert_array_equal(
        states_at(net, points)[pool.name], wanted.reshape(len(points), -1)
    )


def test_units_that_repeat_others_or_are_constant_have_their_signs_filled_in():
    weight = [[1, 0], [2, 0], [-1, 0], [0, 0], [0, 0], [0, 0]]
    net = network(dense(weight, [0, 0, 0, 1, -1, 0]), nn.ReLU(), dense([[1.0] * 6]))
    program = on_square(net)
    assert program.folds[0].n_forms == 1
    found = states_at(net, np.array([[0.5, 0], [-0.5, 0]]))["1"]
    assert found.tolist() == [[1, 1, 0, 1, 0, 0], [0, 0, 1, 1, 0, 0]]


def test_a_unit_that_is_zero_on_a_whole_cell_is_left_of_its_break():
    """relu(relu(x)) and relu(-relu(x)): the second fold is 0 for every x < 0, whichever way."""
    net = network(
        dense([[1.0]]), nn.ReLU(), dense([[1.0], [-1.0]]), nn.ReLU(), dense([[1.0, 1.0]]), n_in=1
    )
    one = chain(on_segment(net))
    patterns = Patterns(on_segment(net), one.patterns, one.flat)
    assert one.points.tolist() == [0, 0.5, 1]
    assert one.flat.tolist() == [[0, 64]]
    states = patterns.states(np.arange(2))
    assert states["3"].tolist() == [[0, 0], [1, 0]]
    assert patterns.n_distinct == 2
    positive, negative = patterns.counts(1)
    assert positive.tolist() == [1, 0]
    assert negative.tolist() == [0, 1]


def maximum(*weights):
    class Largest(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = dense(*weights)

        def forward(self, x):
            return self.first(x).amax(1)

    return hinge.read(Largest().double(), torch.zeros(2, 1, dtype=torch.float64))


def test_a_match_between_two_that_lose_means_nothing():
    """max(0, x, 5, 5 + x) on [-1, 1]: 0 < x is a match of the first round, and never matters."""
    program = on_segment(maximum([[0], [1], [0], [1]], [0, 0, 5, 5]))
    one = chain(program)
    assert one.points.tolist() == [0, 0.5, 1]
    kept = canonical_patterns(program, one.patterns, one.flat)
    patterns = Patterns(program, one.patterns, one.flat)
    winners = next(iter(patterns.states(np.arange(2)).values()))
    assert winners[:, 0].tolist() == [2, 3]
    assert not np.array_equal(kept[0], kept[1])

    program = on_segment(maximum([[0], [1], [0], [0.5]], [0, 0, 7, 5]))
    one = chain(program)
    assert len(one.points) == 3  # cut at 0, where the losers change places
    kept = canonical_patterns(program, one.patterns, one.flat)
    assert np.array_equal(kept[0], kept[1])
    assert Patterns(program, one.patterns, one.flat).n_distinct == 1


def test_clearing_leaves_as_many_patterns_as_there_are_winners():
    """Of m lines the largest on a segment: the pieces are those of their upper envelope."""
    rng = np.random.default_rng(5)
    slopes, heights = rng.normal(size=(13, 1)), rng.normal(size=13)
    program = on_segment(maximum(slopes.tolist(), heights.tolist()))
    one = chain(program)
    x = np.linspace(-1, 1, 100_001)
    envelope = len(np.unique((x[:, None] * slopes[:, 0] + heights).argmax(1)))
    kept = canonical_patterns(program, one.patterns, one.flat)
    changes = np.count_nonzero((kept[1:] != kept[:-1]).any(axis=1))
    assert changes + 1 == envelope < len(one.points) - 1
    assert Patterns(program, one.patterns, one.flat).n_distinct == envelope


def test_shared_matches_of_overlapping_windows_stay_where_one_needs_them():
    net = varied()
    patterns, *_ = sampled(on_square(net), 60)
    kept = canonical_patterns(patterns.program, patterns.words)
    cleared = Patterns(patterns.program, kept, NO_FLAT)
    cells = np.arange(patterns.n_cells)
    before, after = patterns.states(cells), cleared.states(cells)
    for step, states in before.items():
        np.testing.assert_array_equal(after[step], states)
    told = np.concatenate([one.astype(np.int64) for one in before.values()], axis=1)
    assert patterns.n_distinct == len(np.unique(told, axis=0)) < patterns.n_cells
