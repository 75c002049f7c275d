"""Tables: numbers are features, words are named, labels are left out where they must be."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hinge.cli.inputs import Cut, Takes, open_data
from hinge.errors import DataError, FileError, HingeError
from hinge.network import read

MODULE = Takes(nn.ReLU(), "model.py:network")


def network_taking(n: int) -> Takes:
    return Takes(read(nn.Sequential(nn.Linear(n, 2), nn.ReLU()), torch.zeros(2, n)), "net.pt2")


def rows(path: str, takes: Takes = MODULE) -> np.ndarray:
    return np.concatenate(list(open_data(path, takes, Cut()).batches))


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4.5\n",
        "1,2\n3,4.5\n",
        "a;b\n1;2\n3;4.5\n",
        "a\tb\n1\t2\n3\t4.5\n",
        "\ufeffa,b\n1,2\n3,4.5\n",
        '"a","b"\r\n"1","2"\r\n"3","4.5"\r\n',
        "1e0,2.\n+3,4.5\n",
    ],
    ids=["comma", "no names", "semicolon", "tab", "byte order mark", "quoted", "exponents"],
)
def test_the_same_table_in_many_spellings(folder, text):
    Path("t.csv").write_text(text, encoding="utf-8", newline="")
    np.testing.assert_array_equal(rows("t.csv"), [[1, 2], [3, 4.5]])


def test_parquet_and_missing_values(folder):
    table = pd.DataFrame(
        {
            "a": [1.0, None],
            "b": pd.array([1, None], "Int64"),
            "c": [True, False],
            "d": np.array([1, 2], np.uint8),
        }
    )
    table.to_parquet("t.parquet")
    np.testing.assert_array_equal(rows("t.parquet"), [[1, 1, 1, 1], [np.nan, np.nan, 0, 2]])
    table.to_csv("t.csv", index=False)
    np.testing.assert_array_equal(rows("t.csv"), [[1, 1, 1, 1], [np.nan, np.nan, 0, 2]])


@pytest.mark.parametrize(
    ("columns", "takes", "kept"),
    [
        ("a,b,label", MODULE, 2),
        ("a,b,Target", MODULE, 2),
        ("x,y", MODULE, 2),
        ("a,y", MODULE, 1),
        ("label", MODULE, 1),
        ("a,b,label", network_taking(3), 3),
        ("a,b,label", network_taking(2), 2),
    ],
)
def test_labels_are_left_out_unless_the_model_takes_them(folder, columns, takes, kept):
    n = len(columns.split(","))
    Path("t.csv").write_text(f"{columns}\n{','.join(map(str, range(n)))}\n")
    assert rows("t.csv", takes).tolist() == [list(range(kept))]


def test_a_label_of_words_is_left_out_too(folder):
    Path("t.csv").write_text("a,b,label\n1,2,cat\n3,4,dog\n")
    assert rows("t.csv").tolist() == [[1, 2], [3, 4]]


def test_columns_that_are_no_numbers_are_named(folder):
    pd.DataFrame({"a": [1], "when": [pd.Timestamp(0)], "who": ["x"]}).to_parquet("t.parquet")
    with pytest.raises(DataError) as refused:
        rows("t.parquet")
    assert refused.value.found == "'when', 'who'"


def test_a_table_that_does_not_fit(folder):
    Path("t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"\(2,\), while the model takes \(3,\)"):
        rows("t.csv", network_taking(3))


@pytest.mark.parametrize("content", [b"a,b\n1,2\n3,4,5\n", b"a,b\n\xff\xfe,2\n"])
def test_malformed_tables(folder, content):
    Path("t.csv").write_bytes(content)
    with pytest.raises(FileError, match=r"t\.csv"):
        rows("t.csv")


def test_names_without_rows(folder):
    Path("t.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="the data is empty"):
        rows("t.csv")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_without_pandas_the_error_says_what_to_install(folder, monkeypatch, name):
    Path(name).write_text("1,2\n")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(HingeError, match=r'pip install "hinge\[data\]"|hinge\[data\]'):
        rows(name)


def test_a_table_too_large_to_read_at_once(folder, monkeypatch):
    monkeypatch.setattr("hinge.cli.inputs.tables.LARGEST_TABLE", 3)
    Path("t.csv").write_text("1,2\n")
    with pytest.raises(FileError, match="too large"):
        rows("t.csv")
