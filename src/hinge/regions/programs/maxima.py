"""A max step as a knock-out: rounds of matches between two, until one is left of each window."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from hinge.errors import UnsupportedError
from hinge.network import Adaptive, Between, Max, Over, Windows
from hinge.regions.programs.assembly import Assembly
from hinge.regions.programs.program import Indices, Meaning

Shape = tuple[int, ...]


def knock_out(assembly: Assembly, step: Max, inputs: Sequence[int], shape: Shape) -> int:
    """Add the rounds of a max step; return the buffer of its result.

    ``inputs`` are the buffers that it reads, ``shape`` is that of one example of the first.
    """
    different = list(dict.fromkeys(inputs))
    source = assembly.join(different)
    runners = [sorted(set(window)) for window in entrants(step, shape, len(different))]
    played = 0
    while any(len(window) > 1 for window in runners):
        source, runners = _play(assembly, step.name, source, runners, played)
        played += 1
    return assembly.gather(source, np.array([window[0] for window in runners], np.int64))


def entrants(step: Max, shape: Shape, count: int) -> list[list[int]]:
    """For each value of the result the places that it is the largest of; padding is none."""
    rule = step.rule
    if isinstance(rule, Between):
        size = prod(shape)
        return _listed(np.arange(size)[:, None] + size * np.arange(count))
    if isinstance(rule, Over):
        kept = [1 if axis in rule.axes else n for axis, n in enumerate(shape, 1)]
        window = np.broadcast_to(np.arange(prod(kept)).reshape(kept), shape).reshape(-1)
        order = np.argsort(window, kind="stable")
        return _listed(order.reshape(prod(kept), -1))
    if isinstance(rule, Windows):
        rank = len(rule.kernel)
        axes = [
            _slid(shape[axis - rank], step.shape[axis - rank], rule, axis) for axis in range(rank)
        ]
    elif isinstance(rule, Adaptive):
        rank = len(rule.size)
        axes = [_shared(shape[axis - rank], step.shape[axis - rank]) for axis in range(rank)]
    else:
        raise UnsupportedError(
            "the maximum follows a rule that is not known",
            where=f"step {step.name!r}",
            found=str(rule),
            do="hinge.observe and hinge.examine work on the model as it is",
        )
    places = [[outer] for outer in range(prod(shape[:-rank]))]
    for axis, windows in enumerate(axes):
        length = shape[axis - rank]
        places = [
            [place * length + at for place in held for at in window]
            for held in places
            for window in windows
        ]
    return places


def _slid(length: int, count: int, rule: Windows, axis: int) -> list[list[int]]:
    step, reach = rule.dilation[axis], rule.dilation[axis] * rule.kernel[axis]
    starts = (i * rule.stride[axis] - rule.padding[axis] for i in range(count))
    return [
        [at for at in range(start, start + reach, step) if 0 <= at < length] for start in starts
    ]


def _shared(length: int, count: int) -> list[list[int]]:
    return [list(range(i * length // count, -(-(i + 1) * length // count))) for i in range(count)]


def _play(
    assembly: Assembly, name: str, source: int, runners: list[list[int]], played: int
) -> tuple[int, list[list[int]]]:
    """One round: neighbours meet in pairs, each pair once, and who has no partner meets itself."""
    numbers: dict[tuple[int, int], int] = {}
    rows: list[tuple[int, int, int]] = []
    after: list[list[int]] = []
    for entry, window in enumerate(runners):
        pairs = [(window[i], window[min(i + 1, len(window) - 1)]) for i in range(0, len(window), 2)]
        played_as = [numbers.setdefault(pair, len(numbers)) for pair in pairs]
        rows += [
            (entry, slot, match)
            for slot, (match, pair) in enumerate(zip(played_as, pairs, strict=True))
            if pair[0] != pair[1]
        ]
        after.append(sorted(set(played_as)))
    entries, slots, matches = _columns(rows)
    first, second = _columns(list(numbers))
    meaning = Meaning(
        step=name,
        entries=entries,
        break_index=np.zeros(len(entries), np.int64),
        forms=np.zeros(0, np.int64),
        orientation=np.zeros(0, np.int8),
        winner=True,
        round=played,
        slot=slots,
        matches=matches,
    )
    return assembly.larger(source, first, second, meaning), after


def _listed(table: Indices) -> list[list[int]]:
    rows: list[list[int]] = table.tolist()
    return rows


def _columns(rows: Sequence[tuple[int, ...]]) -> Sequence[Indices]:
    return list(np.array(rows, np.int64).T)
