"""Rounds in which all take turns, and what is restored after them."""

from __future__ import annotations

import time
from collections import Counter

import pytest
import torch

from hinge.measuring.timing import rounds, using_threads


def test_every_function_is_called_once_to_warm_up_and_once_per_round():
    calls: list[str] = []
    runs = {name: (lambda name=name: calls.append(name)) for name in "abc"}
    found = list(rounds(runs, most=30, seconds=60, size=10**9))
    assert len(found) == 30
    assert all(set(one) == set("abc") for one in found)
    assert Counter(calls) == dict.fromkeys("abc", 31)
    orders = {"".join(calls[start : start + 3]) for start in range(3, 93, 3)}
    assert orders == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_times_are_seconds_per_call():
    found = list(rounds({"nap": lambda: time.sleep(0.002)}, most=5, seconds=60, size=10_000))
    assert 0.0019 < min(one["nap"] for one in found) < 1


def test_the_time_is_up_after_a_few_rounds():
    assert len(list(rounds({"none": lambda: None}, most=1000, seconds=0, size=10**9))) == 5


def test_threads_are_given_back_also_after_an_error():
    before = torch.get_num_threads()

    def fail():
        with using_threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert torch.get_num_threads() == before
