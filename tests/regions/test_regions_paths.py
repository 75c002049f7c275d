"""Edges joined to paths: chains, rings and branches whose answer is plain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinge.regions.plane.paths import paths


def listed(*ends):
    """The nodes of each path."""
    ends = np.array(ends, np.int64).reshape(-1, 2)
    found = paths(ends)
    return [found.nodes(ends, k).tolist() for k in range(len(found))]


def test_a_chain_in_any_order_and_direction():
    assert listed((2, 1), (3, 4), (0, 1), (3, 2)) in ([[0, 1, 2, 3, 4]], [[4, 3, 2, 1, 0]])


def test_a_ring_starts_and_ends_at_its_lowest_edge():
    assert listed((5, 6), (7, 5), (7, 6)) == [[5, 6, 7, 5]]


def test_two_edges_between_the_same_nodes_are_a_ring():
    assert listed((0, 1), (0, 1)) == [[0, 1, 0]]


def test_a_crossing_ends_four_paths():
    found = listed((0, 9), (9, 1), (2, 9), (9, 3))
    assert sorted(map(len, found)) == [2, 2, 2, 2]


def test_an_eight_is_two_rings_at_their_crossing():
    found = listed((0, 1), (1, 2), (2, 0), (0, 3), (3, 4), (4, 0))
    assert sorted(len(path) for path in found) == [4, 4]
    assert all(path[0] == path[-1] == 0 for path in found)


def test_nothing_has_no_paths():
    assert listed() == []


def test_long_rings_and_chains_together():
    n = 1000
    ring = np.column_stack((np.arange(n), (np.arange(n) + 1) % n))
    chain = np.column_stack((np.arange(n, 2 * n), np.arange(n + 1, 2 * n + 1)))
    ends = np.random.default_rng(0).permutation(np.concatenate((ring, chain)))
    found = paths(ends)
    assert np.diff(found.offsets).tolist() == [n, n]
    for k in range(2):
        nodes = found.nodes(ends, k)
        steps = np.abs(np.diff(nodes))
        assert ((steps == 1) | (steps == n - 1)).all()


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=30))
def test_each_edge_is_on_one_path_and_paths_end_where_they_must(pairs):
    ends = np.array([pair for pair in pairs if pair[0] != pair[1]], np.int64).reshape(-1, 2)
    found = paths(ends)
    assert sorted(found.edges.tolist()) == list(range(len(ends)))
    degree = np.bincount(ends.ravel(), minlength=13)
    for k in range(len(found)):
        nodes = found.nodes(ends, k)
        part = slice(found.offsets[k], found.offsets[k + 1])
        walked = np.sort(np.column_stack((nodes[:-1], nodes[1:])), axis=1)
        assert (walked == np.sort(ends[found.edges[part]], axis=1)).all()
        assert (degree[nodes[1:-1]] == 2).all()
        if nodes[0] != nodes[-1]:
            assert degree[nodes[0]] != 2
            assert degree[nodes[-1]] != 2


@pytest.mark.parametrize("n", [1, 2, 3, 64, 65])
def test_a_straight_chain_of_any_length(n):
    ends = np.column_stack((np.arange(n), np.arange(1, n + 1)))
    assert listed(*ends) == [list(range(n + 1))]
