"""Links followed by doubling: how far each element is from the end of its chain."""

from __future__ import annotations

import numpy as np

from hinge.regions.plane.topology import NONE, Numbers


def ranked(following: Numbers) -> tuple[Numbers, Numbers]:
    """The end of each element's chain, and the number of links to it, both ``(n,)``.

    ``following[i]`` is the element after i, or `NONE` at an end. There must be no cycle.
    Every round doubles the links followed (Wyllie, 1979), so the longest chain of n
    elements takes about log2(n) rounds.
    """
    last = np.where(following == NONE, np.arange(len(following)), following)
    steps = (following != NONE).astype(np.int64)
    while True:
        beyond = steps[last]
        if not beyond.any():
            return last, steps
        steps = steps + beyond
        last = last[last]


def cycle_heads(following: Numbers) -> Numbers:
    """The smallest element of each cycle, where ``following`` may hold cycles too."""
    least = np.arange(len(following))
    last = np.where(following == NONE, least, following)
    for _ in range(len(following).bit_length()):
        if (following[last] == NONE).all():
            return np.empty(0, dtype=np.int64)
        least = np.minimum(least, least[last])
        last = last[last]
    cyclic = following[last] != NONE
    return np.flatnonzero(cyclic & (least == np.arange(len(least))))
