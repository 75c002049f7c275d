"""Loaders: whatever people write as one gives its batches, up to as many examples as asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hinge.cli.inputs import Cut, Takes, open_data

CODE = """
import itertools
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

X = torch.arange(10.0)[:, None]

class Plain(Dataset):
    def __len__(self):
        return 10
    def __getitem__(self, i):
        return X[i], 0

def function():
    yield from X.split(4)

def endless():
    return (X[:4] for _ in itertools.count())

class Iterating:
    def __iter__(self):
        return iter(X.split(4))

iterable = list(X.split(4))
tensor = X
array = X.numpy()
tensors = TensorDataset(X, X)
loader = DataLoader(tensors, batch_size=4)
dataset = Plain()
instance = Iterating()
named = [{"x": part, "y": part[:, 0]} for part in X.split(4)]
nested = [((part, [part]), "a word") for part in X.split(4)]

def makes_loader():
    return loader

def strict():
    yield X[:8]
    raise RuntimeError("more was asked for than is needed")

def zero_size():
    yield X[:0]
    yield X
    yield X[:0]
"""

NAMES = [
    *("function", "iterable", "tensor", "array", "tensors", "loader", "dataset"),
    *("instance", "Iterating", "named", "nested", "makes_loader", "zero_size"),
]


@pytest.fixture(autouse=True)
def code(folder: Path) -> None:
    (folder / "loaders.py").write_text(CODE)


def values(name: str, **cut: int) -> list[float]:
    data = open_data(f"loaders.py:{name}", Takes(torch.nn.ReLU(), ""), Cut(batch_size=4, **cut))
    return [value for batch in data.batches for value in first(batch).ravel().tolist()]


def first(batch):
    while not hasattr(batch, "ravel"):
        batch = batch["x"] if isinstance(batch, dict) else batch[0]
    return batch


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_gives_batches(name):
    assert values(name) == list(range(10))


@pytest.mark.parametrize("most", [1, 4, 6, 8, 10, 99])
@pytest.mark.parametrize("name", NAMES)
def test_up_to_as_many_examples_as_asked(name, most):
    assert values(name, examples=most) == list(range(min(10, most)))


def test_labels_are_cut_with_their_examples():
    data = open_data("loaders.py:named", Takes(torch.nn.ReLU(), ""), Cut(examples=6))
    assert [len(batch["y"]) for batch in data.batches] == [4, 2]


def test_no_more_is_asked_for_than_is_needed():
    assert values("strict", examples=8) == list(range(8))


def test_an_endless_loader_can_be_cut():
    assert len(values("endless", examples=1000)) == 1000


@pytest.mark.parametrize(("name", "total"), [("loader", 10), ("tensor", 10), ("function", None)])
def test_how_many_there_are_in_all(name, total):
    assert open_data(f"loaders.py:{name}", Takes(torch.nn.ReLU(), ""), Cut()).total == total


def test_batches_of_size_zero_are_skipped(folder, run):
    (folder / "model.py").write_text("from torch import nn\nnet = nn.Sequential(nn.ReLU())\n")
    result = run("examine", "model.py:net", "--data", "loaders.py:zero_size")
    assert result.exit_code == 0, result.stderr
    assert "10 examples" in result.stdout
