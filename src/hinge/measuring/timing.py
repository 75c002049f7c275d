"""How long functions take beside each other: interleaved rounds, so that noise hits all alike."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch

Run = Callable[[], object]

_LEAST = 5
"""Rounds that are done even when the time is up."""

_SHORT = 20_000
"""Calls on fewer elements are repeated within a round, so that the clock can tell them."""


def rounds(
    runs: Mapping[str, Run], most: int, seconds: float, size: int
) -> Iterator[dict[str, float]]:
    """Time every function once per round, after one round to warm up; yield seconds per call.

    Ends after ``most`` rounds, or after ``seconds`` if by then a few are done. Every round
    has another order, so that no function always finds the caches as the same one left them.
    """
    repeats = max(1, _SHORT // max(1, size))
    names = list(runs)
    for name in names:
        runs[name]()
    end = time.perf_counter() + seconds
    shuffle = random.Random(0).shuffle  # noqa: S311 - no secret
    for number in range(most):
        shuffle(names)
        yield {name: _timed(runs[name], repeats) for name in names}
        if number + 1 >= _LEAST and time.perf_counter() > end:
            return


@contextmanager
def using_threads(count: int) -> Iterator[None]:
    """Let torch use so many threads within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _timed(run: Run, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats
