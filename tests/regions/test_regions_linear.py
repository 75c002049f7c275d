"""Cells with one map are one linear region, and only they."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
import torch
from regions_sampled import chain, dense, network, on_segment, on_square, random_network, sampled
from test_regions_maps import varied
from torch import nn

from hinge.regions.cells.linear_regions import is_affine, linear_regions
from hinge.regions.cells.maps import slopes_and_shifts
from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.propagation import forward
from hinge.regions.cells.slopes import jumps, jumps_by_mark, largest_slope, steepness
from hinge.regions.exactly.choices import positive_forms
from hinge.regions.exactly.extent import extent
from hinge.regions.exactly.rational import ExactProgram
from hinge.regions.exactly.residues import Residues, primes_below, same_maps


def n_regions(net, n=40):
    patterns, pairs, *_ = sampled(on_square(net), n)
    return patterns.n_cells, int(linear_regions(patterns, pairs).max()) + 1


def test_every_cell_of_a_random_network_is_a_region():
    patterns, pairs, *_ = sampled(on_square(random_network(2, 12, 12, 1)), 60)
    regions = linear_regions(patterns, pairs)
    assert regions.max() + 1 == patterns.n_cells
    assert not is_affine(patterns)


def test_a_unit_without_outgoing_weight_cuts_cells_but_not_regions():
    assert n_regions(network(dense([[1, 0]]), nn.ReLU(), dense([[0.0]], [3]))) == (2, 1)
    first = dense([[1, 0.5], [0.25, -1]], [0.1, 0.2])
    assert n_regions(network(first, nn.ReLU(), dense([[1.0, 0.0]]))) == (4, 2)


def test_a_unit_whose_readers_are_dead_cuts_cells_but_not_regions():
    net = network(dense([[1, 0]]), nn.ReLU(), dense([[-1.0]], [-1]), nn.ReLU(), dense([[1.0]]))
    assert n_regions(net) == (2, 1)


def test_units_that_undo_each_other_are_two_cells_and_one_region():
    """relu(x) - relu(-x) = x."""
    both = dense([[1, 0], [-1, 0]]), nn.ReLU()
    assert n_regions(network(*both, dense([[1, -1]]))) == (2, 1)
    assert n_regions(network(*both, dense([[1, -1 - 2**-52]]))) == (2, 2)
    assert n_regions(network(*both, dense([[1, -1]]), *both[1:], dense([[1.0]]))) == (2, 2)


def test_undoing_is_seen_where_floats_round():
    """0.1 x and 0.3 x, written as sums that cancel in exact arithmetic or nearly so."""
    weights = [[0.1, 0.7], [0.1, 0.7], [0.3, -0.2]]
    first = dense(weights, [0.05, 0.05, 0.1])
    assert n_regions(network(first, nn.ReLU(), dense([[0.3, -0.3, 0]]))) == (4, 1)
    assert n_regions(network(first, nn.ReLU(), dense([[0.3, -0.3, 1]]))) == (4, 2)
    nearly = dense([[0.3, -0.3 - 2**-54, 1]])
    assert n_regions(network(first, nn.ReLU(), nearly)) == (4, 4)


def test_leaky_units_are_undone_too():
    """leaky(x) - leaky(-x) = 1.01 x with the slope 0.01, whose digits in base two go on."""
    both = dense([[1, 0], [-1, 0]], [0.3, -0.3]), nn.LeakyReLU(0.01)
    assert n_regions(network(*both, dense([[1, -1]]))) == (2, 1)
    one = dense([[1, 0], [-1, 0]], [0.3, -0.4]), nn.Hardtanh(-0.7, 0.1)
    assert n_regions(network(*one, dense([[1, -1]]))) == (4, 4)  # slopes 1, 2, 1, 0


@pytest.mark.parametrize("scale", [1.0, 2.0**-400, 2.0**300])
def test_extents_bound_the_exact_maps(scale):
    net = random_network(2, 5, 4, 2)
    with torch.no_grad():
        net.steps[0].operator.weight.mul_(scale)
    program = on_square(net)
    patterns, *_ = sampled(program, 10)
    size, exact = extent(program), ExactProgram(program)
    for word in patterns.words:
        integers, shift = exact.affine(positive_forms(program, word))
        for value in integers.reshape(-1):
            found = Fraction(int(value), 1 << shift)
            assert abs(found) <= Fraction(2) ** size.above
            assert (found * (1 << size.below)).denominator == 1


@pytest.mark.parametrize("net", [random_network(2, 9, 8, 7, 2), varied()])
def test_residues_are_those_of_the_exact_maps(net):
    patterns, *_ = sampled(on_square(net), 20)
    exact, rules = ExactProgram(patterns.program), Residues(16_777_213)
    cells = np.arange(0, patterns.n_cells, 11)
    found = forward(patterns, cells, rules, patterns.program.output)
    for i, cell in enumerate(cells):
        integers, shift = exact.affine(positive_forms(patterns.program, patterns.words[cell]))
        inverse = pow(2, -shift, rules.prime)
        wanted = [[int(one) * inverse % rules.prime for one in row] for row in integers]
        assert np.mod(found[..., i], rules.prime).tolist() == wanted


def test_same_maps_are_those_with_the_same_integers():
    """Weights of few values make many cells with equal maps, also far apart."""
    rng = np.random.default_rng(2)
    net = network(
        dense(rng.integers(-1, 2, (6, 2)).tolist(), (rng.integers(-2, 3, 6) / 4).tolist()),
        nn.ReLU(),
        dense(rng.integers(-1, 2, (5, 6)).tolist(), (rng.integers(-2, 3, 5) / 4).tolist()),
        nn.ReLU(),
        dense(rng.integers(-1, 2, (1, 5)).tolist()),
    )
    patterns, *_ = sampled(on_square(net), 60)
    exact = ExactProgram(patterns.program)
    maps = [
        exact.affine(positive_forms(patterns.program, one))[0].tolist() for one in patterns.words
    ]
    n = patterns.n_cells
    first, second = (one.ravel() for one in np.meshgrid(np.arange(n), np.arange(n)))
    wanted = [maps[i] == maps[j] for i, j in zip(first, second, strict=True)]
    assert n < sum(wanted) < n * n
    assert same_maps(patterns, first, second).tolist() == wanted


def test_one_prime_is_not_enough():
    """Slopes that differ by the product of the first two primes that are tried."""
    p, q = islice(primes_below(1 << 24), 2)
    net = network(dense([[1, 0]]), nn.ReLU(), dense([[float(p * q)]]))
    assert n_regions(net) == (2, 2)


@pytest.mark.parametrize("prime", [16_777_213, 8_388_593, 32_749])
def test_a_residue_is_one_number_also_next_to_half_the_prime(prime):
    rules, half = Residues(prime), prime // 2
    most = 2**52 // prime - 1
    rounds = np.random.default_rng(0).integers(-most, most, 10_000)
    for residue in (half, -half, half - 1, 0):
        found = rules._rest((rounds * prime + residue).astype(float))
        assert np.unique(found).tolist() == [residue]


def test_primes_are_prime():
    found = list(primes_below(200))
    assert found[:3] == [199, 197, 193]
    assert found[-1] == 3
    assert len(found) == 45


def test_an_affine_network_is_known():
    net = network(dense([[1, 0.3], [-1, -0.3]], [0.1, -0.1]), nn.ReLU(), dense([[1, -1]]))
    patterns, *_ = sampled(on_square(net), 10)
    assert is_affine(patterns)
    assert largest_slope(patterns) == pytest.approx(np.hypot(1, 0.3))


def test_jumps_are_the_changes_of_the_gradient():
    """3 relu(x) - 2 relu(y): the slope jumps by 3 across x = 0 and by 2 across y = 0."""
    net = network(dense([[1, 0], [0, 1]]), nn.ReLU(), dense([[3, -2]]))
    patterns, pairs, *_ = sampled(on_square(net), 10)
    sizes = jumps(patterns, pairs)
    rows = patterns.rows(0, np.arange(4))
    crossed = (rows[pairs[:, 0]] != rows[pairs[:, 1]]).argmax(axis=1)
    np.testing.assert_allclose(sizes, np.array([3.0, 2.0])[crossed])
    found = jumps_by_mark(sizes, crossed, ((0,), (1, 5), (-1,)))
    assert found == pytest.approx({0: 3.0, 1: 2.0, 5: 2.0})
    assert largest_slope(patterns) == pytest.approx(np.hypot(3, 2))


def test_steepness_is_the_largest_singular_value():
    patterns, *_ = sampled(on_square(random_network(2, 6, 6, 4)), 20)
    cells = np.arange(patterns.n_cells)
    matrices = slopes_and_shifts(patterns, cells)[..., :-1]
    wanted = [np.linalg.svd(one, compute_uv=False)[0] for one in matrices]
    np.testing.assert_allclose(steepness(patterns, cells), wanted, rtol=1e-12)


def test_regions_on_a_segment_join_neighbours_only():
    """A tooth up and down again: the same map on both sides of it, and yet three regions."""
    net = network(dense([[1.0]] * 3, [0.5, 0, -0.5]), nn.ReLU(), dense([[1, -2, 1]]), n_in=1)
    program = on_segment(net)
    one = chain(program)
    patterns = Patterns(program, one.patterns, one.flat)
    pairs = np.stack([np.arange(3), np.arange(1, 4)], axis=1)
    assert linear_regions(patterns, pairs).tolist() == [0, 1, 2, 3]
    assert same_maps(patterns, np.array([0, 1]), np.array([3, 2])).tolist() == [True, False]
