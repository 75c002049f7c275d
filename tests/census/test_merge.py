"""Merging is exact: any order, any grouping, any number of processes."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import hinge
from hinge.errors import DataError, FileError

torch.manual_seed(0)
MODEL = nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 5), nn.Tanh())
BATCHES = [
    torch.randn(n, 4) * scale
    for n, scale in zip((3, 8, 1, 5, 8), (1, 9, 0, 1e3, 1e-3), strict=True)
]
COUNTS = ("seen", "fired", "always", "live", "values", "zeros", "nonfinite", "min", "max")


def census(batches) -> hinge.Census:
    return hinge.observe(MODEL, batches)


@given(st.permutations(range(len(BATCHES))), st.integers(1, len(BATCHES) - 1))
@settings(max_examples=20)
def test_any_order_and_grouping_gives_the_same_census(order, cut):
    whole = census(BATCHES).to_json()
    first = census([BATCHES[i] for i in order[:cut]])
    second = census([BATCHES[i] for i in order[cut:]])
    assert first.merge(second).to_json() == whole
    assert second.merge(first).to_json() == whole


def test_how_the_data_is_cut_changes_no_count():
    # In small eighths every sum of products is exact: torch may order it as the batch suggests.
    model = copy.deepcopy(MODEL)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((parameter * 8).round() / 8)
    x = (torch.cat(BATCHES) * 8).round().clamp(-800, 800) / 8
    one, many = hinge.observe(model, [x]), hinge.observe(model, x, batch_size=2)
    for site in one:
        for name in COUNTS:
            assert np.array_equal(getattr(one[site], name), getattr(many[site], name)), name
        np.testing.assert_allclose(one[site].mean, many[site].mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(one[site].var, many[site].var, rtol=1e-5)


def test_merging_leaves_both_parts_alone():
    first, second = census(BATCHES[:2]), census(BATCHES[2:])
    before = first.to_json(), second.to_json()
    first.merge(second)
    assert (first.to_json(), second.to_json()) == before


def test_gradients_are_merged():
    first = hinge.observe(MODEL, BATCHES[:2], gradients=100)
    second = hinge.observe(MODEL, BATCHES[3:], gradients=100)
    merged = first.merge(second)["1"]
    assert merged.watched == 3 + 8 + 5 + 8
    assert np.array_equal(merged.reached, first["1"].reached + second["1"].reached)


def test_censuses_of_different_models_are_refused():
    other = hinge.observe(nn.Sequential(nn.Linear(4, 9), nn.ReLU()), BATCHES)
    with pytest.raises(DataError, match="different models"):
        census(BATCHES).merge(other)


def test_json_and_pickle_lose_nothing():
    whole = census(BATCHES)
    again = hinge.Census.from_json(whole.to_json())
    assert again.to_json() == whole.to_json()
    assert pickle.loads(pickle.dumps(whole)).to_json() == whole.to_json()  # noqa: S301 - our own
    assert again.merge(whole)["1"].seen[0] == 2 * whole.seen


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"fired"', '"fires"'),
        lambda text: text.replace('"n_units": 7', '"n_units": 8'),
        lambda text: text.replace('"version": 1', '"version": 99'),
        lambda text: "[]",
    ],
)
def test_damaged_json_is_refused(damage):
    with pytest.raises(FileError):
        hinge.Census.from_json(damage(census(BATCHES).to_json()))
