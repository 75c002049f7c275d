"""Arrays are found by name, folded to the model's shape, and streamed from disk."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hinge.cli.inputs import Cut, Takes, open_data
from hinge.errors import DataError, FileError, OptionError
from hinge.network import read


class TwoInputs(nn.Module):
    def forward(self, a, b, scale=None, label=None):
        return torch.relu(a + b)


class OneInput(nn.Module):
    def forward(self, pixels):
        return torch.relu(pixels)


def takes(model: nn.Module) -> Takes:
    return Takes(model, "model.py:network")


def network_taking(*shape: int) -> Takes:
    """What a network from a file takes; its own weights do not matter."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 2), nn.ReLU())
    return Takes(read(module, torch.zeros(2, *shape)), "net.pt2")


def opened(path: str, model: Takes, name: str | None = None, cut: Cut | None = None) -> list:
    return list(open_data(path, model, cut or Cut(), name).batches)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["x"], "x"),
        (["y"], "y"),
        (["x", "y"], "x"),
        (["images", "labels"], "images"),
        (["x_test", "y_test"], "x_test"),
        (["other", "pixels", "third"], "pixels"),
        (["Target", "data"], "data"),
    ],
)
def test_the_one_input_among_arrays(folder, names, chosen):
    arrays = {name: np.full((3, 2), i, np.float32) for i, name in enumerate(names)}
    np.savez("data.npz", **arrays)
    (batch,) = opened("data.npz", takes(OneInput()))
    np.testing.assert_array_equal(batch, arrays[chosen])


def test_arrays_by_the_names_of_arguments(folder):
    """Required arguments, optional ones that are there, and no labels."""
    names = ["a", "b", "scale", "label", "unknown"]
    np.savez("data.npz", **{name: np.ones((3, 2), np.float32) for name in names})
    (batch,) = opened("data.npz", takes(TwoInputs()))
    assert set(batch) == {"a", "b", "scale"}


def test_the_input_by_name(folder):
    np.savez("data.npz", a=np.zeros((3, 2)), b=np.ones((3, 2)))
    (batch,) = opened("data.npz", takes(OneInput()), "b")
    assert batch.min() == 1


def test_a_name_is_for_npz_only(folder):
    np.save("data.npy", np.zeros((3, 2)))
    with pytest.raises(OptionError, match=r"only \.npz"):
        opened("data.npy", takes(OneInput()), "b")


def test_arrays_of_different_lengths(folder):
    np.savez("data.npz", a=np.zeros((3, 2)), b=np.zeros((4, 2)))
    with pytest.raises(DataError, match="a: 3, b: 4"):
        opened("data.npz", takes(TwoInputs()))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [((5,), (1, 1, 5)), ((12,), (3, 2, 2)), ((1, 4, 4), (4, 4)), ((4, 4), (1, 4, 4)), ((3,), (3,))],
)
def test_rows_are_folded_when_that_is_safe(folder, given, wanted):
    rows = np.random.default_rng(0).normal(size=(6, *given)).astype(np.float32)
    np.save("rows.npy", rows)
    batches = opened("rows.npy", network_taking(*wanted), cut=Cut(batch_size=4))
    assert [batch.shape for batch in batches] == [(4, *wanted), (2, *wanted)]
    np.testing.assert_array_equal(np.concatenate(batches).ravel(), rows.ravel())


@pytest.mark.parametrize(
    ("given", "wanted"),
    [((4, 4, 3), (3, 4, 4)), ((2, 6), (12,)), ((5,), (6,)), ((), (2,)), ((2, 3), (3, 2))],
)
def test_rows_that_could_land_in_wrong_places_are_refused(folder, given, wanted):
    np.save("rows.npy", np.zeros((6, *given), np.float32))
    with pytest.raises(DataError) as refused:
        opened("rows.npy", network_taking(*wanted))
    assert str(given) in refused.value.found
    assert str(wanted) in refused.value.found


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", "u2", "<i4", ">i8", "u4", "u8"])
def test_integers_stay_integers_for_a_module(folder, dtype):
    rows = np.array([[0, 1]], dtype)
    np.save("rows.npy", rows)
    (batch,) = opened("rows.npy", takes(OneInput()))
    tensor = torch.from_numpy(batch)
    assert not tensor.is_floating_point()
    assert tensor.tolist() == rows.tolist()


@pytest.mark.parametrize("dtype", ["?", "u1", ">i4", "<f2", ">f4", ">f8", "g"])
def test_numbers_of_any_kind_become_floats_for_a_file(folder, dtype):
    np.save("rows.npy", np.array([[0, 1]], dtype))
    (batch,) = opened("rows.npy", network_taking(2))
    tensor = torch.from_numpy(batch)
    assert tensor.is_floating_point()
    assert tensor.tolist() == [[0, 1]]


@pytest.mark.parametrize("dtype", ["c8", "M8[s]", "U3", [("a", "f4")]], ids=str)
def test_what_is_no_number_is_refused(folder, dtype):
    np.save("rows.npy", np.zeros((3, 2), dtype))
    with pytest.raises(DataError, match="not numeric"):
        opened("rows.npy", network_taking(2))


def test_fortran_order(folder):
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.save("rows.npy", np.asfortranarray(rows))
    (batch,) = opened("rows.npy", network_taking(2))
    np.testing.assert_array_equal(batch, rows)


def test_another_axis_of_examples(folder):
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save("rows.npy", rows)
    cut = Cut(batch_size=2, batch_axis=1)
    first, second = opened("rows.npy", takes(OneInput()), cut=cut)
    np.testing.assert_array_equal(np.concatenate([first, second], 1), rows)
    with pytest.raises(OptionError, match="axis 0"):
        opened("rows.npy", network_taking(3), cut=cut)


@pytest.mark.parametrize("most", [1, 4, 5, 9, 10, 11])
def test_so_many_examples(folder, most):
    np.save("rows.npy", np.arange(10, dtype=np.float32)[:, None])
    data = open_data("rows.npy", network_taking(1), Cut(batch_size=4, examples=most))
    seen = np.concatenate(list(data.batches)).ravel()
    assert seen.tolist() == list(range(min(most, 10)))
    assert data.total == min(most, 10)


def test_a_file_larger_than_memory_allowed_is_streamed(folder):
    """4 GB of zeros (a hole on the disk) are read in batches, not at once."""
    rows = np.lib.format.open_memmap("large.npy", "w+", np.float32, (1_000_000, 1024))
    del rows
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = Takes(read(nn.Sequential(nn.ReLU()), torch.zeros(2, 1024)), "net.pt2")
    data = open_data("large.npy", model, Cut(examples=50_000))
    assert sum(len(batch) for batch in data.batches) == 50_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 1_000_000  # kilobytes


def test_a_file_that_unpacks_to_too_much_is_not_opened(folder, monkeypatch):
    monkeypatch.setattr("hinge.cli.inputs.arrays.LARGEST_NPZ", 1000)
    np.savez_compressed("bomb.npz", x=np.zeros((1000, 1000)))
    assert Path("bomb.npz").stat().st_size < 20_000
    with pytest.raises(FileError, match="too large"):
        opened("bomb.npz", takes(OneInput()))
